"""Use cases: activities taken over from files and calendars."""
