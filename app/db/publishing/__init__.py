"""Queries: status lists, public documents, static export."""
