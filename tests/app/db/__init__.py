"""The database keeps what the rows promise, on both engines."""
