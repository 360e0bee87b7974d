"""The service on both databases: searches and bulk writes are written for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.app import App, build_app


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[App]:
    built = build_app(database_url, tmp_path)
    yield built
    built.close()
