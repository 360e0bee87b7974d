"""JSON API: eligibility, issuing, batches, revocation, delivery."""
