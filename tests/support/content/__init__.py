"""What tests put into a house: networks, awards by the thousand, people with a row in every table."""
