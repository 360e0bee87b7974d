"""Every table is registered as personal or impersonal; erasure removes personal data."""

from __future__ import annotations

from sqlalchemy import Table

from app.db.engine.row_level_security import METADATA
from app.domain.accounts.sign_in import Wish, mailbox_token
from app.domain.people.personal_data import HELD, IMPERSONAL
from tests.support.app import App
from tests.support.content.somebody import everything, fill, mark_of
from tests.support.running.every import for_each

TABLES = METADATA.sorted_tables
HOW = (
    "{name} is a new table: say in app/domain/people/personal_data.py what it holds. About people: a line in HELD, with the "
    "column that leads to the person, or to a row that is about them; then it is in their archive and goes with their "
    "erasure. Otherwise: a line in IMPERSONAL, with the reason in a few words."
)
WHO = (
    "{name}.{column} points to a person: in app/domain/people/personal_data.py it is a link of HELD (the row is about them) or "
    "one of its mentions (they acted on a row about somebody else; then it may be empty)."
)


@for_each("table", TABLES, ids=lambda table: table.name)
def test_each_table_is_registered_as_personal_or_impersonal(table: Table) -> None:
    assert (table.name in HELD) + (table.name in IMPERSONAL) == 1, HOW.format(name=table.name)


@for_each("table", TABLES, ids=lambda table: table.name)
def test_each_reference_to_a_person_is_registered(table: Table) -> None:
    held = HELD.get(table.name)
    known = {*(link.column for link in held.links), *held.mentions} if held else set()
    pointing = {
        column.name
        for column in table.columns
        if any(key.column.table.name == "person" for key in column.foreign_keys)
    }
    for column in pointing:
        assert column in known, WHO.format(name=table.name, column=column)
    for column in held.mentions if held else ():
        assert table.c[column].nullable, WHO.format(name=table.name, column=column)


def test_register_names_only_existing_tables_and_columns() -> None:
    assert set(HELD) | set(IMPERSONAL) == {table.name for table in TABLES}
    for name, held in HELD.items():
        columns = {
            *(link.column for link in held.links),
            *held.mentions,
            *held.kept_back,
            *held.written_as,
            *held.signed_as,
        }
        assert columns <= set(METADATA.tables[name].columns.keys())
        assert all(link.to in METADATA.tables[link.table].c for link in held.links)


def test_erasure_removes_personal_data_from_every_table(app: App) -> None:
    """Reads the table definitions: a new table is tested as soon as it is registered."""
    person_id, made = fill(app)
    with app.owner.begin() as connection:
        # Erasure refuses a person with a role: these roles ended.
        for name in ("membership", "operator", "network_administrator"):
            connection.execute(
                METADATA.tables[name].delete().where(METADATA.tables[name].c.person_id == person_id)
            )
    marks = {
        mark_of(column).encode(): f"{table}.{column.name}"
        for table, row in made.items()
        for column in METADATA.tables[table].columns
        if mark_of(column).encode() in str(row[column.name]).encode()
        # The history keeps the action, without its facts.
        and not (table == "history_entry" and column.name in ("action", "noun"))
    }
    assert len(marks) > 60
    assert {name for name, content in everything(app) for mark in marks if mark in content}
    with app.unit_of_work() as services:
        assert app.campus.id in {each.id for each in services.erasures.foresee(person_id).campuses}
        award_id, secret = made["award"]["id"], app.process.secret
        services.erasures.confirm(mailbox_token(secret, award_id, app.clock.now, Wish.ERASURE_EVERYWHERE))
    left = {
        f"{where}: {marks[mark]}" for where, content in everything(app) for mark in marks if mark in content
    }
    assert left == set()
