"""The commands of `flask --app wsgi`, one file for each first word.

Exit code 0: done. 1: refused, or not all was done, or ``doctor`` found something wrong; one or more
lines say why. 2: wrong usage.
"""
