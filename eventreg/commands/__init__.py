"""The commands: `flask --app wsgi ...`."""
