"""Tests that hold for every operation of the API."""
