"""Queries: access, erasure, consent, retention."""
