"""Tests of ``eventreg.web.organising``."""
