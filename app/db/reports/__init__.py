"""Facts of activities for reports, counting, and signed editions."""
