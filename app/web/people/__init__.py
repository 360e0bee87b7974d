"""Pages: records, names, addresses, merging, disambiguation."""
