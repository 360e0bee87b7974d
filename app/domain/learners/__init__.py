"""Rows and rules: my badges, portfolio, requests, contributions."""
