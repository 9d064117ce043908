"""The registration form, its token, and the other fields that forms send."""
