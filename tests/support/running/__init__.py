"""How tests are run: cases, number of examples, order of files."""
