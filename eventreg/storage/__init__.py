"""The database: sessions and transactions, checks, file modes, and backups."""
