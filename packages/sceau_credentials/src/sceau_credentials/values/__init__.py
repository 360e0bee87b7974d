"""Values that documents are made of: JSON text, timestamps, IRIs, vocabularies."""
