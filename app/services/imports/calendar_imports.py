"""Taking over the sessions of a calendar: dropped, read, shown, confirmed and written at once, reported."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.adapters.calendars.reading import read_calendar
from app.domain.activities.activities import ActivityKind
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.core.columns import new_row
from app.domain.imports.calendar_meetings import ReadCalendar
from app.domain.imports.imports import (
    Fate,
    ImportForm,
    ImportLine,
    ImportRun,
    ImportState,
    check_draft,
    check_source,
)
from app.services.imports.calendar_judging import CalendarJudging, Foreseen
from app.services.imports.calendar_writing import CalendarWriting
from app.services.imports.imports import ImportService


@dataclass(frozen=True)
class CalendarDraft:
    run: ImportRun
    lines: Sequence[Foreseen]
    before: ImportRun | None
    """The last import of the very same file."""


class CalendarImports:
    def __init__(self, imports: ImportService, judging: CalendarJudging, writing: CalendarWriting) -> None:
        self.imports = imports
        self.judging = judging
        self.writing = writing

    def drop(self, campus: Campus, source: str, data: bytes, *, by: Actor) -> ImportRun:
        """Keep what was dropped until somebody confirms it, a day at most."""
        run = self.imports.new_run(campus, ImportForm.CALENDAR, check_source(source), data, by)
        run.given = zlib.compress(data.decode("utf-8-sig", errors="replace").encode())
        self._read(campus, run)
        self.imports.imports.save(run)
        return run

    def draft(self, campus: Campus, run_id: uuid.UUID) -> CalendarDraft:
        run = self.imports.imports.get(run_id, campus.id)
        check_draft(run)
        lines = self.judging.judge(campus, run.source, self._read(campus, run))
        return CalendarDraft(run, lines, self.imports.imports.find_same(campus.id, run.digest))

    def confirm(self, campus: Campus, run_id: uuid.UUID, kind: ActivityKind, *, by: Actor) -> ImportRun:
        """Write what is good of it; `kind` is that of new activities whose categories do not say it."""
        self.imports.campuses.lock(campus.id)
        self.imports.imports.get(run_id, campus.id)
        run = self.imports.imports.lock(run_id)
        assert run is not None, "it was there a moment ago"
        check_draft(run)
        lines = self.judging.judge(campus, run.source, self._read(campus, run))
        at = self.imports.clock()
        run.state, run.given, run.asked_at, run.done_at = ImportState.DONE, b"", at, at
        self.imports.imports.save(run)
        self.writing.write(campus, run, lines, kind, by=by)
        self.imports.imports.add_lines([_line(run, place, one) for place, one in enumerate(lines)])
        self.imports.history.write(
            by, "take_over", "import", run.id, at=at, campus_id=campus.id, lines=len(lines)
        )
        return run

    @staticmethod
    def _read(campus: Campus, run: ImportRun) -> ReadCalendar:
        """As it was on the day it was dropped: what is confirmed is what was shown."""
        today = run.asked_at.astimezone(ZoneInfo(campus.time_zone)).date()
        return read_calendar(zlib.decompress(run.given), zone=campus.time_zone, today=today)


def _line(run: ImportRun, position: int, one: Foreseen) -> ImportLine:
    return new_row(
        ImportLine,
        run_id=run.id,
        position=position,
        number=one.meeting.number,
        fate=one.fate,
        reason=one.reason,
        reason_values=dict(one.values),
        told={},
        cells=one.meeting.cells() if one.fate is Fate.REFUSED else [],
    )
