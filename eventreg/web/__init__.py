"""The pages, one folder for each audience, and what the pages share. The web knows HTTP but no SQL:
it calls ``core``, and ``site`` turns the core's refusals into pages."""
