"""Sceau: Open Badges 3.0 for the Campus des Métiers et des Qualifications."""

__version__ = "0.1.0"
