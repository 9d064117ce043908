"""Tests of eventreg/readers."""
