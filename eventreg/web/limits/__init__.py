"""Rate limits: how often an address, a number, a ticket or an account may try something."""
