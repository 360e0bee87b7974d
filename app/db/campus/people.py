"""Who belongs to a campus, stored: `campus_person`, written by triggers that add, count and never delete.

A pair of a campus and a person is added by the row that ties them: a participation in an activity that the campus
organises, an award, an identifier of its own system. A row that goes leaves the pair in doubt, and readers then ask
the rows themselves (`is_tied`): two transactions of which one ties the person and the other unties them, neither
seeing the other, cannot lose a pair. The nightly check deletes those that nothing ties any more. Only who was merged
into another record is left to the reader. A pair goes with its person or its campus.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    exists,
    func,
    not_,
    or_,
    text,
    true,
    tuple_,
    update,
)
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from app.db.engine import triggers
from app.db.engine.queries import Store, locked
from app.db.engine.triggers import Strays, Trigger
from app.db.engine.writes import among
from app.domain.activities import ActivityCampus, Participation
from app.domain.awards import Award
from app.domain.awards.batches import AwardBatch, BatchLine
from app.domain.campus.integration import ExternalId
from app.domain.learners.requests import BadgeRequest
from app.domain.people import CampusPerson, PersonAddress, PersonMerge

PREFIX: Final = "belongs_"


def is_known_at(campus_id: uuid.UUID) -> ColumnElement[bool]:
    """Of an address: whether this campus may see it.

    A list of the campus has it, or a request to the campus; or no person has proved that it is theirs; or it is
    the person's only one. Never one that they added to their account beside it.
    """
    mine = col(PersonAddress.person_id)
    begins = func.substr(col(Participation.line_key), 1, func.length(col(PersonAddress.address)) + 1)
    listed = exists().where(
        col(Participation.person_id) == mine,
        col(Participation.activity_id) == col(ActivityCampus.activity_id),
        col(ActivityCampus.campus_id) == campus_id,
        col(ActivityCampus.accepted_at).is_not(None),
        begins == col(PersonAddress.address) + "|",
    )
    asked = exists().where(
        col(BadgeRequest.person_id) == mine,
        col(BadgeRequest.campus_id) == campus_id,
        col(BadgeRequest.address) == col(PersonAddress.address),
    )
    other = aliased(PersonAddress)
    others = exists().where(col(other.person_id) == mine, col(other.address) != col(PersonAddress.address))
    return or_(col(PersonAddress.verified_at).is_(None), listed, asked, ~others)


def addresses_hidden_from(
    session: Session, campus_id: uuid.UUID, person_ids: Iterable[uuid.UUID]
) -> set[tuple[uuid.UUID, str]]:
    """Those of these people that the campus may not read."""
    if not (ids := list(person_ids)):
        return set()
    query = select(PersonAddress.person_id, PersonAddress.address).where(
        among(session, col(PersonAddress.person_id), ids), not_(is_known_at(campus_id))
    )
    return set(session.exec(query))


def forget_in_batches(session: Session, person_id: uuid.UUID, address: str) -> None:
    """Of people chosen among those known: a line of a batch has no address that they removed from their account,
    unless the activity's own list has it."""
    listed = exists().where(
        col(Participation.id) == col(BatchLine.participation_id),
        col(Participation.line_key).startswith(f"{address}|", autoescape=True),
    )
    those = (col(BatchLine.person_id) == person_id, col(BatchLine.address) == address)
    emptied = update(BatchLine).where(*those, col(BatchLine.participation_id).is_not(None), ~listed)
    session.exec(emptied.values(address="").execution_options(synchronize_session="fetch"))


def addresses_by_campus(session: Session, person_id: uuid.UUID) -> dict[uuid.UUID, set[str]]:
    """The addresses that each campus wrote for this person, in lists, awards and requests; campuses with any."""
    listed = select(ActivityCampus.campus_id, Participation.line_key).where(
        Participation.person_id == person_id,
        Participation.activity_id == ActivityCampus.activity_id,
        col(ActivityCampus.accepted_at).is_not(None),
    )
    asked = select(BadgeRequest.campus_id, BadgeRequest.address).where(BadgeRequest.person_id == person_id)
    # Of a person chosen among participants, a batch has the main address, also if another campus gave it.
    awarded = select(AwardBatch.campus_id, BatchLine.address).where(
        BatchLine.person_id == person_id,
        BatchLine.batch_id == AwardBatch.id,
        col(BatchLine.participation_id).is_(None),
    )
    given: dict[uuid.UUID, set[str]] = {}
    for queries in ((listed, asked), (awarded,)):
        known = frozenset(given)
        for query in queries:
            for campus_id, key in session.exec(query):
                if (address := key.partition("|")[0]) and campus_id not in known:
                    given.setdefault(campus_id, set()).add(address)
    return given


def has_met(campus_id: uuid.UUID, person_id: Any) -> ColumnElement[bool]:
    """Beyond a number of its own system, which any campus may give by name and address."""
    return or_(
        exists().where(col(Award.person_id) == person_id, col(Award.campus_id) == campus_id),
        exists().where(col(BadgeRequest.person_id) == person_id, col(BadgeRequest.campus_id) == campus_id),
        exists().where(
            col(Participation.person_id) == person_id,
            col(Participation.activity_id) == col(ActivityCampus.activity_id),
            col(ActivityCampus.campus_id) == campus_id,
            col(ActivityCampus.accepted_at).is_not(None),
        ),
    )


@dataclass(frozen=True)
class _Source:
    """`ties`: the pairs (campus_id, person_id) of one row, `{row}`, by some of its columns, and what it counts there.

    `key` and `counted` are the other columns that it reads. `activity_lock`: another table has a part in the pairs.
    The activity is then locked on PostgreSQL, so that two transactions that write one row each of the two tables
    come one after the other; FOR KEY SHARE, as a reference does, or FOR UPDATE.
    """

    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    ties: str
    counted: tuple[str, ...] = ()
    activity_lock: str = ""

    @property
    def read(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.key, *self.columns, *self.counted)))


_PRESENT: Final = "CASE WHEN {} THEN 1 ELSE 0 END AS activities, 0 AS awards, 0 AS claimed"
_VALID: Final = (
    "0 AS activities, CASE WHEN {row}.state = 'issued' THEN 1 ELSE 0 END AS awards, "
    "CASE WHEN {row}.state = 'issued' AND {row}.claimed_at IS NOT NULL THEN 1 ELSE 0 END AS claimed"
)
_SOURCES: Final = (
    _Source(
        "award",
        ("id",),
        ("campus_id", "person_id"),
        f"SELECT {{row}}.campus_id AS campus_id, {{row}}.person_id AS person_id, {_VALID}",
        counted=("state", "claimed_at"),
    ),
    _Source(
        "participation",
        ("id",),
        ("activity_id", "person_id"),
        f"SELECT o.campus_id AS campus_id, {{row}}.person_id AS person_id, {_PRESENT.format('{row}.is_present')} "  # noqa: S608 - names of our own
        "FROM activity_campus o WHERE o.activity_id = {row}.activity_id AND o.accepted_at IS NOT NULL",
        counted=("is_present",),
        activity_lock="FOR KEY SHARE",
    ),
    _Source(
        "activity_campus",
        (),
        ("activity_id", "campus_id", "accepted_at"),
        f"SELECT {{row}}.campus_id AS campus_id, q.person_id AS person_id, {_PRESENT.format('q.is_present')} "  # noqa: S608 - the same
        "FROM participation q WHERE q.activity_id = {row}.activity_id AND {row}.accepted_at IS NOT NULL",
        activity_lock="FOR UPDATE",
    ),
    _Source(
        "external_id",
        (),
        ("campus_id", "person_id"),
        "SELECT {row}.campus_id AS campus_id, {row}.person_id AS person_id, 0 AS activities, 0 AS awards, 0 AS claimed "
        "WHERE {row}.person_id IS NOT NULL",
    ),
)
_COUNTS: Final = ("activities", "awards", "claimed")
_COLUMNS: Final = f"campus_id, person_id, listed_as, created_at, in_doubt, {', '.join(_COUNTS)}"
_COPIED: Final = ("listed_as", "created_at")
_SUMS: Final = ", ".join(f"CAST(sum(d.{each}) AS integer) AS {each}" for each in _COUNTS)


def _on_sqlite(source: _Source) -> dict[str, str]:
    def added(row: str) -> str:
        ties = source.ties.format(row=row)
        return (
            f"INSERT OR IGNORE INTO campus_person ({_COLUMNS}) SELECT n.campus_id, n.person_id, p.listed_as, p.created_at, "  # noqa: S608 - names of our own
            f"0, 0, 0, 0 FROM ({ties}) n JOIN person p ON p.id = n.person_id; "
        )

    def counted(row: str, sign: str) -> str:
        if source.table == "external_id":
            return ""
        changes = ", ".join(f"{each} = campus_person.{each} {sign} n.{each}" for each in _COUNTS)
        ties = (
            f"SELECT d.campus_id, d.person_id, {_SUMS} FROM ({source.ties.format(row=row)}) d GROUP BY 1, 2"  # noqa: S608 - the same
        )
        return (
            f"UPDATE campus_person SET {changes} FROM ({ties}) n WHERE campus_person.campus_id = n.campus_id "  # noqa: S608 - the same
            "AND campus_person.person_id = n.person_id; "
        )

    def doubted(row: str) -> str:
        ties = f"SELECT t.campus_id, t.person_id FROM ({source.ties.format(row=row)}) t"  # noqa: S608 - the same
        return f"UPDATE campus_person SET in_doubt = 1 WHERE (campus_id, person_id) IN ({ties}); "  # noqa: S608 - the same

    def differ(columns: Sequence[str]) -> str:
        return " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in columns)

    found = {
        "insert": f"AFTER INSERT ON {source.table} BEGIN {added('NEW')}{counted('NEW', '+')}END",
        "delete": f"AFTER DELETE ON {source.table} BEGIN {doubted('OLD')}{counted('OLD', '-')}END",
        "update": f"AFTER UPDATE OF {', '.join(source.columns)} ON {source.table} WHEN {differ(source.columns)} "
        f"BEGIN {added('NEW')}{counted('OLD', '-')}{counted('NEW', '+')}{doubted('OLD')}END",
    }
    if source.counted:
        still = " AND ".join(f"OLD.{name} IS NEW.{name}" for name in source.columns)
        found["count"] = (
            f"AFTER UPDATE OF {', '.join(source.counted)} ON {source.table} WHEN {still} AND ({differ(source.counted)}) "
            f"BEGIN {counted('OLD', '-')}{counted('NEW', '+')}END"
        )
    return found


def _on_postgresql(source: _Source) -> dict[str, str]:
    def ties(rows: str) -> str:
        tie = source.ties.format(row="changed")
        return f"SELECT t.* FROM ({rows}) changed CROSS JOIN LATERAL ({tie}) t"  # noqa: S608 - names of our own

    def held(rows: str) -> str:
        return (
            f"PERFORM 1 FROM (SELECT DISTINCT t.campus_id, t.person_id FROM ({ties(rows)}) t) n JOIN campus_person k "  # noqa: S608 - the same
            "ON k.campus_id = n.campus_id AND k.person_id = n.person_id ORDER BY k.campus_id, k.person_id "
            "FOR NO KEY UPDATE OF k; "
        )

    def added(more: str, less: str = "") -> str:
        # The person is locked: their name is not corrected between this reading and its commit. In one order: two
        # transactions that write the same pairs would otherwise wait for each other. A pair that is removed meanwhile
        # is added anew.
        rows = ties(more)
        if less:
            minus = ", ".join(f"-m.{each}" for each in _COUNTS)
            rows += f" UNION ALL SELECT m.campus_id, m.person_id, {minus} FROM ({ties(less)}) m"  # noqa: S608 - the same
        changes = ", ".join(f"{each} = campus_person.{each} + excluded.{each}" for each in _COUNTS)
        counts, columns = (
            ", ".join(f"n.{each}" for each in _COUNTS),
            ", ".join(("campus_id", "person_id", *_COUNTS)),
        )
        return (
            f"INSERT INTO campus_person ({_COLUMNS}) SELECT n.campus_id, n.person_id, p.listed_as, p.created_at, false, "  # noqa: S608 - the same
            f"{counts} FROM (SELECT d.campus_id, d.person_id, {_SUMS} FROM ({rows}) d ({columns}) GROUP BY 1, 2) n "
            "JOIN person p ON p.id = n.person_id ORDER BY n.campus_id, n.person_id FOR SHARE OF p "
            f"ON CONFLICT (campus_id, person_id) DO UPDATE SET {changes}; "
        )

    def untied(rows: str) -> str:
        # A pair in doubt is written too: the statement waits for `CampusPeopleStore.settle`.
        changes = ", ".join(f"{each} = k.{each} - n.{each}" for each in _COUNTS)
        return (
            f"UPDATE campus_person k SET in_doubt = true, {changes} FROM (SELECT d.campus_id, d.person_id, {_SUMS} "  # noqa: S608 - the same
            f"FROM ({ties(rows)}) d GROUP BY 1, 2) n WHERE k.campus_id = n.campus_id AND k.person_id = n.person_id; "
        )

    def doubted(rows: str) -> str:
        # A pair in doubt is written too: the statement waits for `CampusPeopleStore.settle`.
        return (
            f"UPDATE campus_person k SET in_doubt = true FROM (SELECT DISTINCT t.campus_id, t.person_id FROM "  # noqa: S608 - the same
            f"({ties(rows)}) t) n WHERE k.campus_id = n.campus_id AND k.person_id = n.person_id; "
        )

    def locked(rows: str) -> str:
        if not source.activity_lock:
            return ""
        some = f"SELECT r.activity_id FROM ({rows}) r"  # noqa: S608 - the same
        return f"PERFORM 1 FROM activity a WHERE a.id IN ({some}) ORDER BY a.id {source.activity_lock}; "

    def of(rows: str, columns: Sequence[str]) -> str:
        return f"SELECT {', '.join(columns)} FROM {rows}"  # noqa: S608 - the same

    before, after = of("old_rows", source.read), of("new_rows", source.read)
    came, went = f"{after} EXCEPT {before}", f"{before} EXCEPT {after}"
    columns = ", ".join(source.columns)
    # Without the row's own key, and without what is counted: another row may tie the same pair before and after.
    left = (
        f"SELECT r.* FROM (SELECT {columns} FROM old_rows EXCEPT SELECT {columns} FROM new_rows) e "  # noqa: S608 - the same
        f"JOIN old_rows r USING ({columns})"
    )
    return {
        "insert": locked(after) + added(after),
        "delete": locked(before) + held(before) + untied(before),
        "update": locked(f"({came}) UNION ALL ({went})") + added(came, went) + doubted(left),
    }


def _triggers() -> Iterator[Trigger]:
    for source in _SOURCES:
        on_sqlite, on_postgresql = _on_sqlite(source), _on_postgresql(source)
        for event, tables in triggers.CHANGED:
            moment = f"AFTER {event.upper()} ON {source.table} REFERENCING {tables}"
            name = f"{PREFIX}{source.table}_{event}"
            yield Trigger(
                name, on_sqlite[event], on_postgresql[event].rstrip("; "), moment, triggers.ONE_BY_ONE
            )
        if "count" in on_sqlite:
            yield Trigger(f"{PREFIX}{source.table}_count", on_sqlite["count"], "", "")
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
    f"SELECT d.campus_id AS campus_id, d.person_id AS person_id, {_SUMS} FROM ("  # noqa: S608 - the same
    + " UNION ALL ".join(
        (
            f"SELECT a.campus_id AS campus_id, a.person_id AS person_id, {_VALID.format(row='a')} FROM award a",  # noqa: S608 - the same
            f"SELECT o.campus_id, q.person_id, {_PRESENT.format('q.is_present')} FROM participation q JOIN activity_campus o "  # noqa: S608 - the same
            "ON o.activity_id = q.activity_id AND o.accepted_at IS NOT NULL",
            "SELECT x.campus_id, x.person_id, 0, 0, 0 FROM external_id x WHERE x.person_id IS NOT NULL",
        )
    )
    + ") d GROUP BY 1, 2"
)


def fill(connection: Connection) -> None:
    """Every pair that the rows tie, and what they count. With its triggers built in the same transaction, none is
    missed."""
    counts = ", ".join(f"n.{each}" for each in _COUNTS)
    triggers.refresh_statistics(
        connection, "activity_campus", "award", "campus_person", "external_id", "participation", "person"
    )
    connection.exec_driver_sql(
        f"INSERT INTO campus_person ({_COLUMNS}) SELECT n.campus_id, n.person_id, p.listed_as, p.created_at, "  # noqa: S608 - names of our own
        f"{_FALSE[connection.dialect.name]}, {counts} FROM ({_EVERY_TIE}) n JOIN person p ON p.id = n.person_id "
        "WHERE NOT EXISTS (SELECT 1 FROM campus_person k WHERE k.campus_id = n.campus_id AND k.person_id = n.person_id)"
    )
    changes = ", ".join(f"{each} = n.{each}" for each in _COUNTS)
    differ = " OR ".join(f"campus_person.{each} <> n.{each}" for each in _COUNTS)
    connection.exec_driver_sql(
        f"UPDATE campus_person SET {changes} FROM ({_EVERY_TIE}) n WHERE campus_person.campus_id = n.campus_id "  # noqa: S608 - the same
        f"AND campus_person.person_id = n.person_id AND ({differ})"
    )


def is_merged() -> ColumnElement[bool]:
    """In a list that is read once: an `EXISTS` is asked anew for each of many people."""
    gone = select(PersonMerge.gone_id).where(col(PersonMerge.undone_at).is_(None))
    return col(CampusPerson.person_id).in_(gone)


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


_AT_ONCE: Final = 500


class CampusPeopleStore(Store):
    def check(self) -> Strays:
        """Compares what is stored with the rows."""
        settled = f"k.in_doubt = {_FALSE[self.session.connection().dialect.name]}"
        missing = (
            "SELECT n.campus_id FROM n WHERE NOT EXISTS (SELECT 1 FROM campus_person k WHERE k.campus_id = n.campus_id "
            "AND k.person_id = n.person_id)"
        )
        stale = (
            "SELECT k.campus_id FROM campus_person k JOIN person p ON p.id = k.person_id "
            "WHERE k.listed_as <> p.listed_as OR k.created_at <> p.created_at"
        )
        differ = " OR ".join(f"k.{each} <> coalesce(n.{each}, 0)" for each in _COUNTS)
        wrong = (
            "SELECT k.campus_id FROM campus_person k LEFT JOIN n ON n.campus_id = k.campus_id "  # noqa: S608 - names of our own
            f"AND n.person_id = k.person_id WHERE (n.person_id IS NULL AND {settled}) OR {differ}"
        )
        campuses = CampusPerson.__table__.c.campus_id  # type: ignore[attr-defined]
        statement = text(f"WITH n AS ({_EVERY_TIE}) {missing} UNION {stale} UNION {wrong}").columns(campuses)
        found = list(self.session.execute(statement).scalars())
        return Strays(self.session.execute(text("SELECT count(*) FROM campus_person")).scalar_one(), found)

    def repair(self) -> None:
        """Every pair is there, with its person's name and what its rows count; the others go."""
        connection = self.session.connection()
        # Of one that nothing ties, the rows below count nothing.
        connection.exec_driver_sql("UPDATE campus_person SET activities = 0, awards = 0, claimed = 0")
        fill(connection)
        copied = ", ".join(f"{each} = p.{each}" for each in _COPIED)
        connection.exec_driver_sql(
            f"UPDATE campus_person SET {copied} FROM person p WHERE p.id = campus_person.person_id"  # noqa: S608 - names of our own
        )
        self.session.execute(update(CampusPerson).values(in_doubt=True))
        self.settle()

    def settle(self) -> None:
        """Pairs in doubt that a row still ties are so no longer; the others go.

        Locked before their rows are read: who ties or unties one meanwhile waits, and then adds it anew or leaves it
        in doubt again.
        """
        key = tuple_(col(CampusPerson.campus_id), col(CampusPerson.person_id))
        after: tuple[Any, ...] = ()
        while True:
            query = select(CampusPerson.campus_id, CampusPerson.person_id).where(col(CampusPerson.in_doubt))
            query = query.where(key > after) if after else query
            some = query.order_by(CampusPerson.campus_id, CampusPerson.person_id).limit(_AT_ONCE)  # type: ignore[arg-type]
            pairs = [tuple(row) for row in self.session.execute(locked(some))]
            if not pairs:
                return
            after = pairs[-1]
            here = key.in_(pairs)
            for statement in (
                update(CampusPerson).where(here, is_tied()).values(in_doubt=False),
                delete(CampusPerson).where(here, col(CampusPerson.in_doubt), not_(is_tied())),
            ):
                self.session.execute(statement.execution_options(synchronize_session=False))
