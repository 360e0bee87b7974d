"""Rows and rules: badges, their versions and rules."""
