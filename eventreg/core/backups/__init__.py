"""Rules about backups: when, under which name, and why one was not made."""
