"""Rows and rules: e-mail and reminders."""
