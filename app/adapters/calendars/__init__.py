"""iCalendar files: reading, events, recurrences."""
