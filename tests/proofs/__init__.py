"""Proofs that the promises about seats hold: storms, kills, power cuts, lost answers. In `make
test` in their short form, in `make proofs` whole. Beside each stands a run with something taken
out, in which it must fail."""
