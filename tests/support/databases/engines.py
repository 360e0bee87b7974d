"""A fresh, migrated database for each test, on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4
from zlib import crc32

import psycopg
import pytest
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

from app.db.engine import session
from app.db.engine.session import open_engine
from tests.support.databases.postgres import URL_VARIABLE, answers, server_url
from tests.support.running.examples import in_turn

ROLE = "sceau_test_app"
ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
on_postgres = pytest.mark.parametrize("app_url", ENGINES[1:], indirect=True)
SERVICES = Path(__file__).parents[2] / "app" / "services"
SUBJECTS_ON_BOTH = {"activity_log", "reports"}
"""They use triggers and handwritten counting queries."""


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database at the latest revision, migrated once per worker and copied for each test."""
    path = tmp_path_factory.mktemp("migrated") / "sceau.sqlite"
    session.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session", autouse=True)
def commits_that_wait_for_no_disk() -> Iterator[None]:
    """Only in this process: servers and commands started by tests keep durable commits."""

    def open_quickly(url: str) -> Engine:
        global opened
        opened += 1
        engine = open_engine(url)
        if make_url(url).username == ROLE:
            _reuse_connections(engine)
        return engine

    def check(engine: Engine) -> None:
        if engine.url.username != ROLE:
            session.check_durable(engine)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.container.process.open_engine", open_quickly)
        patch.setattr("app.container.process.check_durable", check)
        yield


opened = 0
"""Number of engines opened by the application."""


def _reuse_connections(engine: Engine) -> None:
    """Reuse closed connections in the next test's engine: a new connection has empty catalogue and statement caches."""
    # `pool._dialect` belongs to this engine alone; `engine.dialect` is shared.
    own: Any = engine.pool._dialect
    event.listen(own, "do_connect", _open)
    own.do_close = _close


def _open(_dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    idle = _idle[options["dbname"]]
    while idle:
        connection = idle.pop()
        with suppress(psycopg.Error):
            connection.execute("RESET ALL")
            connection.execute("SELECT pg_advisory_unlock_all()")
            connection.commit()
            return connection
    return psycopg.connect(*arguments, **options, options="-c synchronous_commit=off")


def _close(connection: Any) -> None:
    with suppress(psycopg.Error):
        connection.rollback()
    if connection.closed or connection.info.user != ROLE:
        connection.close()
    else:
        _idle[connection.info.dbname].append(connection)


_idle: defaultdict[str, list[Any]] = defaultdict(list)
"""Idle connections of the application, by database."""


@pytest.fixture(scope="session")
def postgres_server() -> str:
    url = server_url()
    if not answers(url):
        pytest.skip(f"no PostgreSQL answers; set {URL_VARIABLE}, or install Debian's package postgresql")
    return url


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[str]:
    """The name of the template database that is copied for each test."""
    role = restricted_role(postgres_server)
    with _temporary_database(postgres_server) as name:
        session.upgrade(_url_of(postgres_server, name), granted_to=role)
        with autocommitting(_url_of(postgres_server, name)) as connection:
            # Autovacuum would move rows that a later test expects in order.
            for table in _tables(connection):
                connection.exec_driver_sql(f'ALTER TABLE "{table}" SET (autovacuum_enabled = off)')
        yield name
        for spare in _spare.pop(name, []):
            spare.drop()


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    # In a subfolder, because a key-encryption key beside the database is refused.
    (folder := tmp_path / "database").mkdir()
    return f"sqlite:///{shutil.copyfile(migrated_sqlite, folder / 'sceau.sqlite')}"


@pytest.fixture
def postgres_url(postgres_server: str, migrated_postgres: str) -> Iterator[str]:
    """Connects as the application role, subject to row-level security; only the table owner bypasses it."""
    with temporary_walled(postgres_server, migrated_postgres) as url:
        yield url


@contextmanager
def temporary_walled(server: str, template: str) -> Iterator[str]:
    """A copy of the template: reused from an earlier test, or new."""
    database = _spare[template].pop() if _spare[template] else _Reused(server, template)
    try:
        yield as_application(database.url)
    finally:
        if database.is_clean():
            _spare[template].append(database)
        else:
            database.drop()


def as_application(url: str) -> str:
    """The same database as the application role, with row-level security."""
    return make_url(url).set(username=ROLE, password=ROLE).render_as_string(hide_password=False)


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """A database without tables, for tests of migrations."""
    with _temporary_database(postgres_server) as name:
        yield _url_of(postgres_server, name)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests with `database_url` or marked `both_engines` on both engines; else `app` is on SQLite.

    The mark is for handwritten SQL, locks, triggers and concurrent clients. Of the other tests of services, half run
    on each engine, so that every subject is also tested with the row-level security of PostgreSQL.
    """
    test = metafunc.definition
    is_of_services = SERVICES in test.path.parents
    is_on_both = test.get_closest_marker("both_engines") or test.path.parent.name in SUBJECTS_ON_BOTH
    on_both_or_in_turn = ENGINES if is_on_both else in_turn(ENGINES, crc32(test.name.encode()))
    if "database_url" in metafunc.fixturenames:
        metafunc.parametrize("database_url", on_both_or_in_turn if is_of_services else ENGINES, indirect=True)
    is_named = any(mark.args[0] == "app_url" for mark in test.iter_markers("parametrize"))
    is_marked = is_of_services or test.get_closest_marker("both_engines")
    if "app_url" in metafunc.fixturenames and is_marked and not is_named:
        metafunc.parametrize("app_url", on_both_or_in_turn, indirect=True)


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def app_url(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(f"{getattr(request, 'param', 'sqlite')}_url")


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Connects as the table owner, who sees all rows."""
    engine = open_engine(as_owner(database_url))
    yield engine
    engine.dispose()


def as_owner(url: str) -> str:
    """The same database as the table owner, who migrates it."""
    if not url.startswith("postgresql"):
        return url
    return _url_of(server_url(), str(make_url(url).database))


def restricted_role(server: str) -> str:
    """Create the role if the server does not have it yet; safe to call concurrently."""
    with autocommitting(server) as connection:
        connection.exec_driver_sql(
            f"DO $$ BEGIN CREATE ROLE {ROLE} LOGIN PASSWORD '{ROLE}'; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
    return ROLE


class _Reused:
    """A copy of the template, reused by successive tests: each copy takes a quarter of a second."""

    TESTS = 50
    """After this number, scanning dead rows takes longer than making a new copy."""

    def __init__(self, server: str, template: str) -> None:
        self.server, self.name = server, f"sceau_test_{uuid4().hex}"
        with autocommitting(server) as connection:
            connection.exec_driver_sql(f'CREATE DATABASE "{self.name}" TEMPLATE "{template}"')
        self.url = _url_of(server, self.name)
        # Pre-ping: a test may have closed all connections, and making a copy terminates them.
        _owners[self.url] = create_engine(self.url, isolation_level="AUTOCOMMIT", pool_pre_ping=True)
        self.tests = 0
        with autocommitting(self.url) as connection:
            self.at_first = PostgresRows.of(connection)
            self.schema = _schema(connection)

    def is_clean(self) -> bool:
        """Restore the template's rows; False if the test changed the schema, or after the last reuse."""
        self.tests += 1
        if self.tests == self.TESTS:
            return False
        with autocommitting(self.url) as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> ALL (%s)",
                ([idle.info.backend_pid for idle in _idle[self.name] if not idle.closed],),
            )
            if _schema(connection) != self.schema:
                return False
            self.at_first.put(connection)
        return True

    def drop(self) -> None:
        _owners.pop(self.url).dispose()
        for idle in _idle.pop(self.name, []):
            idle.close()
        with autocommitting(self.server) as connection:
            connection.exec_driver_sql(f'DROP DATABASE "{self.name}" WITH (FORCE)')


_spare: defaultdict[str, list[_Reused]] = defaultdict(list)
"""Copies not in use by a test of this worker, by template."""


class PostgresRows:
    """A snapshot of the rows of all tables and the values of all sequences, to be restored later."""

    def __init__(self, rows: dict[str, bytes], numbers: Sequence[tuple[str, int | None]]) -> None:
        self._rows, self._numbers = rows, numbers

    @staticmethod
    def of(connection: Connection) -> PostgresRows:
        cursor, rows = _driver_of(connection).cursor(), {}
        for table in _tables(connection, with_pages=True):
            with cursor.copy(f'COPY "{table}" TO STDOUT') as out:
                rows[table] = b"".join(out)
        numbers = connection.exec_driver_sql("SELECT sequencename::text, last_value FROM pg_sequences").all()
        return PostgresRows(rows, [(name, last) for name, last in numbers])

    def put(self, connection: Connection) -> None:
        """`connection` is in autocommit mode. Triggers and foreign keys are disabled: the rows are consistent."""
        tables = dict.fromkeys([*_tables(connection, with_pages=True), *self._rows])
        deleted = "".join(f'DELETE FROM "{table}"; ' for table in tables)
        driver = _driver_of(connection)
        with driver.transaction():
            cursor = driver.cursor()
            cursor.execute(f"SET LOCAL session_replication_role = replica; {deleted}")
            for table, rows in self._rows.items():
                with cursor.copy(f'COPY "{table}" FROM STDIN') as into:
                    into.write(rows)
            for name, last in self._numbers:
                cursor.execute("SELECT setval(%s::regclass, %s, %s)", (name, last or 1, last is not None))


def _driver_of(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _tables(connection: Connection, *, with_pages: bool = False) -> list[str]:
    """All tables, or only those with allocated pages."""
    pages = " AND pg_relation_size(oid) > 0" if with_pages else ""
    found = connection.exec_driver_sql(
        f"SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace{pages}"
    )
    return list(found.scalars())


_CATALOGS = {
    "pg_attrdef": "oid", "pg_attribute": "attrelid", "pg_class": "oid", "pg_constraint": "oid", "pg_description": "objoid",
    "pg_index": "indrelid", "pg_namespace": "oid", "pg_policy": "oid", "pg_proc": "oid", "pg_trigger": "oid", "pg_type": "oid",
}  # fmt: skip
"""Catalogues that describe the schema, with the OID column that separates user objects (from 16384) from system objects."""


def _schema(connection: Connection) -> object:
    """A fingerprint that changes with any change of tables, triggers, policies or grants."""
    found = (
        f"SELECT count(*), sum(xmin::text::bigint) FROM {catalog} WHERE {number} >= 16384"
        for catalog, number in _CATALOGS.items()
    )
    settings = (
        "SELECT count(*), NULL FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase "
        "WHERE d.datname = current_database()"
    )
    return connection.exec_driver_sql(" UNION ALL ".join([*found, settings])).all()


@contextmanager
def autocommitting(url: str) -> Iterator[Connection]:
    """An autocommit connection as the table owner; pooled for reused databases."""
    kept = _owners.get(url)
    engine = kept or create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        if kept is None:
            engine.dispose()


_owners: dict[str, Engine] = {}
"""By URL of a reused database: a new connection would load the catalogue again."""


@contextmanager
def _temporary_database(server: str) -> Iterator[str]:
    name = f"sceau_test_{uuid4().hex}"
    with autocommitting(server) as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    try:
        yield name
    finally:
        with autocommitting(server) as connection:
            connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')


def _url_of(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)
