"""Use cases: checks of credentials and their sentences."""
