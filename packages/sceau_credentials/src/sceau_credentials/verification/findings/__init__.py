"""Reasons, remarks and problem details of a report."""
