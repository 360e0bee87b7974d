"""Open Badges 2.0 and 1.x: read, checked and rendered."""
