"""Use cases: eligibility, issuing, batches, revocation, delivery."""
