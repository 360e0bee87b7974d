"""The year of a campus: facts of activities, indicators, the report and its editions."""
