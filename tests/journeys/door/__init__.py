"""Journeys of people through several pages, and how the pages look on the way."""
