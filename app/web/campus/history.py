"""« Historique »: all that was done in a campus, looked through by person, subject and date, and taken away."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from app.container import Services
from app.domain.accounts.access import Scope
from app.domain.accounts.permissions import Deed
from app.domain.campus.campus import Campus
from app.domain.campus.history import NOUNS_OF, Subject
from app.domain.core.tables import csv_for_excel, lines_for_excel
from app.domain.people.people import Role
from app.errors import InvalidInput
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.wording import day, local
from app.http.pages.words import ROLES, SCOPES
from app.http.request_scope import ReadingServices, deed, visit
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_
from app.services.campus.history import Event, Filter
from app.web.campus.history_words import (
    ACTORS,
    COMMAND,
    DEEDS,
    OTHER_DEED,
    PROGRAM,
    PROOFS,
    SERVICE,
    SUBJECTS,
    TABLES,
)

A_PAGE = 50
Before = Annotated[int | None, Query(ge=1, lt=2**63)]
"""The number of the oldest entry of the page before."""
_BLOCK = 500
router = APIRouter(prefix="/gestion/{slug}/historique")
_AUDIT = [staff(Deed.AUDIT)]
_PLACES = {"award": "attributions", "badge": "badges", "activity": "activites"}
_BAD_DATE = N_("Écrivez les dates ainsi : 2026-11-24.")
_BACKWARDS = N_("Le dernier jour vient avant le premier : échangez les deux dates.")
_FIRST_DAY, _LAST_DAY = date.min, date.max - timedelta(days=1)
"""Beyond these, the day before or after has no date, in one time zone or another."""


@dataclass(frozen=True)
class EventLine:
    at: datetime
    what: str
    about: str
    href: str
    detail: str
    who: str

    @staticmethod
    def of(event: Event, home: str) -> EventLine:
        entry = event.entry
        place = _PLACES.get(entry.noun, "") if event.subject else ""
        return EventLine(
            entry.at,
            say(DEEDS.get((entry.noun, entry.deed), OTHER_DEED)),
            event.subject,
            f"{home}/{place}/{entry.noun_id}" if place else "",
            detail_of(event),
            who_of(event),
        )


@dataclass(frozen=True)
class Asked:
    """The filter as it was typed."""

    who: str = ""
    what: str = ""
    first: str = ""
    last: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def query(self) -> str:
        typed = {"qui": self.who, "quoi": self.what, "du": self.first, "au": self.last}
        return urlencode({name: value for name, value in typed.items() if value})

    def filter(self, campus: Campus) -> Filter:
        """What could be read of it; whoever is not known here has done nothing."""
        subject = next((each for each in Subject if each.value == self.what), None)
        first, last = self._day("du", self.first), self._day("au", self.last)
        if first and last and last < first:
            self.errors["au"] = say(_BACKWARDS)
        return Filter(
            NOUNS_OF[subject] if subject else (),
            _uuid(self.who),
            _beginning(first, campus) if first else None,
            _beginning(last + timedelta(days=1), campus) if last else None,
        )

    def _day(self, name: str, typed: str) -> date | None:
        try:
            day = date.fromisoformat(typed) if typed else None
        except ValueError:
            day = _FIRST_DAY
        if day is None or _FIRST_DAY < day < _LAST_DAY:
            return day
        self.errors[name] = say(_BAD_DATE)
        return None


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return uuid.UUID(int=0)


def _beginning(day: date, campus: Campus) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(campus.time_zone)).astimezone(UTC)


def detail_of(event: Event) -> str:
    """What else the entry says, in words."""
    facts, parts = event.entry.facts, []
    if event.entry.noun == "membership" and facts.get("role") in list(Role):
        parts.append(say(ROLES[Role(facts["role"])]))
    if event.entry.noun == "invitation":
        parts += [say(ROLES[role]) for role in Role if role.value in facts.get("roles", ())]
    if event.entry.noun == "token":
        parts += [say(SCOPES[scope]) for scope in Scope if scope.value in facts.get("scopes", ())]
    if isinstance(facts.get("number"), int):
        parts.append(say(N_("version {number}")).format(number=facts["number"]))
    parts += _days_of(facts)
    if facts.get("by") in PROOFS:
        parts.append(say(PROOFS[facts["by"]]))
    if facts.get("table") in TABLES:
        parts.append(say(TABLES[facts["table"]]))
    return ", ".join(parts)


def _days_of(facts: Mapping[str, Any]) -> list[str]:
    """Of a session or of an activity that is gone: its day, and the other one it was moved to."""
    on, to = facts.get("on"), facts.get("to")
    if not isinstance(on, str):
        return []
    told = day(date.fromisoformat(on))
    if not isinstance(to, str) or to == on:
        return [told]
    return [say(N_("du {first} au {day}")).format(first=told, day=day(date.fromisoformat(to)))]


def who_of(event: Event) -> str:
    label = event.entry.actor_label
    if event.actor is not None:
        return event.actor.name
    if label in ACTORS:
        return say(ACTORS[label])
    if label.startswith("token "):
        return say(N_("Programme « {label} »")).format(label=event.program) if event.program else say(PROGRAM)
    return say(COMMAND if label.startswith("command ") else SERVICE)


@router.get("", dependencies=_AUDIT)
def show_history(
    request: Request,
    services: ReadingServices,
    qui: str = "",
    quoi: str = "",
    du: str = "",
    au: str = "",
    avant: Before = None,
) -> HTMLResponse:
    work, asked = at_work(request), Asked(qui, quoi, du, au)
    wanted = asked.filter(work.campus)
    found = services.history.page(work.campus, wanted, before=avant, limit=A_PAGE)
    shown, query = found[:A_PAGE], asked.query
    older = f"?{query}&avant={shown[-1].entry.id}".replace("?&", "?") if len(found) > A_PAGE else ""
    return page(
        request,
        "campus/history.html",
        campus=work.look,
        private=True,
        status=422 if asked.errors else 200,
        home=work.home,
        zone=work.campus.time_zone,
        asked=asked,
        people=_people(services, work),
        subjects=[("", say(N_("Tout")))] + [(each.value, say(SUBJECTS[each])) for each in Subject],
        lines=[EventLine.of(event, work.home) for event in shown],
        is_filtered=bool(query),
        is_first=avant is None,
        first_href=f"?{query}",
        older=older,
        table=f"{work.home}/historique/historique.csv" + (f"?{query}" if query else ""),
    )


@router.get("/historique.csv", dependencies=_AUDIT)
def history_table(request: Request, qui: str = "", quoi: str = "", du: str = "", au: str = "") -> Response:
    work, asked = at_work(request), Asked(qui, quoi, du, au)
    wanted = asked.filter(work.campus)
    if asked.errors:
        raise InvalidInput(_BACKWARDS if "au" in asked.errors and wanted.until else _BAD_DATE)
    export_noted(request, "historique")

    def rows(services: Services) -> Iterator[Sequence[str]]:
        for event in services.history.all(work.campus, wanted):
            line = EventLine.of(event, work.home)
            when = local(line.at, work.campus.time_zone)
            yield f"{when:%d/%m/%Y}", f"{when:%H:%M:%S}", line.who, line.what, line.about, line.detail

    heading = ("Date", "Heure", "Par", "Action", "Concerne", "Précision")
    return streamed_table(request, "historique", heading, rows)


def _people(services: Services, work: AtWork) -> list[tuple[str, str]]:
    everybody = [("", say(N_("Tout le monde")))]
    return everybody + [(str(person.id), person.name) for person in services.history.people_of(work.campus)]


def export_noted(request: Request, table: str) -> None:
    """Kept before the first line leaves: whoever takes names away is known."""
    work = at_work(request)
    with deed(request) as writing:
        writing.history.note_export(work.campus, table, by=work.actor)


def streamed_table(
    request: Request, name: str, heading: Sequence[str], rows: Callable[[Services], Iterable[Sequence[str]]]
) -> Response:
    """A table for a spreadsheet, read in a transaction of its own, which lasts as long as it is sent."""

    def blocks() -> Iterator[bytes]:
        yield csv_for_excel(heading, [])
        with visit(request, reading=True) as services:
            block: list[Sequence[str]] = []
            for row in rows(services):
                block.append(row)
                if len(block) >= _BLOCK:
                    yield lines_for_excel(block)
                    block = []
            yield lines_for_excel(block)

    return StreamingResponse(
        blocks(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
    )
