"""The golden set: what the service answers, signs, sends and prints, at a fixed clock and with fixed randomness."""
