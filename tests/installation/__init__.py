"""`make install-service`, its units, and the container."""
