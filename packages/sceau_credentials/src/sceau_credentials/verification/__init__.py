"""Verification of a credential: ordered checks that result in a report."""
