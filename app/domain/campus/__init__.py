"""Rows and rules: settings, team, keys, desk."""
