"""The commands, under `flask --app wsgi`, one file for each first word. Exit code 0: done; 1:
refused with one clear line, and nothing changed; 2: wrong usage."""
