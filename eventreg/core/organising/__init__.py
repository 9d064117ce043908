"""Organising: applying event files, and drafts."""
