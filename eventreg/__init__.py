"""eventreg: registration for a capped, in-person event, from the first click to the chair.

The map of the house, of which docs/architecture.md has the floors:

- ``core/`` holds the rules, in rooms by subject; it knows the database and knows no HTTP.
- ``web/`` holds the pages, in rooms of the same names; it knows HTTP and knows no SQL.
- ``storage/`` is the database and how it keeps its word; ``mail/`` sends;
  ``readers/`` read files from outside.
- ``commands/`` is ``flask --app wsgi ...``; ``operations/`` is what an installation needs;
  ``background`` is what runs by itself.
- ``app`` puts all together, ``serve`` starts a real server, which is ``server/``.

There is no code in this file on purpose: importing a rule must not import Flask.
"""
