"""Tests of eventreg/mail."""
