"""The tables, with their constraints. Read this room to learn the nouns."""
