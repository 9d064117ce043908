"""The types that a view may return."""

from werkzeug.wrappers import Response

Answer = str | Response | tuple[str | Response, int] | tuple[str | Response, int, dict[str, str]]
"""A page or a response, optionally with a status, optionally with headers."""
