"""Pages: activities taken over from files and calendars."""
