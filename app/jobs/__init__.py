"""The face nobody sees: what happens without anyone asking."""
