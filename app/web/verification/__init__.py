"""Pages: checks of credentials and their sentences."""
