"""Tests of ``eventreg.web.door``."""
