"""Configures the log in tests as in production.

By default, structlog renders each traceback with the variables of all frames, which takes a third of a second.
"""

from __future__ import annotations

import pytest
import structlog

from app.http.request_log import _format_exception, _on_a_terminal


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    # A test that configures the log itself resets it at its end.
    if not structlog.is_configured():
        structlog.configure(
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                _format_exception,
                _on_a_terminal,
            ]
        )
