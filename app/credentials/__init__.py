"""Open Badges 3.0 credentials: build, sign, publish, verify."""
