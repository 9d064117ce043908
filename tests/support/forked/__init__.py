"""Processes forked from one that has imported everything, instead of new programs."""
