"""Work that an installation needs now and then: forgetting, and later more."""
