"""Public documents, and the API of programs."""
