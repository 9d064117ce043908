"""The pages of the door: check-in, and the pairing of telephones."""
