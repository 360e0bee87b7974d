"""How to serve and to check an edition, written beside it."""
