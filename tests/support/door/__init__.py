"""The door's screen and people for its tests, without a server."""
