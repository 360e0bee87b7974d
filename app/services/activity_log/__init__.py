"""Use cases: the append-only log, its signatures and its proofs."""
