"""The guests' pages: the event, registering, the ticket, correcting, cancelling."""
