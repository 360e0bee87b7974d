"""The time as a parameter: rules and services are told the moment, they never look."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
"""Gives the present moment: aware, UTC, to the second."""
