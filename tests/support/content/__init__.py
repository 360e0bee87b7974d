"""Content for the app under test: networks, thousands of awards, people with a row in every table."""
