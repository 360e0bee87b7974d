"""Use cases: import of activities from files and calendars."""
