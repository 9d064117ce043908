"""The log: its lines, and a search through all logs of a run for what must never be in them."""
