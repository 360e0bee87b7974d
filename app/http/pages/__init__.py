"""Pages and forms: rendering, locale, typography and shared labels."""
