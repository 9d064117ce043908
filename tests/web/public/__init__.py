"""Tests of the guests' pages."""
