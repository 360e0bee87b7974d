"""Pages: sign-in, sessions, passkeys, permissions."""
