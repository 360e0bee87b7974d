"""Tenants: row-level security policies and the scope of one transaction."""
