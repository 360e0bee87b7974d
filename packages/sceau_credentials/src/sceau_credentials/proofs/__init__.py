"""The two proofs Open Badges 3.0 knows: embedded in the credential, or a JWT around it."""
