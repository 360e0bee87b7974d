"""Pages of badge requests."""
