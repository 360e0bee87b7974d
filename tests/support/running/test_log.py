"""Tests log as in production."""

from __future__ import annotations

import pytest
import structlog


def test_a_traceback_is_logged_without_variables(capsys: pytest.CaptureFixture[str]):
    variable = "of this frame"
    try:
        raise ZeroDivisionError(variable)
    except ZeroDivisionError:
        structlog.get_logger("test").exception("it failed")
    shown = capsys.readouterr().out
    assert "it failed" in shown
    assert "ZeroDivisionError" in shown
    assert variable not in shown
