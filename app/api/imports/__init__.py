"""JSON API: activities taken over from files and calendars."""
