"""The trainer's desk: the campuses one works for, and what goes on in each."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.activities.activities import Activity
from app.domain.badges.badges import Badge, BadgeVersion
from app.domain.campus.campus import Campus
from app.domain.campus.keys import may_be_retired
from app.domain.people.people import Role
from app.http.pages.render import CampusLook, page
from app.http.pages.typography import say
from app.http.pages.words import (
    ACTIVITY_KINDS,
    BADGE_KINDS,
    KEY_PURPOSES,
    KEY_STATES,
    LABEL_CATEGORIES,
    LABEL_STATES,
    ROLES,
    Word,
    ended_word,
    why_ended,
)
from app.http.request_scope import ReadingServices, process_of, signed_in
from app.http.workplaces import SIGNED_IN, AtWork, at_work, look_of, staff, today_in
from app.language import N_
from app.services.awards.awards import AwardRecord
from app.services.campus.campuses import LabelView
from app.services.people.people import Workplace
from app.web.badges.pieces import picture_of
from app.web.campus.promised_awards import promised_in
from app.web.campus.waiting import awaited_by, tasks_of

FEW_ACTIVITIES = 8
FEW_AWARDS = 6
LAST_CAMPUS = "campus"
_HALF_A_YEAR = 183 * 24 * 3600
_DOORS = (
    (Deed.DESIGN, N_("Nouveau badge"), "/badges/nouveau"),
    (Deed.REVIEW, N_("Demandes de badges"), "/demandes"),
    (Deed.PROTECT, N_("Protection des données"), "/donnees"),
    (Deed.AUDIT, N_("Historique du campus"), "/historique"),
    (Deed.AUDIT, N_("Audit du journal"), "/audit/journal"),
)
router = APIRouter()


@dataclass(frozen=True)
class ActivityLine:
    href: str
    title: str
    kind: str
    starts_on: date
    ends_on: date
    place: str
    people: int

    @staticmethod
    def of(work: AtWork, activity: Activity, people: int) -> ActivityLine:
        return ActivityLine(
            f"{work.home}/activites/{activity.id}",
            activity.title,
            ACTIVITY_KINDS[activity.kind],
            activity.starts_on,
            activity.ends_on,
            activity.place,
            people,
        )


@dataclass(frozen=True)
class BadgeTile:
    """A badge as one picks it from several."""

    id: uuid.UUID
    name: str
    kind: str
    picture: str
    number: int
    required_hours: float | None = None
    is_judged: bool = False

    @staticmethod
    def of(badge: Badge, version: BadgeVersion) -> BadgeTile:
        return BadgeTile(
            badge.id,
            version.name,
            BADGE_KINDS[version.kind],
            picture_of(badge, version),
            version.number,
            version.required_hours,
            version.kind.is_judged,
        )


@dataclass(frozen=True)
class AwardLine:
    id: uuid.UUID
    href: str
    person: str
    badge: str
    picture: str
    activity: str
    awarded_at: datetime
    ended: Word | None
    """Whether it was withdrawn, or undone before anybody heard of it."""
    why_ended: str

    @staticmethod
    def of(work: AtWork, record: AwardRecord) -> AwardLine:
        return AwardLine(
            record.award.id,
            f"{work.home}/attributions/{record.award.id}",
            record.person.name,
            record.version.name,
            picture_of(record.badge, record.version),
            record.activity.title if record.activity else "",
            record.award.awarded_at,
            ended_word(record.award),
            why_ended(record.award),
        )


@dataclass(frozen=True)
class KeyLine:
    method_id: str
    purpose: str
    algorithm: str
    state: Word
    since: datetime
    retire: str
    """Where it is retired; empty where it cannot be."""


@dataclass(frozen=True)
class LabelLine:
    network: str
    category: str
    state: Word
    starts_on: date | None
    ends_on: date | None
    note: str

    @staticmethod
    def of(view: LabelView) -> LabelLine:
        label = view.label
        return LabelLine(
            view.network.name,
            LABEL_CATEGORIES[label.category],
            LABEL_STATES[view.state],
            label.starts_on,
            label.ends_on,
            label.note,
        )


@dataclass(frozen=True)
class PlaceLine:
    """A campus that one works for, and as what."""

    look: CampusLook
    roles: Sequence[str]
    is_here: bool

    @staticmethod
    def of(place: Workplace, here: Campus | None = None) -> PlaceLine:
        roles = [ROLES[role] for role in Role if role in place.roles]
        return PlaceLine(look_of(place.campus), roles, here is not None and here.id == place.campus.id)


@router.get("/gestion", dependencies=[SIGNED_IN])
def my_campuses(request: Request, services: ReadingServices, tous: str = "") -> Response:
    """The only campus one works for, or the one worked for last in this browser; `tous` shows them all."""
    who = signed_in(request, services)
    places = services.people.workplaces(who)
    operates = services.operators.is_operator(who.person.id)
    last = request.cookies.get(LAST_CAMPUS) if not tous else None
    likely = [place for place in places if len(places) == 1 or place.campus.slug == last]
    if likely and not operates and likely[0].campus.suspended_at is None:
        return RedirectResponse(f"/gestion/{likely[0].campus.slug}", status_code=303)
    lines = [PlaceLine.of(place) for place in places]
    return page(request, "campus/desk/campuses.html", private=True, operates=operates, campuses=lines)


@router.get("/gestion/{slug}", dependencies=[staff(Deed.VIEW)])
def desk(request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    found = services.campuses.desk(work.campus)
    today = today_in(services, work.campus)
    board = services.dashboard.of(work.campus, today=today, reader=work.who.person.id)
    lines = [(activity, ActivityLine.of(work, activity, people)) for activity, people in found.activities]
    answer = page(
        request,
        "campus/desk/desk.html",
        campus=work.look,
        private=True,
        home=work.home,
        zone=work.campus.time_zone,
        today=[line for activity, line in lines if activity.starts_on <= today <= activity.ends_on],
        coming=[line for activity, line in reversed(lines) if activity.starts_on > today],
        past=[line for activity, line in lines if activity.ends_on < today][:FEW_ACTIVITIES],
        week=board.week,
        tasks=tasks_of(work, board.waiting),
        awaited=awaited_by(work),
        doors=_doors_of(work),
        promised=promised_in(services, work),
        works=work.may(Deed.WORK),
        badges=[BadgeTile.of(badge, version) for badge, version in found.badges if badge.archived_at is None],
        awards=[
            AwardLine.of(work, record) for record in services.awards.list_in(work.campus, limit=FEW_AWARDS)
        ],
        administers=work.may(Deed.MANAGE),
        keys=_keys_of(services, work) if work.may(Deed.MANAGE) else [],
        labels=[LabelLine.of(view) for view in services.campuses.labels_of(work.campus, on=today)],
        places=[PlaceLine.of(place, work.campus) for place in services.people.workplaces(work.who)],
    )
    _remember(answer, request, work)
    return answer


def _doors_of(work: AtWork) -> list[tuple[str, str]]:
    """Where whoever does not run activities does what they are here for; one role may have two."""
    if work.may(Deed.WORK):
        return []
    return [(say(words), work.home + path) for deed, words, path in _DOORS if work.may(deed)]


def _remember(answer: Response, request: Request, work: AtWork) -> None:
    """Where this browser goes on next time; it opens nothing that a role does not open."""
    answer.set_cookie(
        LAST_CAMPUS,
        work.campus.slug,
        max_age=_HALF_A_YEAR,
        path="/gestion",
        secure=process_of(request).settings.base_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )


def _keys_of(services: Services, work: AtWork) -> Sequence[KeyLine]:
    return [
        KeyLine(
            key.method_id,
            KEY_PURPOSES[key.purpose],
            key.algorithm,
            KEY_STATES[key.state],
            key.activated_at or key.created_at,
            f"{work.home}/cles/{key.id}/retirer" if may_be_retired(key) else "",
        )
        for key in services.campuses.keys_of(work.campus)
    ]
