"""A Merkle log that anyone can check: tree, proofs, signed checkpoints, tiles and cosignatures (RFC 9162, C2SP)."""
