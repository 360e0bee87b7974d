"""Shared test helpers: builders, fakes of ports, and published data if present."""
