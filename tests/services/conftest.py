"""The house on both databases: what a service promises holds on each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.adapters.folders.log_files import WitnessFolder
from tests.support.house import House, build_house


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    built = build_house(database_url, tmp_path)
    yield built
    built.close()


@pytest.fixture
def witness(tmp_path: Path) -> WitnessFolder:
    """Somebody outside the house, with a key of their own."""
    folder = WitnessFolder(tmp_path / "witness")
    folder.make_key("temoin.exemple.fr")
    return folder
