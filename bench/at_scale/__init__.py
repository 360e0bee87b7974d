"""Benchmarks on very many rows."""
