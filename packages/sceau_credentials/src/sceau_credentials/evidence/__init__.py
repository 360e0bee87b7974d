"""Evidence of an award, proved by the campus's activity log, disclosed as far as the learner allows."""
