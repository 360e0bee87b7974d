"""These tests go through the whole house."""

from tests.support.house import house

__all__ = ["house"]
