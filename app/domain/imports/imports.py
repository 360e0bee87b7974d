"""Imported activities: the input, the outcome of each line, and the mapping of foreign identifiers."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlmodel import Field, Index, SQLModel

from app.domain.activities.activities import ActivityKind
from app.domain.core import (
    enum_column,
    foreign_key,
    json_column,
    new_id,
    primary_foreign_key,
    utc_datetime,
)
from app.domain.imports.records import ActivityRecord, Record, fault_in
from app.errors import Conflict, InvalidInput
from app.language import N_

CHUNK_SIZE: Final = 500
"""How many lines are processed in one transaction."""
INLINE_LIMIT: Final = 50
"""Imports up to this many lines are processed in the request that confirms them."""
MOST_LINES: Final = 20_000
MOST_AT_THE_API: Final = 1_000
DRAFT_KEPT: Final = timedelta(hours=24)
"""Uploads that are not confirmed are deleted after this."""
REFUSED_KEPT: Final = timedelta(days=30)
"""Personal data of refused lines is deleted after this; their line numbers stay in the report."""


class ImportForm(StrEnum):
    TABLE = "table"
    API = "api"
    XAPI = "xapi"
    CALENDAR = "calendar"


class ImportState(StrEnum):
    DRAFT = "draft"
    """Parsed and shown; nothing is written before a person confirms."""
    RUNNING = "running"
    DONE = "done"


class ImportLineOutcome(StrEnum):
    """The actual or projected outcome of one line."""

    WAITING = "waiting"
    CREATED = "created"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"


class ImportRun(SQLModel, table=True):
    """One import, and its report.

    `given` is the uploaded text, compressed; deleted when the import is confirmed.
    """

    __tablename__ = "import_run"
    __table_args__ = (
        Index("imports_of_campus", "campus_id", "asked_at"),
        Index("imports_to_carry_out", "state", "asked_at"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    form: ImportForm = Field(sa_column=enum_column(ImportForm, name="import_form"))
    source: str = Field(max_length=60)
    digest: str = Field(max_length=64)
    """SHA-256 of the file or request, in hexadecimal."""
    size: int = 0
    state: ImportState = Field(
        default=ImportState.DRAFT, sa_column=enum_column(ImportState, name="import_state")
    )
    asked_by: uuid.UUID | None = None
    """May refer to a deleted person."""
    actor_label: str = Field(default="", max_length=120)
    asked_at: datetime = Field(sa_column=utc_datetime())
    done_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    given: bytes = b""
    mapping: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    forgotten: bool = False
    """Whether the content of its refused lines has been deleted."""


class ImportLine(SQLModel, table=True):
    """One line of an import.

    `told` is its parsed content, stored while it waits; `cells` its raw input, stored if it was refused.
    """

    __tablename__ = "import_line"
    __table_args__ = (Index("import_lines_to_carry_out", "run_id", "fate", "position"),)
    run_id: uuid.UUID = Field(sa_column=primary_foreign_key("import_run"))
    position: int = Field(primary_key=True)
    number: int
    """As the file counts its lines."""
    fate: ImportLineOutcome = Field(sa_column=enum_column(ImportLineOutcome, name="import_fate"))
    reason: str = Field(default="", max_length=300)
    reason_values: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    told: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    cells: list[str] = Field(default_factory=list, sa_column=json_column())


class Imported(SQLModel, table=True):
    """Maps a foreign identifier to a row. `key` is a keyed digest, since the identifier may be an address.

    `said` is the source's last content, so that only changes are written. An erasure empties it and clears
    `row_id`; the same line is refused from then on.
    """

    __tablename__ = "imported"
    __table_args__ = (Index("imported_rows", "row_id"),)
    campus_id: uuid.UUID = Field(sa_column=primary_foreign_key("campus"))
    key: str = Field(primary_key=True, max_length=64)
    source: str = Field(max_length=60)
    row_id: uuid.UUID | None = None
    run_id: uuid.UUID = Field(sa_column=foreign_key("import_run"))
    said: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    at: datetime = Field(sa_column=utc_datetime())


OF_LISTS: Final = "liste:"
OF_VERBS: Final = OF_LISTS + "xapi"
"""Begins the source of the mapping of lists of people: their headings follow as a digest."""


class ImportMapping(SQLModel, table=True):
    """How to parse the files of one source, from the user's last settings."""

    __tablename__ = "import_mapping"
    campus_id: uuid.UUID = Field(sa_column=primary_foreign_key("campus"))
    source: str = Field(primary_key=True, max_length=60)
    mapping: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    changed_at: datetime = Field(sa_column=utc_datetime())


FORGOTTEN: Final = N_("Le détail de cette ligne a été effacé au bout de 30 jours.")


def check_source(source: str) -> str:
    """The name of a source, normalised."""
    name = " ".join(source.split())
    if not 1 <= len(name) <= 60:
        raise InvalidInput(N_("Dites d’où viennent ces activités, en 60 signes au plus."))
    if name.casefold().startswith(OF_LISTS):
        raise InvalidInput(N_("Donnez un autre nom à cette source."))
    return name


def check_draft(run: ImportRun) -> None:
    if run.state is not ImportState.DRAFT:
        raise Conflict(N_("Cet import a déjà été confirmé."))
    if not run.given:
        raise Conflict(N_("Ce fichier a été effacé : déposez-le à nouveau."))


def form_of(data: bytes) -> ImportForm:
    """The format detected from the content: a calendar, JSON statements, else a table."""
    start = data[:200].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:15].upper() == b"BEGIN:VCALENDAR":
        return ImportForm.CALENDAR
    return ImportForm.XAPI if start[:1] in (b"[", b"{") else ImportForm.TABLE


MOST_CONTENT_LINES: Final = 60_000
"""Of a calendar (RFC 5545, 3.1); each costs the parser some microseconds, whatever its content."""
MOST_EVENTS: Final = 2_000
"""Per file."""
MAX_CALENDAR_LINES: Final = 2_000
"""Maximum sessions of one file, after expanding recurrences."""
MOST_SERIES: Final = 200
MOST_BYTES: Final = 3 * 1024 * 1024


@dataclass(frozen=True)
class Meeting:
    """One line: a single activity, or one session of a series, identified by `occurrence`."""

    number: int
    uid: str
    occurrence: str = ""
    title: str = ""
    kind: ActivityKind | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    place: str = ""
    hours: float | None = None
    cancelled: bool = False
    start_time: time | None = None
    end_time: time | None = None
    fault: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def activity_key(self) -> tuple[str, ...]:
        return ("activity", self.uid)

    @property
    def own_key(self) -> tuple[str, ...]:
        return ("session", self.uid, self.occurrence) if self.occurrence else self.activity_key

    def told(self) -> ActivityRecord:
        """The activity's fields; in a series, days and hours are those of its sessions."""
        if self.occurrence:
            return ActivityRecord(self.uid, self.title, None, place=self.place)
        return ActivityRecord(
            self.uid,
            self.title,
            None,
            self.starts_on,
            self.ends_on,
            place=self.place,
            hours=self.hours,
            start_time=self.start_time,
            end_time=self.end_time,
        )

    def said(self) -> dict[str, Any]:
        """The session's fields."""
        facts: dict[str, Any] = {"held_on": self.starts_on.isoformat() if self.starts_on else ""}
        return facts if self.hours is None else {**facts, "hours": self.hours}

    def refused(self, sentence: str, **values: Any) -> Meeting:
        return replace(self, fault=sentence, values=values)

    def checked(self) -> Meeting:
        """Checks the values that no source may set."""
        if self.fault or self.cancelled:
            return self
        told = ActivityRecord(
            self.uid, self.title, None, self.starts_on, self.ends_on, place=self.place, hours=self.hours
        )
        fault = fault_in(Record(self.number, activity=told))
        return self.refused(fault.sentence, **fault.values) if fault else self

    def cells(self) -> list[str]:
        """For the report's table of refused lines, in the column order of our own template."""
        return Record(
            self.number,
            self.occurrence,
            ActivityRecord(
                self.uid, self.title, self.kind, self.starts_on, self.ends_on, self.place, self.hours
            ),
        ).cells()


@dataclass(frozen=True)
class ReadCalendar:
    """`whole_from`: for each identifier, the day from which the file lists every session."""

    meetings: Sequence[Meeting]
    whole_from: Mapping[str, date]
    first_days: Mapping[str, date]
    """For each series, its first day, whether or not it is read from there."""
