"""Rows and rules: the append-only log and what proves it."""
