"""Deliver awards: letters, claim codes, printed sheets."""
