"""Is this credential genuine, and still good? Checks, in order, that add up to a report."""
