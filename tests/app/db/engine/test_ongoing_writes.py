"""Many rows on their way to PostgreSQL while the work goes on: nothing is said to be kept that is not."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, func, select

from app.db.engine.session import open_engine, open_session
from app.db.engine.writes import insert_rows, insert_unless_there, update_rows
from app.domain.core import new_row
from app.domain.people import Membership, Person, Role
from tests.support.app import NOON
from tests.support.databases.engines import as_owner

pytestmark = pytest.mark.postgres
MANY = 1_000
"""As many as go in one command."""


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    engine = open_engine(as_owner(postgres_url))  # PostgreSQL copies nothing into walled tables
    yield engine
    engine.dispose()


def people(count: int, **more: object) -> list[Person]:
    return [new_row(Person, family_name=f"Nom{number}", created_at=NOON, **more) for number in range(count)]


def counted(session: Session) -> int:
    return session.exec(select(func.count()).select_from(Person)).one()


def nobodys() -> list[Membership]:
    """Of people and a campus that there are not."""
    return [
        new_row(Membership, person_id=uuid.uuid4(), campus_id=uuid.uuid4(), role=Role.TRAINER, since=NOON)
        for _ in range(MANY)
    ]


def test_the_next_question_finds_all_of_them(engine: Engine):
    with open_session(engine) as session, session.begin():
        insert_rows(session, people(MANY))
        assert counted(session) == MANY
        insert_rows(session, people(MANY))
        insert_rows(session, people(MANY))
    with open_session(engine) as session:
        assert counted(session) == 3 * MANY


def test_rows_that_break_a_rule_are_reported_by_the_next_question(engine: Engine):
    with open_session(engine) as session:
        insert_rows(session, nobodys())
        with pytest.raises(IntegrityError):
            counted(session)


def test_rows_that_break_a_rule_are_reported_by_the_commit_and_nothing_is_kept(engine: Engine):
    with open_session(engine) as session:
        insert_rows(session, people(MANY))
        insert_rows(session, nobodys())
        with pytest.raises(IntegrityError):
            session.commit()
    with open_session(engine) as session:
        assert counted(session) == 0


def test_whoever_gives_up_meanwhile_leaves_a_connection_that_serves(engine: Engine):
    for _ in range(20):
        with open_session(engine) as session:
            insert_rows(session, nobodys())
            session.rollback()
            insert_rows(session, people(MANY))
    with open_session(engine) as session:
        assert counted(session) == 0


def test_a_value_that_cannot_be_written_ends_it_for_all(engine: Engine):
    with open_session(engine) as session:
        insert_rows(session, people(MANY, given_name="une fin \x00 au milieu"))
        with pytest.raises(Exception, match=r"0x00"):
            session.commit()
    with open_session(engine) as session:
        assert counted(session) == 0


def test_writes_follow_each_other_in_the_order_they_were_given(engine: Engine):
    some = people(MANY)
    changes = [{"id": person.id, "given_name": "Zoé"} for person in some]
    with open_session(engine) as session, session.begin():
        insert_rows(session, some)
        update_rows(session, Person, ("id",), changes)
        insert_unless_there(session, some, "id")
    with open_session(engine) as session:
        assert set(session.exec(select(Person.given_name))) == {"Zoé"}
        assert counted(session) == MANY


def test_a_change_that_breaks_a_rule_is_reported_by_the_commit_and_nothing_is_kept(engine: Engine):
    some = people(MANY)
    with open_session(engine) as session:
        insert_rows(session, some)
        update_rows(session, Person, ("id",), [{"id": each.id, "created_at": None} for each in some])
        insert_rows(session, people(MANY))
        with pytest.raises(IntegrityError):
            session.commit()
    with open_session(engine) as session:
        assert counted(session) == 0
