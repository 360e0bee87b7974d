"""JSON API: badges, their versions and rules."""
