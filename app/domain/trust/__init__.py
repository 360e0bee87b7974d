"""Rows and rules: registry, organisations, endorsements."""
