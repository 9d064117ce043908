"""Tests of taking in a list of people."""
