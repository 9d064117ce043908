"""Registering: seats, the waiting list, corrections, cancellations, tickets."""
