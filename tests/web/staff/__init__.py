"""Tests of the pages for signing in and for accounts."""
