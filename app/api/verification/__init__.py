"""JSON API: checks of credentials and their sentences."""
