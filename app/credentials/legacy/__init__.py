"""Open Badges 2.0 and 1.x: what their documents hold, and whom they let speak for an issuer."""
