"""Use cases: sign-in, sessions, passkeys, permissions."""
