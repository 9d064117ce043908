"""Undoing a cancellation."""
