"""The pages with which organisers make and change events."""
