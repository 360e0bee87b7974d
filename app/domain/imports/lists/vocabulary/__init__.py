"""The vocabulary of lists: names, addresses, headings, remarks."""
