"""Ends event streams after one message; their content is tested elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.http.pages import render
from app.web.activities import check_in


@pytest.fixture(autouse=True, scope="module")
def short_streams() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr(render, "VERSIONS", 1)
    patch.setattr(render, "VERSION_EVERY", 0)
    patch.setattr(check_in, "LOOKS", 1)
    patch.setattr(check_in, "LOOK_EVERY", 0)
    yield
    patch.undo()
