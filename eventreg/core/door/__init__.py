"""The door: check people in, and hand out gifts."""
