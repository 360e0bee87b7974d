"""Queries: eligibility, issuing, batches, revocation, delivery."""
