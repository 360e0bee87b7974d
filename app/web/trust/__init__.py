"""Pages: registry, organisations, endorsements."""
