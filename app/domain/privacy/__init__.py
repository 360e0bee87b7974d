"""Rows and rules: access, erasure, consent, retention."""
