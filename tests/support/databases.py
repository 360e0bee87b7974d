"""A fresh, migrated database for each test, on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url

from app.db import migrations
from app.db.session import open_engine
from tests.support.postgres import URL_VARIABLE, answers, server_url

ROLE = "sceau_test_app"
ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The newest schema, migrated once by each worker and copied for each test."""
    path = tmp_path_factory.mktemp("migrated") / "sceau.sqlite"
    migrations.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_server() -> str:
    url = server_url()
    if not answers(url):
        pytest.skip(f"no PostgreSQL answers; set {URL_VARIABLE}, or install Debian's package postgresql")
    return url


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[str]:
    """The name of the template database that each test's own database is copied from."""
    role = restricted_role(postgres_server)
    with _temporary_database(postgres_server) as name:
        migrations.upgrade(_url_of(postgres_server, name), granted_to=role)
        yield name


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    # In a folder of its own: a key-encryption key beside the database is refused.
    (folder := tmp_path / "database").mkdir()
    return f"sqlite:///{shutil.copyfile(migrated_sqlite, folder / 'sceau.sqlite')}"


@pytest.fixture
def postgres_url(postgres_server: str, migrated_postgres: str) -> Iterator[str]:
    """As the application connects: behind the walls, which only the owner of the tables stands above."""
    with temporary_walled(postgres_server, migrated_postgres) as url:
        yield url


@contextmanager
def temporary_walled(server: str, template: str) -> Iterator[str]:
    with _temporary_database(server, template=template) as name:
        yield as_application(_url_of(server, name))


def as_application(url: str) -> str:
    """The same database for the application, behind the walls."""
    return make_url(url).set(username=ROLE, password=ROLE).render_as_string(hide_password=False)


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """A database without any table, for the migrations' own tests."""
    with _temporary_database(postgres_server) as name:
        yield _url_of(postgres_server, name)


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest) -> str:
    """Both kinds in turn: what holds on one must hold on the other."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Of the owner, who sees all rows."""
    engine = open_engine(as_owner(database_url))
    yield engine
    engine.dispose()


def as_owner(url: str) -> str:
    """The same database for who migrates it."""
    if not url.startswith("postgresql"):
        return url
    return _url_of(server_url(), str(make_url(url).database))


def restricted_role(server: str) -> str:
    """Made once for the whole server, whoever comes first."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(
            f"DO $$ BEGIN CREATE ROLE {ROLE} LOGIN PASSWORD '{ROLE}'; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
    engine.dispose()
    return ROLE


@contextmanager
def _temporary_database(server: str, *, template: str = "template1") -> Iterator[str]:
    name = f"sceau_test_{uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield name
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
        engine.dispose()


def _url_of(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)
