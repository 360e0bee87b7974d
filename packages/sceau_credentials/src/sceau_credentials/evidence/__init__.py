"""What an award rests on, proved by the campus's activity log, disclosed as far as the learner wishes."""
