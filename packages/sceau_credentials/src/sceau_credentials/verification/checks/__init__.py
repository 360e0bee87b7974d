"""One function for each question asked of a credential: a check answers, it does not throw."""
