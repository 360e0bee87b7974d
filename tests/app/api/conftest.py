"""Two clients of one application: a program without a token, and one with every scope."""

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
    """One application for all tests of a file: each awards to new people, and does not rely on those of others."""
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
