"""Encryption at rest and password hashes."""
