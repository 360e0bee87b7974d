"""Composition of the services, by subject."""
