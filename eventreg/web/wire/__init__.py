"""What comes over the wire: forwarded addresses, forms, the request log."""
