"""Queries: sessions, series, check-in, files."""
