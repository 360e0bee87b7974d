"""Each test has a database of its own, at the newest schema, on both engines."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine, make_url, text

from app.db.engine.schema import SchemaState, schema_state


def test_a_fresh_database_stands_at_the_newest_revision(engine: Engine):
    assert schema_state(engine) is SchemaState.CURRENT


def test_one_test_leaves_nothing_to_the_next(engine: Engine):
    # Whichever of these two runs second would fail on a shared database.
    _leave_a_mark(engine)


def test_one_test_finds_nothing_of_the_one_before(engine: Engine):
    _leave_a_mark(engine)


def _leave_a_mark(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE left_behind (id integer)"))


def test_an_empty_database_has_no_table(empty_postgres_url: str):
    engine = create_engine(empty_postgres_url)
    assert make_url(empty_postgres_url).database.startswith("sceau_test_")
    assert schema_state(engine) is SchemaState.OLDER
    engine.dispose()
