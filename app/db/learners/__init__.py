"""Queries: my badges, portfolio, requests, contributions."""
