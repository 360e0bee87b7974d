"""Pages: my badges, portfolio, requests, contributions."""
