"""Mails: what they say, and sending them."""
