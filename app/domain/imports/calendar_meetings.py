"""What a calendar says: activities that are held once, and the sessions of those that are held again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from app.domain.activities.activities import ActivityKind
from app.domain.imports.records import Record, ToldActivity, fault_in

MOST_EVENTS: Final = 2_000
"""Of one file."""
MOST_LINES: Final = 2_000
"""Sessions that one file may come to, once its recurrences are counted out."""
MOST_SERIES: Final = 200
MOST_BYTES: Final = 3 * 1024 * 1024


@dataclass(frozen=True)
class Meeting:
    """One line: an activity that is held once, or one session of a series, which `occurrence` names."""

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
    fault: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def activity_key(self) -> tuple[str, ...]:
        return ("activity", self.uid)

    @property
    def own_key(self) -> tuple[str, ...]:
        return ("session", self.uid, self.occurrence) if self.occurrence else self.activity_key

    def told(self) -> ToldActivity:
        """What it says of the activity: of a series, the days and hours are those of its sessions."""
        if self.occurrence:
            return ToldActivity(self.uid, self.title, None, place=self.place)
        return ToldActivity(
            self.uid, self.title, None, self.starts_on, self.ends_on, place=self.place, hours=self.hours
        )

    def said(self) -> dict[str, Any]:
        """What it says of a session."""
        facts: dict[str, Any] = {"held_on": self.starts_on.isoformat() if self.starts_on else ""}
        return facts if self.hours is None else {**facts, "hours": self.hours}

    def refused(self, sentence: str, **values: Any) -> Meeting:
        return replace(self, fault=sentence, values=values)

    def checked(self) -> Meeting:
        """With what no source may say."""
        if self.fault or self.cancelled:
            return self
        told = ToldActivity(
            self.uid, self.title, None, self.starts_on, self.ends_on, place=self.place, hours=self.hours
        )
        fault = fault_in(Record(self.number, activity=told))
        return self.refused(fault.sentence, **fault.values) if fault else self

    def cells(self) -> list[str]:
        """As the table of a report shows a line that was refused, in the order of our own template."""
        return Record(
            self.number,
            self.occurrence,
            ToldActivity(
                self.uid, self.title, self.kind, self.starts_on, self.ends_on, self.place, self.hours
            ),
        ).cells()


@dataclass(frozen=True)
class ReadCalendar:
    """`whole_from` says, of each identifier, from which day on the file lists every session that there is."""

    meetings: Sequence[Meeting]
    whole_from: Mapping[str, date]
    first_days: Mapping[str, date]
    """Of each series, its first day, whether or not it is read from there."""
