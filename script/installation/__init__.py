"""`make install-service`: eventreg as a service of systemd."""
