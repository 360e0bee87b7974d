"""Rows and rules: sign-in, sessions, passkeys, permissions."""
