"""Staff: accounts, permissions, sessions, and how somebody signs in."""
