"""Pages of the report: facts of activities, the dashboard, the yearly report."""
