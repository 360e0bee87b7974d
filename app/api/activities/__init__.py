"""JSON API: sessions, series, check-in, files."""
