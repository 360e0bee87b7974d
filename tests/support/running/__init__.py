"""How tests are run: over many cases, on which engine, in which order."""
