"""Both kinds of door to the same house: a program without any token, and one that may do everything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile

import pytest
from fastapi.testclient import TestClient

from tests.app.api import clients
from tests.support.app import App, build_app


@pytest.fixture(scope="module")
def app(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """One house for all tests of a file: each gives awards to somebody new, and counts on nobody else's."""
    folder = tmp_path_factory.mktemp("app")
    (database := folder / "database").mkdir()
    copyfile(migrated_sqlite, database / "sceau.sqlite")
    built = build_app(f"sqlite:///{database / 'sceau.sqlite'}", folder)
    yield built
    built.close()


@pytest.fixture(scope="module")
def world(app: App) -> TestClient:
    return clients.anybody(app)


@pytest.fixture(scope="module")
def program(app: App) -> TestClient:
    return clients.program(app)
