"""Organising: apply event files, and edit events in a form."""
