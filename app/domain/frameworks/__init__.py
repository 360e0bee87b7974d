"""Rows and rules: competencies and their sources."""
