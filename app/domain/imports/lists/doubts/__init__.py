"""What is doubtful in the people of a list, and what speaks for them."""
