"""Use cases: registry, organisations, endorsements."""
