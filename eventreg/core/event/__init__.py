"""The event: its file, its definition, its times."""
