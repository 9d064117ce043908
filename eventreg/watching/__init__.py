"""Whether everything is well, and who is told if it is not."""
