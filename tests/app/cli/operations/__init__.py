"""Commands that run, watch and repair the service."""
