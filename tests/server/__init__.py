"""Tests of eventreg/server."""
