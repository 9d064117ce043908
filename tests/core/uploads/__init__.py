"""What door devices upload."""
