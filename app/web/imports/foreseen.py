"""What would become of each line of a file, before anything is written; of calendars and statements, the whole page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from app.container import Services
from app.domain.activities.activities import ActivityKind
from app.domain.core.durations import duration
from app.domain.imports.imports import Fate, ImportForm, ImportRun, form_of
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.words import ACTIVITY_KINDS, Word
from app.http.request_scope import deed
from app.http.workplaces import AtWork, at_work
from app.language import N_
from app.services.activities.participant_lists import text_of_file
from app.services.imports.calendar_judging import Foreseen
from app.services.imports.verdicts import Judged
from app.web.imports.words import FORESEEN, reason_of

SHOWN, SHOWN_REFUSED = 60, 200
_FIGURES = {
    Fate.CREATED: N_("À créer"),
    Fate.CHANGED: N_("À corriger ici"),
    Fate.SAME: N_("Déjà là"),
    Fate.REFUSED: N_("Refusées"),
}
_ORDER = (Fate.REFUSED, Fate.CHANGED, Fate.CREATED, Fate.SAME)


@dataclass(frozen=True)
class LineView:
    """`name` with its `hint`, and what else tells the line apart."""

    number: int
    name: str
    hint: str
    about: str
    fate: Fate
    reason: str

    @property
    def word(self) -> Word:
        return FORESEEN[self.fate]

    @staticmethod
    def of(one: Judged) -> LineView:
        record = one.record
        return LineView(
            record.number,
            record.person.name,
            record.person.address,
            record.activity.title,
            one.fate,
            reason_of(one.reason, one.values),
        )

    @staticmethod
    def of_meeting(one: Foreseen) -> LineView:
        meeting = one.meeting
        return LineView(
            meeting.number,
            meeting.title,
            meeting.place,
            _when(meeting.starts_on, meeting.ends_on, meeting.hours),
            one.fate,
            reason_of(one.reason, one.values),
        )


def _when(first: date | None, last: date | None, hours: float | None) -> str:
    days = [f"{each:%d/%m/%Y}" for each in (first, last if last != first else None) if each]
    length = [] if hours is None else [duration(round(hours * 60))]
    return ", ".join([" – ".join(days), *length]) if days else ""


def told_lines(lines: Sequence[LineView]) -> dict[str, Any]:
    """The lines of a page by what would become of them, those that need a person first."""
    groups = {fate: [one for one in lines if one.fate is fate] for fate in _FIGURES}
    return {
        "figures": [(say(words), len(groups[fate]), "") for fate, words in _FIGURES.items()],
        "groups": [
            (
                fate.value,
                say(_FIGURES[fate]),
                len(groups[fate]),
                groups[fate][: SHOWN_REFUSED if fate is Fate.REFUSED else SHOWN],
            )
            for fate in _ORDER
        ],
        "writes": len(groups[Fate.CREATED]) + len(groups[Fate.CHANGED]),
    }


def dropped(services: Services, work: AtWork, source: str, data: bytes, pasted: str) -> ImportRun:
    """Whatever file it is, read and kept until somebody confirms it."""
    form = form_of(data)
    if form is ImportForm.CALENDAR:
        return services.calendar_imports.drop(work.campus, source, data, by=work.actor)
    if form is ImportForm.XAPI:
        return services.statement_imports.drop(work.campus, source, data, by=work.actor)
    text = pasted if pasted and data == pasted.encode() else text_of_file(data)
    return services.imports.drop(work.campus, source, text, data, by=work.actor)


def confirmed(services: Services, work: AtWork, run: ImportRun, kind: str) -> None:
    if run.form is ImportForm.CALENDAR:
        chosen = ActivityKind(kind) if kind in set(ActivityKind) else ActivityKind.WORKSHOP
        services.calendar_imports.confirm(work.campus, run.id, chosen, by=work.actor)
    else:
        services.statement_imports.confirm(work.campus, run.id, by=work.actor)


def foreseen_page(request: Request, services: Services, run: ImportRun) -> HTMLResponse | None:
    """Of a file that leaves no question about its columns."""
    work, is_calendar = at_work(request), run.form is ImportForm.CALENDAR
    if run.form is ImportForm.TABLE:
        return None
    if is_calendar:
        meetings = services.calendar_imports.draft(work.campus, run.id)
        before, lines = meetings.before, [LineView.of_meeting(one) for one in meetings.lines]
    else:
        with deed(request) as trying:
            statements = trying.statement_imports.draft(work.campus, run.id)
        before, lines = statements.before, [LineView.of(one) for one in statements.lines]
    return page(
        request,
        "imports/foreseen.html",
        campus=work.look,
        private=True,
        home=work.home,
        here=f"{work.home}/reprises/{run.id}",
        zone=work.campus.time_zone,
        source=run.source,
        before=before.asked_at if before else None,
        total=len(lines),
        is_calendar=is_calendar,
        all_kinds=[(kind.value, say(words)) for kind, words in ACTIVITY_KINDS.items()],
        kind=ActivityKind.WORKSHOP.value,
        **told_lines(lines),
    )
