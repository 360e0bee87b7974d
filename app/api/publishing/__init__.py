"""JSON API: status lists, public documents, static export."""
