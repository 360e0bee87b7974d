"""Pages: settings, team, keys, desk."""
