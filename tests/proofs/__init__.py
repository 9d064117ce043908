"""Proofs that the promises about seats hold: storms, kills, power cuts, lost answers.

`make test` runs their short form, `make proofs` the whole one. Beside each proof stands a run with
one guard taken out, which must fail.
"""
