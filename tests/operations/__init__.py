"""Tests of eventreg/operations."""
