"""Rows and rules: status lists, public documents, static export."""
