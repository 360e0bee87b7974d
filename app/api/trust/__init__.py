"""JSON API: registry, organisations, endorsements."""
