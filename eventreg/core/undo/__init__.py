"""Undo a cancellation within ten minutes."""
