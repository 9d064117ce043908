"""Programs for working on eventreg, and for installing it."""
