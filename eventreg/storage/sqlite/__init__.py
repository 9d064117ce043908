"""The SQLite file: its connections, and whether it is still the same file."""
