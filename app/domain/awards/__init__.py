"""Rows and rules: eligibility, issuing, batches, revocation, delivery."""
