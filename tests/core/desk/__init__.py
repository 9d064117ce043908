"""Tests of the desk's rules."""
