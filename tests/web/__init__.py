"""Tests of the pages, in folders by audience."""
