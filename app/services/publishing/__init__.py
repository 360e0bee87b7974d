"""Use cases: status lists, public documents, static export."""
