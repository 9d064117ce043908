"""Tests of HTTP as it arrives."""
