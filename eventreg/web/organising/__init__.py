"""The pages of organisers: events and drafts."""
