"""The whole program beside a model of a few lines."""
