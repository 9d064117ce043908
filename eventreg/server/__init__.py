"""The HTTP server: its processes, its connections, its proxies."""
