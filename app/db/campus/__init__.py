"""Queries: settings, team, keys, desk."""
