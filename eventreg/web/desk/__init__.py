"""The pages of the desk: one event, its registrations and its lists."""
