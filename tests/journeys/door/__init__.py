"""The door in real browsers: with a network, without one, and with one that lies."""
