"""Measurements of eventreg against the limits of the machine it runs on. `make bench` runs them
all."""
