"""Backups by schedule: making them, copying them to a second place, and trying them out."""
