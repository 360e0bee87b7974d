"""Who belongs to a campus, stored: `campus_person`, written by triggers that add and never delete.

A pair of a campus and a person is added by the row that ties them: a participation in an activity that the campus
organises, an award, an identifier of its own system. A row that goes leaves the pair in doubt, and readers then ask
the rows themselves (`is_tied`): two transactions of which one ties the person and the other unties them, neither
seeing the other, cannot lose a pair. Only who was merged into another record is left to the reader. A pair goes with
its person or its campus.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, exists, not_, or_, text, true, tuple_, update
from sqlmodel import col, select

from app.db.engine import triggers
from app.db.engine.queries import Store
from app.db.engine.triggers import Trigger
from app.domain.activities.activities import ActivityCampus, Participation
from app.domain.awards.awards import Award
from app.domain.campus.integration import ExternalId
from app.domain.people.people import CampusPerson
from app.domain.people.record_merge import PersonMerge

PREFIX: Final = "belongs_"


@dataclass(frozen=True)
class _Source:
    """`ties`: the pairs (campus_id, person_id) of one row, `{row}`, by some of its columns.

    `activity_lock`: another table has a part in them. The activity is then locked on PostgreSQL, so that two
    transactions that write one row each of the two tables come one after the other; FOR KEY SHARE, as a reference
    does, or FOR UPDATE.
    """

    table: str
    columns: tuple[str, ...]
    ties: str
    activity_lock: str = ""


_SOURCES: Final = (
    _Source("award", ("campus_id", "person_id"), "SELECT {row}.campus_id, {row}.person_id"),
    _Source(
        "participation",
        ("activity_id", "person_id"),
        "SELECT o.campus_id, {row}.person_id FROM activity_campus o WHERE o.activity_id = {row}.activity_id "
        "AND o.accepted_at IS NOT NULL",
        "FOR KEY SHARE",
    ),
    _Source(
        "activity_campus",
        ("activity_id", "campus_id", "accepted_at"),
        "SELECT {row}.campus_id, q.person_id FROM participation q WHERE q.activity_id = {row}.activity_id "
        "AND {row}.accepted_at IS NOT NULL",
        "FOR UPDATE",
    ),
    _Source(
        "external_id",
        ("campus_id", "person_id"),
        "SELECT {row}.campus_id, {row}.person_id WHERE {row}.person_id IS NOT NULL",
    ),
)
_COLUMNS: Final = "campus_id, person_id, listed_as, created_at, in_doubt"
_COPIED: Final = ("listed_as", "created_at")


def _on_sqlite(source: _Source) -> dict[str, str]:
    def added(row: str) -> str:
        ties = source.ties.format(row=row)
        return (
            f"INSERT OR IGNORE INTO campus_person ({_COLUMNS}) SELECT n.campus_id, n.person_id, p.listed_as, p.created_at, "  # noqa: S608 - names of our own
            f"0 FROM ({_named(ties)}) n JOIN person p ON p.id = n.person_id; "
        )

    def doubted(row: str) -> str:
        ties = _named(source.ties.format(row=row))
        return f"UPDATE campus_person SET in_doubt = 1 WHERE (campus_id, person_id) IN (SELECT * FROM ({ties})); "  # noqa: S608 - the same

    changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in source.columns)
    return {
        "insert": f"AFTER INSERT ON {source.table} BEGIN {added('NEW')}END",
        "delete": f"AFTER DELETE ON {source.table} BEGIN {doubted('OLD')}END",
        "update": f"AFTER UPDATE OF {', '.join(source.columns)} ON {source.table} WHEN {changed} "
        f"BEGIN {added('NEW')}{doubted('OLD')}END",
    }


def _named(ties: str) -> str:
    """Its two columns by name, whatever row they come from."""
    first, rest = ties.removeprefix("SELECT ").split(", ", 1)
    second, _, more = rest.partition(" ")
    return f"SELECT {first} AS campus_id, {second} AS person_id {more}".rstrip()


def _on_postgresql(source: _Source) -> dict[str, str]:
    def tied(rows: str) -> str:
        ties = _named(source.ties.format(row="changed"))
        return f"SELECT DISTINCT t.campus_id, t.person_id FROM ({rows}) changed CROSS JOIN LATERAL ({ties}) t"  # noqa: S608 - names of our own

    def added(rows: str) -> str:
        # The person is locked: their name is not corrected between this reading and its commit. In one order: two
        # transactions that add the same people would otherwise wait for each other.
        return (
            f"INSERT INTO campus_person ({_COLUMNS}) SELECT n.campus_id, n.person_id, p.listed_as, p.created_at, false "  # noqa: S608 - the same
            f"FROM ({tied(rows)}) n JOIN person p ON p.id = n.person_id WHERE NOT EXISTS (SELECT 1 FROM campus_person k "
            "WHERE k.campus_id = n.campus_id AND k.person_id = n.person_id) ORDER BY n.campus_id, n.person_id "
            "FOR SHARE OF p ON CONFLICT DO NOTHING"
        )

    def doubted(rows: str) -> str:
        # A pair in doubt is written too: the statement waits for `CampusPeopleStore.settle`.
        return (
            f"UPDATE campus_person k SET in_doubt = true FROM ({tied(rows)}) n "  # noqa: S608 - the same
            "WHERE k.campus_id = n.campus_id AND k.person_id = n.person_id"
        )

    def locked(rows: str) -> str:
        if not source.activity_lock:
            return ""
        some = f"SELECT r.activity_id FROM ({rows}) r"  # noqa: S608 - the same
        return f"PERFORM 1 FROM activity a WHERE a.id IN ({some}) ORDER BY a.id {source.activity_lock}; "

    columns = ", ".join(source.columns)
    before, after = f"SELECT {columns} FROM old_rows", f"SELECT {columns} FROM new_rows"  # noqa: S608 - the same
    return {
        "insert": locked(after) + added(after),
        "delete": locked(before) + doubted(before),
        "update": locked(f"({after} EXCEPT {before}) UNION ALL ({before} EXCEPT {after})")
        + f"{added(f'{after} EXCEPT {before}')}; {doubted(f'{before} EXCEPT {after}')}",
    }


def _triggers() -> Iterator[Trigger]:
    for source in _SOURCES:
        on_sqlite, on_postgresql = _on_sqlite(source), _on_postgresql(source)
        for event, tables in triggers.CHANGED:
            moment = f"AFTER {event.upper()} ON {source.table} REFERENCING {tables}"
            yield Trigger(f"{PREFIX}{source.table}_{event}", on_sqlite[event], on_postgresql[event], moment)
    copied = ", ".join(_COPIED)
    yield Trigger(
        f"{PREFIX}person_update",
        f"AFTER UPDATE OF {copied} ON person BEGIN UPDATE campus_person SET "  # noqa: S608 - names of our own
        f"{', '.join(f'{each} = NEW.{each}' for each in _COPIED)} WHERE person_id = NEW.id; END",
        f"UPDATE campus_person k SET {', '.join(f'{each} = n.{each}' for each in _COPIED)} FROM "  # noqa: S608 - the same
        f"(SELECT id, {copied} FROM new_rows EXCEPT SELECT id, {copied} FROM old_rows) n WHERE k.person_id = n.id",
        "AFTER UPDATE ON person REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
    )


TRIGGERS: Final = list(_triggers())
_FALSE: Final = {"sqlite": "0", "postgresql": "false"}
_EVERY_TIE: Final = (
    "SELECT a.campus_id AS campus_id, a.person_id AS person_id FROM award a UNION SELECT o.campus_id, q.person_id "
    "FROM participation q JOIN activity_campus o ON o.activity_id = q.activity_id AND o.accepted_at IS NOT NULL "
    "UNION SELECT x.campus_id, x.person_id FROM external_id x WHERE x.person_id IS NOT NULL"
)


def fill(connection: Connection) -> None:
    """Every pair that the rows tie. With its triggers built in the same transaction, none is missed."""
    connection.exec_driver_sql(
        f"INSERT INTO campus_person ({_COLUMNS}) SELECT n.campus_id, n.person_id, p.listed_as, p.created_at, "  # noqa: S608 - names of our own
        f"{_FALSE[connection.dialect.name]} FROM ({_EVERY_TIE}) n JOIN person p ON p.id = n.person_id "
        "WHERE NOT EXISTS (SELECT 1 FROM campus_person k WHERE k.campus_id = n.campus_id AND k.person_id = n.person_id)"
    )


def is_merged() -> ColumnElement[bool]:
    return exists().where(
        and_(col(PersonMerge.gone_id) == col(CampusPerson.person_id), col(PersonMerge.undone_at).is_(None))
    )


def is_tied() -> ColumnElement[bool]:
    """Whether a row ties the person of a pair to its campus. A subquery with a limit is asked of each pair:
    PostgreSQL answers `EXISTS` for all people of all campuses first, where it may."""
    person_id, campus_id = col(CampusPerson.person_id), col(CampusPerson.campus_id)
    ties: tuple[Any, ...] = (
        select(col(Participation.person_id))
        .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Participation.activity_id))
        .where(
            col(Participation.person_id) == person_id,
            col(ActivityCampus.campus_id) == campus_id,
            col(ActivityCampus.accepted_at).is_not(None),
        ),
        select(col(Award.person_id)).where(
            col(Award.person_id) == person_id, col(Award.campus_id) == campus_id
        ),
        select(col(ExternalId.person_id)).where(
            col(ExternalId.person_id) == person_id, col(ExternalId.campus_id) == campus_id
        ),
    )
    return or_(*(each.correlate(CampusPerson).limit(1).scalar_subquery().is_not(None) for each in ties))


def are_of(campus_id: uuid.UUID) -> tuple[ColumnElement[bool], ...]:
    """The pairs of people who belong to the campus now."""
    return (
        col(CampusPerson.campus_id) == campus_id,
        or_(not_(col(CampusPerson.in_doubt)), is_tied()),
        not_(is_merged()),
    )


def are_named(words: Sequence[str]) -> ColumnElement[bool]:
    """Whether a name holds every one of `words`, which are already plain, as `listed_as` is."""
    return and_(true(), *(col(CampusPerson.listed_as).contains(word, autoescape=True) for word in words))


@dataclass(frozen=True)
class Strays:
    """Campuses of which the stored people differ from the rows, and the number of pairs compared."""

    checked: int = 0
    campuses: Sequence[uuid.UUID] = field(default_factory=list)


_AT_ONCE: Final = 500


class CampusPeopleStore(Store):
    def check(self) -> Strays:
        """Compares what is stored with the rows."""
        connection = self.session.connection()
        missing = (
            f"SELECT n.campus_id FROM ({_EVERY_TIE}) n WHERE NOT EXISTS (SELECT 1 FROM campus_person k "  # noqa: S608 - names of our own
            "WHERE k.campus_id = n.campus_id AND k.person_id = n.person_id)"
        )
        stale = (
            "SELECT k.campus_id FROM campus_person k JOIN person p ON p.id = k.person_id "
            "WHERE k.listed_as <> p.listed_as OR k.created_at <> p.created_at"
        )
        untied = (
            f"SELECT k.campus_id FROM campus_person k LEFT JOIN ({_EVERY_TIE}) n ON n.campus_id = k.campus_id "  # noqa: S608 - the same
            f"AND n.person_id = k.person_id WHERE n.person_id IS NULL AND k.in_doubt = {_FALSE[connection.dialect.name]}"
        )
        campuses = CampusPerson.__table__.c.campus_id  # type: ignore[attr-defined]
        statement = text(f"{missing} UNION {stale} UNION {untied}").columns(campuses)
        found = list(self.session.execute(statement).scalars())
        return Strays(self.session.execute(text("SELECT count(*) FROM campus_person")).scalar_one(), found)

    def repair(self) -> None:
        """Every pair is there, with its person's name, and in doubt."""
        connection = self.session.connection()
        fill(connection)
        copied = ", ".join(f"{each} = p.{each}" for each in _COPIED)
        connection.exec_driver_sql(
            f"UPDATE campus_person SET {copied} FROM person p WHERE p.id = campus_person.person_id"  # noqa: S608 - names of our own
        )
        self.session.execute(update(CampusPerson).values(in_doubt=True))
        self.settle()

    def settle(self) -> None:
        """Pairs in doubt that a row still ties are so no longer.

        Locked before their rows are read: who unties one meanwhile waits, and leaves it in doubt again.
        """
        key = tuple_(col(CampusPerson.campus_id), col(CampusPerson.person_id))
        after: tuple[Any, ...] = ()
        while True:
            query = select(CampusPerson.campus_id, CampusPerson.person_id).where(col(CampusPerson.in_doubt))
            query = query.where(key > after) if after else query
            some = query.order_by(CampusPerson.campus_id, CampusPerson.person_id).limit(_AT_ONCE)  # type: ignore[arg-type]
            pairs = [tuple(row) for row in self.session.execute(some.with_for_update())]
            if not pairs:
                return
            after = pairs[-1]
            settled = update(CampusPerson).where(key.in_(pairs), is_tied()).values(in_doubt=False)
            self.session.execute(settled.execution_options(synchronize_session=False))
