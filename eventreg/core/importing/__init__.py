"""Import a list of people: read the file, take its columns for what they hold, and register all."""
