"""Pages: sessions, series, check-in, files."""
