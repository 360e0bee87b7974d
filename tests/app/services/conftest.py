"""The house on both databases where the engine matters, else on one of them; on both in `make test-long`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import pytest

from app.adapters.folders.log_files import WitnessFolder
from tests.support.app import App, build_app
from tests.support.databases.engines import ENGINES
from tests.support.running.examples import in_turn

SUBJECTS_ON_BOTH = {"activity_log", "privacy", "reports"}
"""Triggers, deletions everywhere, and counts written by hand."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Marked `both_engines`: SQL written by hand, locks, triggers, several clients at once.

    Of the others half run on each, so that every subject is seen behind the row-level security of PostgreSQL.
    """
    if "database_url" not in metafunc.fixturenames:
        return
    test = metafunc.definition
    is_on_both = test.get_closest_marker("both_engines") or test.path.parent.name in SUBJECTS_ON_BOTH
    engines = ENGINES if is_on_both else in_turn(ENGINES, crc32(test.name.encode()))
    metafunc.parametrize("database_url", engines, indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[App]:
    built = build_app(database_url, tmp_path)
    yield built
    built.close()


@pytest.fixture
def witness(tmp_path: Path) -> WitnessFolder:
    """Somebody outside the house, with a key of their own."""
    folder = WitnessFolder(tmp_path / "witness")
    folder.make_key("temoin.exemple.fr")
    return folder
