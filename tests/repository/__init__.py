"""What is tested of the repository itself: its shape, its words, its packages and its documents."""
