"""Shared by every request: transactions, authentication, negotiation, headers, caches, forms, rendering."""
