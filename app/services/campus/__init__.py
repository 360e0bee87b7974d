"""Use cases: settings, team, keys, dashboard."""
