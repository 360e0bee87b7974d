"""The year of a campus: what an activity adds for reports, indicators, and signed editions."""
