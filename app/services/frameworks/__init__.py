"""Use cases: competencies and their sources."""
