"""The rules. Nothing in this folder may import flask, werkzeug, wtforms or ``eventreg.web``; a test
keeps that.

Functions take the database session, the thing they act on, and ``now``. They never commit: whoever
calls them does, once, at the edge, so that acts compose. They refuse by raising one of ``errors``.
"""
