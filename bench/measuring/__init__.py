"""Timing, targets, and the contenders that several benchmarks share."""
