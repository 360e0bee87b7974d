"""Personal data: what is stored of whom, for how long, with which consent, and how it is erased."""
