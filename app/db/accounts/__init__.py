"""Queries: sign-in, sessions, passkeys, permissions."""
