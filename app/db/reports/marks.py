"""Triggers that mark stored counts that are no longer those of their rows, after any write.

A mark is written in the transaction of the change, so that no reader sees one without the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from app.db.engine import triggers
from app.db.engine.triggers import Trigger

PREFIX: Final = "marks_"
_NAMES: Final = {
    "activity_change": ("activity_id",),
    "month_change": ("campus_id", "month"),
    "award_change": ("campus_id", "hour"),
}
_NEW_ID: Final = {"sqlite": "lower(hex(randomblob(16)))", "postgresql": "gen_random_uuid()"}
_HOUR: Final = {
    "sqlite": "substr({}.awarded_at, 1, 13)",
    "postgresql": "to_char({}.awarded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24')",
}
_MONTH: Final = {
    "sqlite": "strftime('%Y-%m-01', {}.starts_on)",
    "postgresql": "date_trunc('month', {}.starts_on)::date",
}


@dataclass(frozen=True)
class _Source:
    """Columns of one table that a stored count depends on, and the marks of a change to a row.

    `marks` selects them from a row: `{row}`, of which `{hour}` and `{month}` are an award's and an activity's.
    `deleted`: the same for a deleted row, if it differs; empty for none.
    """

    table: str
    columns: str
    mark: str
    marks: str
    deleted: str | None = None

    def marks_of(self, event: str) -> str:
        return self.deleted if event == "delete" and self.deleted is not None else self.marks


def _of_activity(table: str, columns: str) -> _Source:
    return _Source(
        table, f"activity_id {columns}", "activity_change", "SELECT {row}.activity_id AS activity_id"
    )


def _of_awards(table: str, columns: str) -> _Source:
    counted = "campus_id version_id badge_id awarded_at valid_until revoked_at claimed_at"
    marks = "SELECT {row}.campus_id AS campus_id, {hour} AS hour"
    return _Source(table, f"id {columns} {counted}", "award_change", marks)


_SOURCES: Final = (
    _Source("activity", "id hours", "activity_change", "SELECT {row}.id AS activity_id", deleted=""),
    _of_activity("participation", "id person_id part hours is_present"),
    _of_activity("participation_tombstone", "id holder part hours held_on"),
    _of_activity("activity_session", "id held_on hours cancelled_at"),
    _of_activity("activity_facts", "departement sector invited cancelled_at"),
    _of_activity("activity_audience", "audience people women"),
    _of_activity("activity_organisation", "name key part type"),
    _of_activity("activity_establishment", "number name"),
    _of_activity("activity_survey", "asked not_at_all rather_not rather fully recommends recommends_not"),
    _Source(
        "attendance",
        "session_id participation_id hours",
        "activity_change",
        "SELECT s.activity_id AS activity_id FROM activity_session s WHERE s.id = {row}.session_id",
    ),
    _Source(
        "activity",
        "id title kind starts_on ends_on declared_size is_sample",
        "month_change",
        "SELECT o.campus_id AS campus_id, {month} AS month FROM activity_campus o WHERE o.activity_id = {row}.id",
        # Its campuses may be gone in the same statement: every page of that month, stored or being stored.
        deleted="SELECT p.campus_id AS campus_id, p.month AS month FROM month_count p WHERE p.month = {month} "
        "UNION SELECT c.campus_id, c.month FROM month_change c WHERE c.month = {month}",
    ),
    _Source(
        "activity_campus",
        "activity_id campus_id accepted_at",
        "month_change",
        "SELECT {row}.campus_id AS campus_id, {month of a} AS month FROM activity a WHERE a.id = {row}.activity_id",
    ),
    _of_awards("award", "person_id undone_at visibility"),
    _of_awards("award_tombstone", "holder is_open"),
)


def _marks(source: _Source, event: str, row: str, dialect: str) -> str:
    found = source.marks_of(event).replace("{hour}", _HOUR[dialect].format(row))
    found = found.replace("{month of a}", _MONTH[dialect].format("a"))
    return found.replace("{month}", _MONTH[dialect].format(row)).replace("{row}", row)


def _on_sqlite(source: _Source) -> Iterator[str]:
    """One mark of each is enough: a transaction that writes is alone."""
    columns, names = source.columns.split(), _NAMES[source.mark]
    changed = " OR ".join(f"OLD.{name} IS NOT NEW.{name}" for name in columns)
    same = " AND ".join(f"k.{name} = m.{name}" for name in names)
    for event, rows, more in (
        ("insert", ("NEW",), ""),
        ("delete", ("OLD",), ""),
        ("update", ("OLD", "NEW"), f"WHEN {changed}"),
    ):
        if not source.marks_of(event):
            continue
        body = "".join(
            f"INSERT INTO {source.mark} (id, {', '.join(names)}) SELECT {_NEW_ID['sqlite']}, m.* "  # noqa: S608 - names of our own
            f"FROM ({_marks(source, event, row, 'sqlite')}) m WHERE NOT EXISTS (SELECT 1 FROM {source.mark} k WHERE {same}); "
            for row in rows
        )
        moment = f"UPDATE OF {', '.join(columns)}" if event == "update" else event.upper()
        yield f"AFTER {moment} ON {source.table} {more} BEGIN {body} END"


def _on_postgresql(source: _Source) -> Iterator[tuple[str, str, str]]:
    """One call for each statement, whatever the number of rows."""
    columns = ", ".join(source.columns.split())
    before, after = f"SELECT {columns} FROM old_rows", f"SELECT {columns} FROM new_rows"  # noqa: S608 - the same
    changed = {
        "insert": after,
        "delete": before,
        "update": f"({before} EXCEPT {after}) UNION ALL ({after} EXCEPT {before})",
    }
    for event, tables in triggers.CHANGED:
        if not source.marks_of(event):
            continue
        marks = (
            f"INSERT INTO {source.mark} (id, {', '.join(_NAMES[source.mark])}) SELECT {_NEW_ID['postgresql']}, m.* FROM "  # noqa: S608 - the same
            f"(SELECT DISTINCT m.* FROM ({changed[event]}) changed CROSS JOIN LATERAL "
            f"({_marks(source, event, 'changed', 'postgresql')}) m) m"
        )
        yield event, marks, f"AFTER {event.upper()} ON {source.table} REFERENCING {tables}"


TRIGGERS: Final = [
    Trigger(f"{PREFIX}{source.table}_{source.mark}_{event}", on_sqlite, marks, moment)
    for source in _SOURCES
    for on_sqlite, (event, marks, moment) in zip(_on_sqlite(source), _on_postgresql(source), strict=True)
]


def mark_everything(connection: Connection) -> None:
    """Nothing is stored any more: until workers have counted all again, each figure is counted from the rows."""
    dialect = connection.dialect.name
    month, hour = _MONTH[dialect].format("a"), _HOUR[dialect].format("a")
    for name in ("activity_count", "month_count", "award_count"):
        connection.exec_driver_sql(f"DELETE FROM {name}")  # noqa: S608 - names of our own
    everything = {
        "activity_change": "SELECT id AS activity_id FROM activity",
        "month_change": f"SELECT DISTINCT o.campus_id, {month} AS month FROM activity a JOIN activity_campus o "  # noqa: S608 - the same
        "ON o.activity_id = a.id",
        "award_change": f"SELECT a.campus_id, {hour} AS hour FROM award a UNION "  # noqa: S608 - the same
        f"SELECT a.campus_id, {hour} FROM award_tombstone a",
    }
    for mark, rows in everything.items():
        names = ", ".join(_NAMES[mark])
        connection.exec_driver_sql(
            f"INSERT INTO {mark} (id, {names}) SELECT {_NEW_ID[dialect]}, m.* FROM ({rows}) m"  # noqa: S608 - the same
        )
