"""Use cases: access, erasure, consent, retention."""
