"""Pages: badges, their versions and rules."""
