"""Imported activities: the input, the outcome of each line, and the mapping of foreign identifiers."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlmodel import Field, Index, SQLModel

from app.domain.activities import Activity, ActivityKind, PartKind, check_title, longest_hours
from app.domain.activities.days_as_written import check_day, check_last_day
from app.domain.activities.listed_people import ListedPerson
from app.domain.core import enum_column, foreign_key, json_column, new_id, primary_foreign_key, utc_datetime
from app.domain.people import is_address, name_key
from app.domain.reports.facts import CELLS, ReportFacts, with_cells
from app.errors import AppError, Conflict, InvalidInput
from app.language import N_

# --- A parsed import line: an activity, a person in it, and what changed since the source's last import

MOST_HOURS = 10_000
# Maximum length of a quote in a report.
LONGEST_QUOTE = 60
REPEATS = N_("Répète la ligne {line}.")
"""Not a fault: the line contains nothing new."""


def _time_text(when: time | None) -> str:
    return f"{when:%H:%M}" if when else ""


@dataclass(frozen=True)
class ActivityRecord:
    """The activity's fields in a line; empty where the line has no value."""

    external_id: str = ""
    title: str = ""
    kind: ActivityKind | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    place: str = ""
    hours: float | None = None
    start_time: time | None = None
    end_time: time | None = None
    report: Mapping[str, str] = field(default_factory=dict)
    """Facts for the yearly report, one cell each."""

    @property
    def own_key(self) -> tuple[str, ...]:
        """Identifies the same activity on two lines: by its identifier, else by its title and first day."""
        if self.external_id:
            return ("activity", self.external_id)
        return ("activity of", name_key("", self.title), str(self.starts_on))

    def said(self) -> dict[str, Any]:
        facts = {
            "title": self.title,
            "kind": self.kind.value if self.kind else "",
            "starts_on": self.starts_on.isoformat() if self.starts_on else "",
            "ends_on": self.ends_on.isoformat() if self.ends_on else "",
            "place": self.place,
            "hours": self.hours,
            "start_time": _time_text(self.start_time),
            "end_time": _time_text(self.end_time),
        }
        facts |= self.report
        return {name: value for name, value in facts.items() if value not in ("", None)}


@dataclass(frozen=True)
class Record:
    """`number` is the line in the input; `part` is None if the line has none."""

    number: int
    external_id: str = ""
    activity: ActivityRecord = field(default_factory=ActivityRecord)
    person: ListedPerson = field(default_factory=lambda: ListedPerson(0))
    part: PartKind | None = None
    fault: str = ""
    """Why it cannot be parsed: a French msgid."""
    values: Mapping[str, Any] = field(default_factory=dict)
    asks: bool = False
    """Whether a person may confirm it in spite of `fault`."""
    suggestion: str = ""
    """The address that was probably meant, where the one given seems mistyped."""
    withdrawn: bool = False
    """The source withdraws its earlier record of this identifier."""
    account: str = ""
    """By which the source tells people of one name apart, where it has no address of theirs."""

    @property
    def own_key(self) -> tuple[str, ...]:
        if self.external_id:
            return ("participation", self.external_id)
        return ("participation of", *self.activity.own_key, self.person.line_key)

    def said(self) -> dict[str, Any]:
        """The line's fields about the person's part."""
        facts = {
            "hours": self.person.hours,
            "part": self.part.value if self.part else "",
            "contribution": self.person.contribution,
        }
        return {name: value for name, value in facts.items() if value not in ("", None)}

    def refused(self, sentence: str, **values: Any) -> Record:
        return replace(self, fault=sentence, values=values)

    def to_facts(self) -> dict[str, Any]:
        """As stored in JSON."""
        person, activity = self.person, self.activity
        return {
            "external_id": self.external_id,
            "activity": {"external_id": activity.external_id, **activity.said()},
            "person": [person.given_name, person.family_name, person.address, person.homonym],
            "withdrawn": self.withdrawn,
            "account": self.account,
            **self.said(),
        }

    def cells(self) -> list[str]:
        """For the report's table of lines that were no table rows, in the column order of our template."""
        person, activity = self.person, self.activity
        return [
            self.external_id,
            activity.title,
            activity.kind.value if activity.kind else "",
            activity.starts_on.strftime("%d/%m/%Y") if activity.starts_on else "",
            activity.ends_on.strftime("%d/%m/%Y") if activity.ends_on else "",
            _comma(activity.hours),
            activity.place,
            person.family_name,
            person.given_name,
            person.address,
            self.part.value if self.part else "",
            _comma(person.hours),
            person.contribution,
            activity.external_id,
            *(activity.report.get(name, "") for name in CELLS),
        ]

    @classmethod
    def from_facts(cls, number: int, recorded: Mapping[str, Any]) -> Record:
        activity = recorded["activity"]
        given, family, address, homonym = recorded["person"]
        part = PartKind(recorded["part"]) if "part" in recorded else None
        return cls(
            number,
            recorded["external_id"],
            ActivityRecord(
                activity["external_id"],
                activity.get("title", ""),
                ActivityKind(activity["kind"]) if "kind" in activity else None,
                _day(activity.get("starts_on")),
                _day(activity.get("ends_on")),
                activity.get("place", ""),
                activity.get("hours"),
                report={name: activity[name] for name in CELLS if name in activity},
            ),
            ListedPerson(
                number,
                given_name=given,
                family_name=family,
                address=address,
                hours=recorded.get("hours"),
                part=part or PartKind.LEARNER,
                contribution=recorded.get("contribution", ""),
                homonym=homonym,
            ),
            part,
            withdrawn=recorded["withdrawn"],
            account=recorded.get("account", ""),
        )


def _comma(hours: float | None) -> str:
    return "" if hours is None else f"{hours:.10g}".replace(".", ",")


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def fault_in(record: Record) -> AppError | None:
    """Values that no source may set, independent of existing data."""
    activity, person = record.activity, record.person
    try:
        if not activity.title:
            raise InvalidInput("Il manque le titre de l’activité.")
        if activity.starts_on is None:
            raise InvalidInput("Il manque la date de l’activité.")
        check_title(activity.title)
        check_day(activity.starts_on)
        check_last_day(activity.starts_on, activity.ends_on or activity.starts_on)
        if len(activity.title) > 200 or len(activity.place) > 200:
            raise InvalidInput("Le titre et le lieu tiennent en 200 signes.")
        if activity.hours is not None and not 0 < activity.hours <= MOST_HOURS:
            raise InvalidInput("La durée d’une activité est comprise entre 0 et 10 000 heures.")
        if person.hours is not None and not 0 <= person.hours <= MOST_HOURS:
            raise InvalidInput("Le nombre d’heures est compris entre 0 et 10 000.")
        if len(person.contribution) > 1000:
            raise InvalidInput("La contribution tient en 1 000 signes.")
        if person.address and not is_address(person.address):
            raise InvalidInput("Cette adresse e-mail n’est pas valable.")
        with_cells(ReportFacts(), activity.report)
        if len(record.external_id) > 300 or len(activity.external_id) > 300:
            raise InvalidInput("Un identifiant tient en 300 signes.")
    except InvalidInput as error:
        return error
    return None


_FAR_AHEAD = timedelta(days=2 * 366)


def improbable_in(record: Record, unclear: str = "", today: date | None = None) -> AppError | None:
    """What a person has to confirm; `unclear` is a date with two readings."""
    if hours := _excessive_hours(record):
        return InvalidInput("{hours} h : c’est beaucoup pour cette activité.", hours=_comma(hours))
    if unclear:
        return InvalidInput(
            "« {word} » : le jour d’abord, ou le mois ? Une autre date du tableau a le mois d’abord.",
            word=quoted(unclear),
        )
    try:
        check_near(record.activity.starts_on, today)
    except InvalidInput as error:
        return error
    return None


def check_near(day: date | None, today: date | None) -> None:
    if day and today and day > today + _FAR_AHEAD:
        raise InvalidInput("« {word} » est dans plus de deux ans : vérifiez l’année.", word=f"{day:%d/%m/%Y}")


def _excessive_hours(record: Record) -> float | None:
    """More than the activity lasts, so perhaps minutes."""
    activity, hours = record.activity, record.person.hours or 0
    if activity.hours and hours > activity.hours:
        return hours
    longest = longest_hours(activity.kind, activity.starts_on, activity.ends_on)
    most = max(hours, activity.hours or 0)
    return most if longest and most > longest else None


def without_contradictions(records: Iterable[Record], *, restates: bool = False) -> list[Record]:
    """The same records; those that contradict an earlier line are refused.

    `restates`: the source has several records of one person in one activity, each with its own identifier.
    """
    by_key: dict[tuple[str, ...], Record] = {}
    people: dict[tuple[str, ...], Record] = {}
    activities: dict[tuple[str, ...], Record] = {}
    judged: list[Record] = []
    for record in records:
        if not record.fault and not record.withdrawn:
            record = _against(record, by_key, people, activities, restates)
        judged.append(record)
        if not record.fault and not record.withdrawn:
            by_key.setdefault(record.own_key, record)
            people.setdefault((*record.activity.own_key, record.person.line_key), record)
            activities.setdefault(record.activity.own_key, record)
    return judged


def _against(
    record: Record,
    by_key: Mapping[tuple[str, ...], Record],
    people: Mapping[tuple[str, ...], Record],
    activities: Mapping[tuple[str, ...], Record],
    restates: bool,
) -> Record:
    first = by_key.get(record.own_key)
    if first is not None:
        if first.to_facts() == record.to_facts():
            return record.refused(REPEATS, line=first.number)
        return record.refused(
            N_("Même identifiant que la ligne {line}, avec un autre contenu."), line=first.number
        )
    twin = people.get((*record.activity.own_key, record.person.line_key))
    if twin is not None and not restates:
        return record.refused(
            N_("Même personne, même activité que la ligne {line}, sous un autre identifiant."),
            line=twin.number,
        )
    leader = activities.get(record.activity.own_key)
    if leader is not None and (what := contradicted(leader.activity, record.activity)):
        return record.refused(
            N_("Dit autre chose de l’activité que la ligne {line} : {what}."), line=leader.number, what=what
        )
    return record


def contradicted(first: ActivityRecord, other: ActivityRecord) -> list[str]:
    """Fields set differently in both. The title may differ where an identifier names the activity."""
    before, now = first.said(), other.said()
    return [
        name
        for name in before.keys() & now.keys()
        if before[name] != now[name] and not (name == "title" and not other.external_id)
    ]


def news(said: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that changed since the source's last content; omitted fields are not withdrawn."""
    return {name: value for name, value in said.items() if before.get(name) != value}


def amended(activity: Activity, news: Mapping[str, Any]) -> list[str]:
    """Writes changes to the activity; returns the names of the changed fields."""
    changed = []
    for name, value in news.items():
        wanted: Any = value
        if name == "kind":
            wanted = ActivityKind(value)
        elif name in ("starts_on", "ends_on"):
            wanted = date.fromisoformat(value)
        elif name in ("start_time", "end_time"):
            wanted = time.fromisoformat(value)
        if getattr(activity, name) != wanted:
            setattr(activity, name, wanted)
            changed.append(name)
    if "starts_on" in changed and "ends_on" not in news and activity.ends_on < activity.starts_on:
        activity.ends_on = activity.starts_on
    return changed


def would_change(activity: Activity, recorded: Mapping[str, Any], cells: Mapping[str, str]) -> list[str]:
    """Names of what would change; `cells`: the facts for the report that the activity has."""
    facts = with_cells(ReportFacts(), cells)
    current = {
        "title": activity.title,
        "kind": activity.kind.value,
        "starts_on": activity.starts_on.isoformat(),
        "ends_on": activity.ends_on.isoformat(),
        "place": activity.place,
        "hours": activity.hours,
        "start_time": _time_text(activity.start_time),
        "end_time": _time_text(activity.end_time),
    }
    return [
        name
        for name, value in recorded.items()
        if (with_cells(facts, {name: value}) != facts if name in CELLS else current[name] != value)
    ]


def quoted(text: str) -> str:
    """Text of the file, shortened for a report."""
    words = " ".join(text.split())
    return words if len(words) <= LONGEST_QUOTE else words[: LONGEST_QUOTE - 1] + "…"


# --- imports

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
        raise InvalidInput("Dites d’où viennent ces activités, en 60 signes au plus.")
    if name.casefold().startswith(OF_LISTS):
        raise InvalidInput("Donnez un autre nom à cette source.")
    return name


def check_draft(run: ImportRun) -> None:
    if run.state is not ImportState.DRAFT:
        raise Conflict("Cet import a déjà été confirmé.")
    if not run.given:
        raise Conflict("Ce fichier a été effacé : déposez-le à nouveau.")


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

    def record(self) -> ActivityRecord:
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
        record = ActivityRecord(
            self.uid, self.title, None, self.starts_on, self.ends_on, place=self.place, hours=self.hours
        )
        fault = fault_in(Record(self.number, activity=record))
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
