"""Pages: eligibility, issuing, batches, revocation, delivery."""
