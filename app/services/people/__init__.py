"""Use cases: records, names, addresses, merging, disambiguation."""
