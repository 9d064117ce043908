"""The commands of `flask --app wsgi`, one file for each first word.

Exit code 0: done. 1: refused with one line, and nothing changed. 2: wrong usage.
"""
