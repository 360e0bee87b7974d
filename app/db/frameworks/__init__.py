"""Queries: competencies and their sources."""
