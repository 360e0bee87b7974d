"""The two proofs of Open Badges 3.0: embedded in the credential, or a JWT around it."""
