"""What people do with the campus, on both databases."""
