"""The campus's nouns as rows, and the rules on them. No session, no clock, no network."""
