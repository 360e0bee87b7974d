"""Rows and rules: activities taken over from files and calendars."""
