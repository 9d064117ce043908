"""Staff: accounts, permissions, sessions and signing in."""
