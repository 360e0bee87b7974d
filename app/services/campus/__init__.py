"""Use cases: settings, team, keys, desk."""
