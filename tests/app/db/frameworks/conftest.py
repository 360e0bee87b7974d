"""The service on both databases: searches and bulk writes are written for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.house import House, build_house


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    built = build_house(database_url, tmp_path)
    yield built
    built.close()
