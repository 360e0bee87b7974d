"""Mutation testing: small faults are put into the library one at a time, and some test must notice each."""
