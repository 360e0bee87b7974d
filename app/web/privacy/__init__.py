"""Pages: access, erasure, consent, retention."""
