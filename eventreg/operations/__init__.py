"""What an installation needs besides pages: erasing personal data, and checking itself."""
