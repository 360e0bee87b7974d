"""Use cases: badges, their versions and rules."""
