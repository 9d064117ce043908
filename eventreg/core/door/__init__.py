"""The door: checking in, and gifts."""
