"""Use cases: sessions, series, check-in, files."""
