"""Use cases: e-mail and reminders."""
