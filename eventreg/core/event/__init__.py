"""Events: reading the event file, and what an event's times mean."""
