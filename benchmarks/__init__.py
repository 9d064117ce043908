"""Benchmarks of eventreg, compared with the limits of the machine. `make bench` runs them all."""
