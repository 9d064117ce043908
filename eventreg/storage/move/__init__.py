"""Copy all rows to another, empty database: the source, the target, the copy and its comparison."""
