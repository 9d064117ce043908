"""Values and their spellings: names, telephone numbers, tokens. No database."""
