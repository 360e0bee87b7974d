"""Pages: activities imported from files and calendars."""
