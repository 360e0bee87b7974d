"""Tests of the command-line face."""
