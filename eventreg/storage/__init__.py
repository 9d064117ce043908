"""The database, and how it keeps its word."""
