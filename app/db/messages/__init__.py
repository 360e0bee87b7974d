"""Queries: e-mail and reminders."""
