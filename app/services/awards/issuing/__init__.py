"""Issue awards: eligibility, evidence, signing, storing."""
