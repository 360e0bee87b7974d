"""What every subject's rules build on: clock, column types, text, tables."""
