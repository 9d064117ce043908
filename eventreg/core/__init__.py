"""The rules of registration. Nothing here imports flask, werkzeug, wtforms or ``eventreg.web``.

Functions take the database session, the object to act on, and ``now``. They never commit: their
caller does, so that several of them can share a transaction. They refuse by raising one of
``errors``.
"""
