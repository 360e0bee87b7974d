"""Everything outside the process except the database."""
