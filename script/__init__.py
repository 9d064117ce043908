"""Programs for the maintainers and the operator, started by make."""
