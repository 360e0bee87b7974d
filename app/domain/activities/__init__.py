"""Rows and rules: sessions, series, check-in, files."""
