"""Pages: competencies and their sources."""
