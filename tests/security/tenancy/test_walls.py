"""With PostgreSQL row-level security, a query without a campus filter reads and changes no foreign row (T01).

The tests insert a row of two campuses into every table of the metadata, so new tables are covered automatically.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Engine,
    Enum,
    Integer,
    LargeBinary,
    Table,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session

from app.container import Process
from app.db.awards import AwardEvidenceStore, AwardStore
from app.db.engine import row_level_security as walls
from app.db.engine.row_level_security import METADATA, TenantScope, rows_named
from app.db.engine.session import open_engine, open_session
from app.db.trust import EndorsementStore
from app.domain.awards import Visibility
from app.settings import Settings
from tests.support.databases.engines import as_application, as_owner, restricted_role, temporary_walled
from tests.support.running.every import for_each

pytestmark = pytest.mark.postgres
WALLED = [table.name for table in walls.walled()]
HERE, THERE = "here", "there"
Rows = dict[str, dict[str, dict[str, Any]]]
"""By campus and table: the columns of one row. The award of « here » is open, that of « there » closed."""
OF_AN_AWARD = {
    "award",
    "award_evidence",
    "endorsement",
    "evidence_disclosure",
    "newer_credential",
    "peer_recommendation",
    "signed_credential",
}
"""Tables that are public only for open awards."""


OF_TWO = {
    "definition_adoption": ("badge_id", "shared_badge_id"),
}
"""Columns left empty, because a row refers to one of several things."""


@pytest.fixture(scope="module")
def filled(migrated_postgres: str, postgres_server: str) -> Iterator[tuple[str, Rows]]:
    """A database with one row of each campus in every table, and its URL for the restricted role."""
    with temporary_walled(postgres_server, migrated_postgres) as url:
        owner = open_engine(as_owner(url))
        with owner.begin() as connection:
            # Foreign keys to tables without a campus have no target row.
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            rows = {
                HERE: made_rows(connection, visibility=Visibility.OPEN),
                THERE: made_rows(connection, visibility=Visibility.CLOSED),
            }
        owner.dispose()
        yield url, rows


def made_rows(connection: Connection, *, visibility: Visibility) -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {}
    for table in METADATA.sorted_tables:
        if table.name in walls.SHARED:
            continue
        row = {column.name: value_of(column, made) for column in table.columns}
        made[table.name] = {name: value for name, value in row.items() if value is not None}
        if table.name == "award":
            made[table.name]["visibility"] = visibility
        if table.name in ("peer_recommendation", "activity_campus"):
            made[table.name]["accepted_at"] = datetime(2026, 11, 24, tzinfo=UTC)
        if table.name == "external_id":
            made[table.name]["kind"] = "activity"
        for without in OF_TWO.get(table.name, ()):
            made[table.name].pop(without, None)
        connection.execute(insert(table).values(made[table.name]))
    return made


def value_of(column: Column[Any], made: dict[str, dict[str, Any]]) -> Any:
    for key in column.foreign_keys:
        above = key.column
        if above.table.name in made:
            return made[above.table.name][above.name]
    if column.autoincrement is True or (column.primary_key and column.name == "id" and _is_number(column)):
        return int(uuid.uuid4().int % 1_000_000)
    form = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    if isinstance(form, Enum):
        return form.enums[0]
    if isinstance(form, JSON):
        return {}
    kind = bytes if isinstance(form, LargeBinary) else form.python_type
    if column.nullable and column.name != "campus_id":
        return None
    return {
        uuid.UUID: uuid.uuid4(), str: uuid.uuid4().hex[: min(8, getattr(form, "length", None) or 8)], int: 1, bool: False, float: 1.0, bytes: b"x",
        datetime: datetime(2026, 11, 24, tzinfo=UTC), date: date(2026, 11, 24),
    }[kind]  # fmt: skip


def _is_number(column: Column[Any]) -> bool:
    return isinstance(column.type, Integer)


def key_of(table: Table, row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in table.primary_key)


@pytest.fixture
def engine(filled: tuple[str, Rows]) -> Iterator[Engine]:
    engine = open_engine(filled[0])
    yield engine
    engine.dispose()


@pytest.fixture
def rows(filled: tuple[str, Rows]) -> Rows:
    return filled[1]


@pytest.fixture
def here(engine: Engine, rows: Rows) -> Iterator[Session]:
    """A transaction of campus « here », rolled back at the end."""
    with open_session(engine) as session:
        TenantScope(session).enter(rows[HERE]["campus"]["id"])
        yield session
        session.rollback()


def keys_seen(session: Session, table: Table) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in session.execute(select(*table.primary_key))]


def test_every_table_has_policies_or_is_listed_as_shared(engine: Engine):
    query = text(
        "SELECT relname FROM pg_class WHERE relrowsecurity AND relnamespace = 'public'::regnamespace"
    )
    with engine.connect() as connection:
        assert set(connection.execute(query).scalars()) == set(WALLED)
    assert set(walls.SHARED) - {"alembic_version"} <= set(METADATA.tables)
    assert set(WALLED) >= walls.OPEN
    assert set(METADATA.tables) >= walls.APPENDED - {"alembic_version"}


@for_each("name", WALLED)
def test_a_query_without_a_filter_returns_rows_of_the_current_campus(name: str, here: Session, rows: Rows):
    table = METADATA.tables[name]
    expected = [key_of(table, rows[HERE][name])]
    if name in ("campus", "person_merge"):
        # Each campus sees merges of a person known to several campuses. The list of campuses is public.
        expected.append(key_of(table, rows[THERE][name]))
    assert sorted(keys_seen(here, table)) == sorted(expected)


@pytest.mark.parametrize("name", WALLED)
def test_an_update_or_delete_without_a_filter_changes_no_foreign_row(name: str, here: Session, rows: Rows):
    table = METADATA.tables[name]
    column = next(iter(table.columns))
    for statement in (update(table).values({column.name: column}), delete(table)):
        if name in walls.APPENDED:
            with pytest.raises(ProgrammingError, match="permission denied"), here.begin_nested():
                here.execute(statement)
            continue
        # A foreign key or a trigger may prevent deletion.
        with suppress(IntegrityError), here.begin_nested():
            changed = here.execute(statement.returning(*table.primary_key)).all()
            assert changed == [key_of(table, rows[HERE][name])]


@pytest.mark.parametrize("name", [name for name in WALLED if name != "activity"])
def test_rows_of_another_campus_cannot_be_inserted(name: str, here: Session, rows: Rows):
    table, foreign = METADATA.tables[name], rows[THERE][name]
    if name == "activity_campus":
        foreign = {**foreign, "campus_id": rows[HERE]["campus"]["id"]}
    with pytest.raises(ProgrammingError, match="row-level security"), here.begin_nested():
        here.execute(insert(table).inline().values(foreign))


@pytest.mark.parametrize("is_bypassed", [True, False])
def test_scope_is_restored_after_a_query_across_campuses(is_bypassed: bool, engine: Engine, rows: Rows):
    here, there = (rows[side]["campus"]["id"] for side in (HERE, THERE))
    with open_session(engine) as session:
        scope, table = TenantScope(session), METADATA.tables["participation"]
        if is_bypassed:
            scope.bypass()
        else:
            scope.enter(here)
        before = keys_seen(session, table)
        for reach in (scope.leave, scope.bypass, lambda: scope.enter(there), lambda: None):
            with scope.across_campuses():
                assert len(keys_seen(session, table)) == 2
                with rows_named(session):
                    pass
                assert len(keys_seen(session, table)) == 2
                reach()
            assert keys_seen(session, table) == before
            assert len(before) == (2 if is_bypassed else 1)
        session.rollback()


@for_each("name", WALLED)
def test_without_a_campus_a_transaction_reads_public_rows_and_changes_none(name: str, engine: Engine):
    table = METADATA.tables[name]
    column = next(iter(table.columns))
    with open_session(engine) as session:
        assert len(keys_seen(session, table)) == (
            1 if name in OF_AN_AWARD else 2 if name in walls.OPEN else 0
        )
        if name not in walls.APPENDED:
            assert session.execute(delete(table).returning(column)).all() == []
            assert session.execute(update(table).values({column.name: column}).returning(column)).all() == []
        session.rollback()


def test_tables_that_refer_to_an_award_are_closed_with_it():
    parts = {
        table.name
        for table in METADATA.sorted_tables
        if any(key.column.table.name == "award" for column in table.columns for key in column.foreign_keys)
    }
    assert parts & walls.OPEN == OF_AN_AWARD - {"award"}


@for_each("name", sorted(OF_AN_AWARD))
def test_without_a_campus_closed_awards_are_not_listed(name: str, engine: Engine, rows: Rows):
    table = METADATA.tables[name]
    with open_session(engine) as session:
        assert keys_seen(session, table) == [key_of(table, rows[HERE][name])]


@for_each("name", sorted(OF_AN_AWARD))
def test_without_a_campus_awards_closed_again_are_not_listed(name: str, engine: Engine, rows: Rows):
    table, award = METADATA.tables[name], METADATA.tables["award"]
    with open_session(engine) as session:
        reach = TenantScope(session)
        reach.enter(rows[HERE]["campus"]["id"])
        closing = update(award).where(award.c.id == rows[HERE]["award"]["id"])
        session.execute(closing.values(visibility=Visibility.CLOSED))
        reach.leave()
        assert keys_seen(session, table) == []
        session.rollback()


def test_without_a_campus_only_accepted_recommendations_are_listed(engine: Engine, rows: Rows):
    table = METADATA.tables["peer_recommendation"]
    mine = table.c.id == rows[HERE]["peer_recommendation"]["id"]
    then = datetime(2026, 11, 25, tzinfo=UTC)
    for hidden in (
        {"accepted_at": None},
        {"declined_at": then},
        {"withdrawn_at": then},
        {"set_aside_at": then},
    ):
        with open_session(engine) as session:
            scope = TenantScope(session)
            scope.enter(rows[HERE]["campus"]["id"])
            session.execute(update(table).where(mine).values(**hidden))
            scope.leave()
            assert keys_seen(session, table) == [], hidden
            session.rollback()


def test_without_a_campus_a_closed_award_is_found_by_id(engine: Engine, rows: Rows):
    closed = rows[THERE]["award"]["id"]
    with open_session(engine) as session:
        awards = AwardStore(session)
        found = awards.find(closed)
        assert found is not None
        assert found.visibility is Visibility.CLOSED
        assert awards.document_of(closed).row.award_id == closed
        assert AwardEvidenceStore(session).find(closed) is not None
        assert awards.find_between(closed, closed) == closed
        assert keys_seen(session, METADATA.tables["award"]) == [(rows[HERE]["award"]["id"],)]


def test_awards_of_another_campus_are_not_found_by_id(here: Session, rows: Rows):
    award = rows[THERE]["award"]
    assert AwardStore(here).find(award["id"]) is None
    assert AwardStore(here).find_between(award["id"], award["id"]) is None
    assert AwardStore(here).list_of_person(award["person_id"]) == []
    assert AwardEvidenceStore(here).find(award["id"]) is None
    assert EndorsementStore(here).find(rows[THERE]["endorsement"]["id"]) is None


def test_award_named_returns_one_award_by_id_and_lists_none(engine: Engine, rows: Rows):
    query = text("SELECT id FROM award_named(:number)")
    with engine.connect() as connection:
        for number in (rows[HERE]["award"]["id"], rows[THERE]["award"]["id"]):
            assert connection.execute(query, {"number": number}).scalars().all() == [number]
        for number in (None, uuid.uuid4()):
            assert connection.execute(query, {"number": number}).scalars().all() == []


def test_bypass_reads_rows_of_all_campuses(engine: Engine):
    with open_session(engine) as session:
        TenantScope(session).bypass()
        assert {name: len(keys_seen(session, METADATA.tables[name])) for name in WALLED} == dict.fromkeys(
            WALLED, 2
        )


def test_the_next_transaction_of_a_connection_has_no_scope(engine: Engine, rows: Rows):
    table = METADATA.tables["letter"]
    for reach in (lambda it: it.bypass(), lambda it: it.enter(rows[HERE]["campus"]["id"])):
        with open_session(engine) as session:
            with session.begin():
                reach(TenantScope(session))
                assert keys_seen(session, table)
            with session.begin():
                assert not keys_seen(session, table)


def test_migrate_creates_a_database_with_policies_for_the_application(
    empty_postgres_url: str, postgres_server: str, tmp_path: Path
):
    restricted_role(postgres_server)
    walled = as_application(empty_postgres_url)
    settings = Settings(
        database_url=walled, owner_database_url=empty_postgres_url, development_dir=tmp_path, fetch=False
    )
    process = Process(settings)
    assert not process.is_ready()
    process.migrate()
    assert process.is_ready()
    assert not process.bypasses_policies
    process.engine.dispose()
    owner = Process(settings.model_copy(update={"database_url": empty_postgres_url}))
    assert owner.is_ready()
    assert owner.bypasses_policies
    # Policies of another release: not ready until they are rebuilt.
    with owner.engine.begin() as connection:
        connection.execute(text("COMMENT ON TABLE alembic_version IS 'older'"))
    assert not owner.is_ready()
    owner.migrate()
    assert owner.is_ready()
    owner.engine.dispose()


def test_every_table_with_a_campus_column_has_policies():
    named = {
        table.name
        for table in METADATA.sorted_tables
        if any(key.column.table.name == "campus" for column in table.columns for key in column.foreign_keys)
    }
    assert named
    assert named - set(WALLED) == set()


@for_each("name", ["signing_key", "log_payload", "consent", "person_merge"])
def test_without_a_campus_secrets_and_personal_rows_are_not_read(name: str, engine: Engine):
    assert name not in walls.OPEN
    with open_session(engine) as session:
        assert keys_seen(session, METADATA.tables[name]) == []


def test_published_keys_do_not_contain_the_private_key(engine: Engine):
    with open_session(engine) as session:
        read = session.execute(text("SELECT * FROM published_key")).mappings().all()
    assert all("sealed" not in row for row in read)


def test_rows_named_restores_the_scope(engine: Engine, rows: Rows):
    table = METADATA.tables["letter"]
    with open_session(engine) as session:
        for enter, seen in ((lambda it: it.leave(), 0), (lambda it: it.enter(rows[HERE]["campus"]["id"]), 1)):
            enter(TenantScope(session))
            with rows_named(session):
                assert len(keys_seen(session, table)) == 2
            assert len(keys_seen(session, table)) == seen
