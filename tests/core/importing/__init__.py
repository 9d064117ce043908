"""Tests of lists that are taken in."""
