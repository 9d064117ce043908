"""The settings: what can be set, how it is read, and the folder of everything that is written."""
