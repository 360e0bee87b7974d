"""JSON API: the append-only log and what proves it."""
