"""What door devices upload: acts, how they are applied, and what a person has to settle."""
