"""Queries: badges, their versions and rules."""
