"""What each campus organises, stored as its register sorts and searches it: `campus_activity`, written by triggers alone.

A row stands for an accepted `activity_campus`. Whatever changes one, or what is counted there, first locks the
activity on PostgreSQL: FOR UPDATE where a campus comes or goes, which counts anew, FOR KEY SHARE where a participation
or an award does, which adds to the counts. Neither misses the other. The names of the triggers come before those of
`app.db.campus.people`, so that every writer locks activities, then their counts, then people.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Uuid,
    and_,
    bindparam,
    column,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from app.db.engine import triggers
from app.db.engine.queries import Order, Start, Store, locked, page_of, plain
from app.db.engine.triggers import Strays, Trigger
from app.db.engine.writes import among
from app.domain.activities import Activity, CampusActivity

PREFIX: Final = "activities_"
_DIALECTS: Final = {"postgresql": postgresql.dialect(), "sqlite": sqlite.dialect()}  # type: ignore[no-untyped-call]
_SAME: Final = ("starts_on", "ends_on", "start_time", "end_time", "hours", "declared_size", "is_sample")
_READ: Final = (*_SAME, "title", "place", "audience")
"""Columns of `activity`."""


def _copied(dialect: str) -> dict[str, str]:
    """From a row of `activity`. Sorted by the first 300 characters: an index takes no long ones."""

    def folded(expression: str) -> str:
        return str(plain(literal_column(expression)).compile(dialect=_DIALECTS[dialect]))

    return {
        **{name: f"{{row}}.{name}" for name in _SAME},
        "title_key": f"substr({folded('{row}.title')}, 1, 300)",
        "place_key": f"substr({folded('{row}.place')}, 1, 300)",
        "words": folded("{row}.title || ' ' || {row}.place"),
        "is_incomplete": "({row}.place = '' OR {row}.audience = '')",
    }


_COUNTED: Final = {
    "participation": {"people": "CASE WHEN {row}.is_present THEN 1 ELSE 0 END"},
    "award": {
        "awards": "CASE WHEN {row}.state = 'issued' THEN 1 ELSE 0 END",
        "claimed": "CASE WHEN {row}.state = 'issued' AND {row}.claimed_at IS NOT NULL THEN 1 ELSE 0 END",
        "given": "CASE WHEN {row}.undone_at IS NULL THEN 1 ELSE 0 END",
    },
}
_KEYS: Final = {"participation": ("activity_id",), "award": ("activity_id", "campus_id")}
_DEPENDS_ON: Final = {
    "participation": ("activity_id", "is_present"),
    "award": ("activity_id", "campus_id", "state", "claimed_at", "undone_at"),
    "activity_campus": ("activity_id", "campus_id", "accepted_at", "closed_at"),
}
_COUNTS: Final = tuple(name for counted in _COUNTED.values() for name in counted)


def _columns(dialect: str) -> str:
    return ", ".join(("campus_id", "activity_id", *_copied(dialect), "is_closed", *_COUNTS))


def _rows(dialect: str) -> str:
    """Every row as it has to be; conditions on `o` may follow."""
    copied = ", ".join(each.format(row="a") for each in _copied(dialect).values())
    counts = ", ".join(
        f"(SELECT coalesce(sum({count.format(row='c')}), 0) FROM {table} c WHERE "  # noqa: S608 - names of our own
        + " AND ".join(f"c.{key} = o.{key}" for key in _KEYS[table])
        + ")"
        for table, counted in _COUNTED.items()
        for count in counted.values()
    )
    return (
        f"SELECT o.campus_id, o.activity_id, {copied}, o.closed_at IS NOT NULL, {counts} "  # noqa: S608 - the same
        "FROM activity_campus o JOIN activity a ON a.id = o.activity_id WHERE o.accepted_at IS NOT NULL"
    )


def _differ(columns: Sequence[str]) -> str:
    return " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in columns)


def _of_campuses_on_sqlite() -> dict[str, str]:
    def gone(row: str) -> str:
        pair = f"campus_id = {row}.campus_id AND activity_id = {row}.activity_id"
        return f"DELETE FROM campus_activity WHERE {pair}; "  # noqa: S608 - names of our own

    pair = "o.campus_id = NEW.campus_id AND o.activity_id = NEW.activity_id"
    came = f"INSERT INTO campus_activity ({_columns('sqlite')}) {_rows('sqlite')} AND {pair}; "
    read = _DEPENDS_ON["activity_campus"]
    return {
        "insert": f"AFTER INSERT ON activity_campus BEGIN {gone('NEW')}{came}END",
        "delete": f"AFTER DELETE ON activity_campus BEGIN {gone('OLD')}END",
        "update": f"AFTER UPDATE OF {', '.join(read)} ON activity_campus WHEN {_differ(read)} "
        f"BEGIN {gone('OLD')}{gone('NEW')}{came}END",
    }


def _counted_on_sqlite(table: str) -> dict[str, str]:
    def counted(row: str, sign: str) -> str:
        changes = ", ".join(
            f"{name} = {name} {sign} {count.format(row=row)}" for name, count in _COUNTED[table].items()
        )
        same = " AND ".join(f"{key} = {row}.{key}" for key in _KEYS[table])
        return f"UPDATE campus_activity SET {changes} WHERE {same}; "  # noqa: S608 - names of our own

    read = _DEPENDS_ON[table]
    return {
        "insert": f"AFTER INSERT ON {table} BEGIN {counted('NEW', '+')}END",
        "delete": f"AFTER DELETE ON {table} BEGIN {counted('OLD', '-')}END",
        "update": f"AFTER UPDATE OF {', '.join(read)} ON {table} WHEN {_differ(read)} "
        f"BEGIN {counted('OLD', '-')}{counted('NEW', '+')}END",
    }


def _held(activities: str, strength: str) -> str:
    """Locks these activities, then their counts, each in one order."""
    return (
        f"PERFORM 1 FROM activity a WHERE a.id IN ({activities}) ORDER BY a.id {strength}; "
        f"PERFORM 1 FROM campus_activity k WHERE k.activity_id IN ({activities}) "
        "ORDER BY k.activity_id, k.campus_id FOR NO KEY UPDATE; "
    )


def _of_campuses_on_postgresql(event: str, changed: str) -> str:
    body = (
        _held(f"SELECT n.activity_id FROM ({changed}) n", "FOR UPDATE")  # noqa: S608 - names of our own
        + f"DELETE FROM campus_activity k USING ({changed}) n "  # noqa: S608 - the same
        + "WHERE k.campus_id = n.campus_id AND k.activity_id = n.activity_id; "
    )
    if event == "delete":
        return body
    pairs = f"SELECT n.campus_id, n.activity_id FROM ({changed}) n"  # noqa: S608 - the same
    return (
        body + f"INSERT INTO campus_activity ({_columns('postgresql')}) {_rows('postgresql')} "
        f"AND (o.campus_id, o.activity_id) IN ({pairs}); "
    )


_NEW: Final = ("new_rows", "+")
_OLD: Final = ("old_rows", "-")


def _counted_on_postgresql(table: str, rows: Sequence[tuple[str, str]]) -> str:
    keys, counted = ", ".join(_KEYS[table]), _COUNTED[table]
    each = " UNION ALL ".join(
        f"SELECT {keys}, "  # noqa: S608 - names of our own
        + ", ".join(f"{sign}({count.format(row='r')}) AS {name}" for name, count in counted.items())
        + f" FROM {source} r WHERE r.activity_id IS NOT NULL"
        for source, sign in rows
    )
    sums = ", ".join(f"CAST(sum(d.{name}) AS integer) AS {name}" for name in counted)
    changes = " OR ".join(f"sum(d.{name}) <> 0" for name in counted)
    delta = f"SELECT {keys}, {sums} FROM ({each}) d GROUP BY {keys} HAVING {changes}"  # noqa: S608 - the same
    same = " AND ".join(f"k.{key} = n.{key}" for key in _KEYS[table])
    held = _held(f"SELECT n.activity_id FROM ({delta}) n", "FOR KEY SHARE")  # noqa: S608 - the same
    if rows == (_NEW,):
        # Their references have locked the activities; counts of one of them need no order.
        held = f"IF (SELECT count(DISTINCT r.activity_id) FROM new_rows r) > 1 THEN {held}END IF; "  # noqa: S608 - the same
    added = ", ".join(f"{name} = k.{name} + n.{name}" for name in counted)
    return f"{held}UPDATE campus_activity k SET {added} FROM ({delta}) n WHERE {same}; "  # noqa: S608 - the same


def _trigger(table: str, event: str, on_sqlite: str, body: str) -> Trigger:
    tables = dict(triggers.CHANGED)[event]
    moment = f"AFTER {event.upper()} ON {table} REFERENCING {tables}"
    return Trigger(f"{PREFIX}{table}_{event}", on_sqlite, body.rstrip("; "), moment, triggers.ONE_BY_ONE)


def _triggers() -> Iterator[Trigger]:
    columns = ", ".join(_DEPENDS_ON["activity_campus"])
    before, after = f"SELECT {columns} FROM old_rows", f"SELECT {columns} FROM new_rows"  # noqa: S608 - names of our own
    changed = {
        "insert": after,
        "delete": before,
        "update": f"({before} EXCEPT {after}) UNION ALL ({after} EXCEPT {before})",
    }
    for event, on_sqlite in _of_campuses_on_sqlite().items():
        yield _trigger("activity_campus", event, on_sqlite, _of_campuses_on_postgresql(event, changed[event]))
    rows = {"insert": (_NEW,), "delete": (_OLD,), "update": (_NEW, _OLD)}
    for table in _COUNTED:
        for event, on_sqlite in _counted_on_sqlite(table).items():
            yield _trigger(table, event, on_sqlite, _counted_on_postgresql(table, rows[event]))
    read = ", ".join(_READ)
    changes = {
        dialect: ", ".join(f"{name} = {each.format(row=row)}" for name, each in _copied(dialect).items())
        for dialect, row in (("sqlite", "NEW"), ("postgresql", "a"))
    }
    different = f"SELECT id, {read} FROM new_rows EXCEPT SELECT id, {read} FROM old_rows"  # noqa: S608 - the same
    yield _trigger(
        "activity",
        "update",
        f"AFTER UPDATE OF {read} ON activity WHEN {_differ(_READ)} BEGIN UPDATE campus_activity "  # noqa: S608 - the same
        f"SET {changes['sqlite']} WHERE activity_id = NEW.id; END",
        _held(f"SELECT n.id FROM ({different}) n", "FOR NO KEY UPDATE")  # noqa: S608 - the same
        + f"UPDATE campus_activity k SET {changes['postgresql']} FROM ({different}) a WHERE k.activity_id = a.id; ",  # noqa: S608 - the same
    )


TRIGGERS: Final = list(_triggers())


def fill(connection: Connection) -> None:
    """Every row anew. With its triggers built in the same transaction, none is missed."""
    name = connection.dialect.name
    triggers.refresh_statistics(connection, "activity", "activity_campus", *_COUNTED)
    connection.exec_driver_sql("DELETE FROM campus_activity")
    connection.exec_driver_sql(f"INSERT INTO campus_activity ({_columns(name)}) {_rows(name)}")


def are_of(campus_id: uuid.UUID) -> ColumnElement[bool]:
    """The activities that the campus organises."""
    return col(CampusActivity.campus_id) == campus_id


def hold(words: Sequence[str]) -> ColumnElement[bool]:
    """Whether `words` of the activity hold every one of `words`, which are already plain."""
    return and_(true(), *(col(CampusActivity.words).contains(word, autoescape=True) for word in words))


LATEST: Final[Order] = (
    (col(CampusActivity.starts_on), True), (col(CampusActivity.title_key), False), (col(CampusActivity.activity_id), False),
)  # fmt: skip


def activities_page(
    session: Session, conditions: Sequence[ColumnElement[bool]], order: Order, start: Start
) -> list[Activity]:
    """One more than the limit if there is a next page."""
    query = select(col(CampusActivity.activity_id)).where(*conditions)
    return read_activities(session, page_of(session, query, order, start))


def read_activities(session: Session, rows: Sequence[Any]) -> list[Activity]:
    """By ids that were sorted first: PostgreSQL would otherwise join all of the campus before it sorts them."""
    if not rows:
        return []
    ids = [row[0] for row in rows]
    query = select(Activity).where(among(session, col(Activity.id), ids))
    found = {each.id: each for each in session.scalars(query)}
    return [found[each] for each in ids]


_AT_ONCE: Final = 500


class CampusActivityStore(Store):
    def check(self) -> Strays:
        """Compares what is stored with the rows."""
        found = self._different("campus_id")
        return Strays(self.session.execute(text("SELECT count(*) FROM campus_activity")).scalar_one(), found)

    def repair(self) -> None:
        """Those that differ are counted anew, each locked first: who writes there waits, and then adds to the new count."""
        name = self.session.connection().dialect.name
        ids = sorted(self._different("activity_id"))
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            rows = select(col(Activity.id)).where(among(self.session, col(Activity.id), some))
            self.session.execute(locked(rows.order_by(col(Activity.id))))
            here = bindparam("ids", expanding=True, type_=Uuid())
            for change in (
                "DELETE FROM campus_activity WHERE activity_id IN :ids",
                f"INSERT INTO campus_activity ({_columns(name)}) {_rows(name)} AND o.activity_id IN :ids",
            ):
                self.session.execute(text(change).bindparams(here), {"ids": some})

    def _different(self, number: str) -> list[uuid.UUID]:
        """Of the rows that are not as they have to be."""
        name = self.session.connection().dialect.name
        stored, counted = f"SELECT {_columns(name)} FROM campus_activity", _rows(name)  # noqa: S608 - names of our own
        missing = f"SELECT * FROM (SELECT * FROM ({counted}) x EXCEPT {stored}) y"  # noqa: S608 - the same
        different = f"SELECT {_columns(name)} FROM ({stored} EXCEPT {counted}) z UNION ALL {missing}"  # noqa: S608 - the same
        statement = text(f"SELECT DISTINCT d.{number} FROM ({different}) d")  # noqa: S608 - the same
        return list(self.session.execute(statement.columns(column(number, Uuid()))).scalars())
