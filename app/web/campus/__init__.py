"""Pages: settings, team, keys, dashboard."""
