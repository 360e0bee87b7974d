"""Use cases: one class per subject, one method per action."""
