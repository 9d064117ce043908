"""eventreg: registration for an in-person event with a limited number of seats.

The packages (docs/architecture.md says which may import which):

- ``core/``: the rules, in packages by subject. It knows the database and no HTTP.
- ``web/``: the pages, in packages by audience. It knows HTTP and no SQL.
- ``storage/``: the database, its checks and its backups.
- ``mail/``: composing and sending mails.
- ``readers/``: reading uploaded files in a sandbox.
- ``commands/``: the commands of ``flask --app wsgi``.
- ``operations/``: erasing personal data, and ``doctor``.
- ``background``: jobs that run beside the server.
- ``server/``: the HTTP server. ``serve`` starts it, and ``app`` makes the application.

This file has no code, because importing a rule must not import Flask.
"""
