"""One box that finds people, badges, activities and awards of a campus.

A name typed here never stands in an address: the words are posted, and the page of results goes by them
sealed for the person who looks, so that browser history, logs and shared links say nothing of anybody.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.activities.activities import Activity
from app.domain.people.people import Person
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.wording import days
from app.http.request_scope import ReadingServices
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_
from app.services.campus.directory import Start
from app.web.badges.desk import BadgeLine
from app.web.campus.desk import AwardLine

FEW, MANY = 5, 30
router = APIRouter(prefix="/gestion/{slug}/recherche")
_VIEW = [staff(Deed.VIEW)]


class Where(StrEnum):
    PEOPLE = "personnes"
    BADGES = "badges"
    ACTIVITIES = "activites"
    AWARDS = "attributions"


TITLES = {
    Where.PEOPLE: N_("Personnes"),
    Where.BADGES: N_("Badges"),
    Where.ACTIVITIES: N_("Activités"),
    Where.AWARDS: N_("Attributions"),
}


@dataclass(frozen=True)
class Hit:
    href: str
    title: str
    beside: str = ""


@dataclass(frozen=True)
class Hits:
    """What was found of one kind; `more` leads to the rest."""

    where: str
    title: str
    lines: Sequence[Hit]
    more: str = ""


@router.get("", dependencies=_VIEW)
def show_search(
    request: Request,
    services: ReadingServices,
    q: str = "",
    dans: Where | None = None,
    apres: uuid.UUID | None = None,
) -> HTMLResponse:
    work = at_work(request)
    words = services.directory.unseal(q, work.campus, work.actor) if q else ""
    if not words:
        found: list[Hits] = []
    elif dans is None:
        found = _everywhere(services, work, words, q)
    else:
        found = [_one_kind(services, work, words, q, dans, apres)]
    return page(
        request,
        "people/results.html",
        campus=work.look,
        private=True,
        home=work.home,
        words=words,
        token=q,
        found=[hits for hits in found if hits.lines],
        only=say(TITLES[dans]) if dans else "",
        is_first=apres is None,
    )


@router.post("", dependencies=_VIEW)
def search(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, words = at_work(request), text_of(form, "mots")
    here = f"{work.home}/recherche"
    sealed = services.directory.seal(words, work.campus, work.actor) if words else ""
    return RedirectResponse(f"{here}?q={sealed}" if sealed else here, status_code=303)


def _everywhere(services: Services, work: AtWork, words: str, token: str) -> list[Hits]:
    found = services.directory.search(work.campus, words, limit=FEW)
    by_kind = {
        Where.PEOPLE: [person_hit(work, person, found.addresses) for person in found.people],
        Where.BADGES: [_badge_hit(BadgeLine.of(work, *pair)) for pair in found.badges],
        Where.ACTIVITIES: [_activity_hit(work, activity) for activity in found.activities],
        Where.AWARDS: [_award_hit(AwardLine.of(work, record)) for record in found.awards],
    }
    return [
        Hits(
            where.value,
            say(TITLES[where]),
            hits[:FEW],
            f"?q={token}&dans={where.value}" if len(hits) > FEW else "",
        )
        for where, hits in by_kind.items()
    ]


def _one_kind(
    services: Services, work: AtWork, words: str, token: str, where: Where, after: uuid.UUID | None
) -> Hits:
    start, directory = Start(after, MANY), services.directory
    ids: list[uuid.UUID] = []
    match where:
        case Where.PEOPLE:
            people = directory.find_people(work.campus, words, start)
            addresses = directory.addresses_of(people)
            hits = [person_hit(work, person, addresses) for person in people]
            ids = [person.id for person in people]
        case Where.ACTIVITIES:
            activities = directory.find_activities(work.campus, words, start)
            hits = [_activity_hit(work, activity) for activity in activities]
            ids = [activity.id for activity in activities]
        case Where.AWARDS:
            records = directory.find_awards(work.campus, words, start)
            hits = [_award_hit(AwardLine.of(work, record)) for record in records]
            ids = [record.award.id for record in records]
        case Where.BADGES:
            badges = directory.search(work.campus, words, limit=1_000).badges
            hits = [_badge_hit(BadgeLine.of(work, *pair)) for pair in badges]
    more = f"?q={token}&dans={where.value}&apres={ids[MANY - 1]}" if len(ids) > MANY else ""
    return Hits(where.value, say(TITLES[where]), hits if where is Where.BADGES else hits[:MANY], more)


def person_hit(work: AtWork, person: Person, addresses: dict[uuid.UUID, str]) -> Hit:
    return Hit(f"{work.home}/repertoire/{person.id}", person.name, addresses.get(person.id, ""))


def _badge_hit(line: BadgeLine) -> Hit:
    return Hit(line.href, line.name, say(line.kind))


def _activity_hit(work: AtWork, activity: Activity) -> Hit:
    dates = days(activity.starts_on, activity.ends_on)
    beside = f"{dates}. {activity.place}" if activity.place else dates
    return Hit(f"{work.home}/activites/{activity.id}", activity.title, beside)


def _award_hit(line: AwardLine) -> Hit:
    return Hit(line.href, line.person, line.badge)
