"""Use cases: verification of credentials and its messages."""
