"""The rehearsal: an instance of its own with made-up people, which can be begun again at any
time."""
