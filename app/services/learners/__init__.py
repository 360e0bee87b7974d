"""Use cases: my badges, portfolio, requests, contributions."""
