"""Queries: records, names, addresses, merging, disambiguation."""
