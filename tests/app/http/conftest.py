"""These tests go through the whole house."""

from tests.support.app import app

__all__ = ["app"]
