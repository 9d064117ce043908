"""The HTTP server: its processes, its listening socket, and its connections."""
