"""Queries: registry, organisations, endorsements."""
