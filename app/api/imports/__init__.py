"""Lists and tables, for programs."""
