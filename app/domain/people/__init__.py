"""Rows and rules: records, names, addresses, merging, disambiguation."""
