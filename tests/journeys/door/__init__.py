"""The door, played in a real browser on the real server."""
