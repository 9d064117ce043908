"""Parse, normalise and show single values: names, telephone numbers, tokens. Uses no database."""
