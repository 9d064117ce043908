"""Mails: composing them and sending them."""
