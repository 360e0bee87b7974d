"""Lists of people in any form: rows are read, people found, and every doubt is stated with its reason."""
