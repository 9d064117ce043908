"""The database tables and their constraints."""
