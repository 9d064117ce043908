"""Shared test support: test data, apps, servers, browsers."""
