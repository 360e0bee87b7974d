"""Use cases: the append-only log and what proves it."""
