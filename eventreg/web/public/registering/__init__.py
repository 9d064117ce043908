"""Registering: the form, the check page, and the pages that say why it is not possible."""
