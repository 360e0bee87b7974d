"""Each test has its own database at the latest revision, on both engines."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine, make_url, text

from app.container import process
from app.db.engine.schema import SchemaState, schema_state
from app.db.engine.session import open_engine
from tests.support.databases.engines import as_owner


def test_a_fresh_database_is_at_the_latest_revision(engine: Engine):
    assert schema_state(engine) is SchemaState.CURRENT


def test_a_table_created_here_is_not_in_another_test(engine: Engine):
    # On a shared database, the second of these two tests would fail.
    _leave_a_mark(engine)


def test_the_same_table_can_be_created_here(engine: Engine):
    _leave_a_mark(engine)


def _leave_a_mark(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE left_behind (id integer)"))


def test_an_empty_database_has_no_table(empty_postgres_url: str):
    engine = create_engine(empty_postgres_url)
    assert make_url(empty_postgres_url).database.startswith("sceau_test_")
    assert schema_state(engine) is SchemaState.OLDER
    engine.dispose()


def test_the_next_engine_reuses_a_closed_connection_of_the_application(postgres_url: str):
    assert _pid_of(postgres_url) == _pid_of(postgres_url)


def test_the_application_never_reuses_a_connection_of_the_owner(postgres_url: str):
    engine = open_engine(as_owner(postgres_url))
    assert _pid_of(postgres_url) != _pid(engine)


def _pid_of(url: str) -> int:
    return _pid(process.open_engine(url))


def _pid(engine: Engine) -> int:
    with engine.connect() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    engine.dispose()
    return int(pid)
