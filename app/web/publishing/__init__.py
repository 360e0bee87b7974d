"""Pages: status lists, public documents, static export."""
