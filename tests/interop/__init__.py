"""Other people's implementations, held against ours in both directions."""
