"""Tests of eventreg/commands."""
