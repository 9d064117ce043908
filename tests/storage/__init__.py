"""Tests of eventreg/storage."""
