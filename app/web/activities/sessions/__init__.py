"""Pages of the sessions of a series."""
