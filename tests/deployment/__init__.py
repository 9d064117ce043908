"""The whole deployment at once: browser, proxy, server, database and Redis."""
