"""Pages that deliver awards: letters, slips, claim codes, projection."""
