"""Tests of the service, laid out as `app` is."""
