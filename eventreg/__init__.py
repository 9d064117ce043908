"""eventreg: registration for a capped, in-person event, from the first click to the chair.

The map of the house:

- ``core/`` holds the rules, one file per noun; it knows the database and knows no HTTP.
- ``web/`` holds the pages, one file per audience; it knows HTTP and knows no SQL.
- ``app`` puts both together, ``serve`` starts a real server, ``cli`` holds the commands.
- ``settings``, ``clock``, ``db``, ``i18n`` are the four things everybody leans on.

There is no code in this file on purpose: importing a rule must not import Flask.
"""
