"""Public award ceremony: one badge after the other on a large screen, with only the chosen personal data."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

import segno
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.awards import AwardState
from app.domain.core import plain_text
from app.domain.messages import shown_name
from app.http.pages.forms import Count
from app.http.pages.render import page
from app.http.pages.words import BADGE_KINDS, sentence_text
from app.http.request_scope import ReadingServices
from app.http.workplaces import AtWork, at_work, staff
from app.services.awards.awards import AwardRecord
from app.services.badges import picture_words
from app.web.activities.activities import ActivityView
from app.web.awards.delivery import MOST_SHOWN
from app.web.badges.rules import picture_of

router = APIRouter(prefix="/gestion/{slug}/activites/{activity_id}/projection")
WHOLE = "entiers"


@dataclass(frozen=True)
class Candidate:
    award_id: uuid.UUID
    name: str
    shown: str
    badge: str


@router.get("", dependencies=[staff(Permission.AWARD)])
def choose(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    """Chooses who is shown, and how much of their names."""
    work = at_work(request)
    found = services.activities.page(work.campus, activity_id)
    records = _shown(services, work, activity_id)
    names = services.handing_over.names_of(records)
    return work.page(
        request,
        "awards/handing/projection.html",
        activity=ActivityView.of(work, found.activity),
        people=[
            Candidate(
                record.award.id, names[record.award.id], _name(record, whole=False), record.version.name
            )
            for record in records
        ],
    )


@router.get("/ecran", dependencies=[staff(Permission.AWARD)])
def screen(
    activity_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    sans: Annotated[list[uuid.UUID] | None, Query()] = None,
    noms: str = "",
    n: Count = 1,
) -> HTMLResponse:
    """The badge at position `n`, without the few excluded ones; the position after the last is the end
    page."""
    work = at_work(request)
    found = services.activities.page(work.campus, activity_id)
    left_out = set(sans or ())
    chosen = [each for each in _shown(services, work, activity_id) if each.award.id not in left_out]
    place = min(max(n, 1), len(chosen) + 1)
    record = chosen[place - 1] if place <= len(chosen) else None
    activity = ActivityView.of(work, found.activity)
    kept = [*(("sans", str(each)) for each in sans or ()), ("noms", noms)]
    here = f"{activity.href}/projection"
    return page(
        request,
        "awards/handing/screen.html",
        campus=work.look,
        private=True,
        activity=activity,
        name=_name(record, whole=noms == WHOLE) if record else "",
        badge=record.version.name if record else "",
        kind=BADGE_KINDS[record.version.kind] if record else "",
        picture=picture_of(record.badge, record.version) if record else "",
        picture_words=sentence_text(picture_words(record.campus, record.version)) if record else "",
        place=place,
        wallet=services.addresses.claiming_for_wallet.partition("://")[2],
        wallet_code=_code(services.addresses.claiming_for_wallet) if chosen and not record else "",
        total=len(chosen),
        previous=f"{here}/ecran?{urlencode([*kept, ('n', place - 1)])}" if place > 1 else "",
        next=f"{here}/ecran?{urlencode([*kept, ('n', place + 1)])}" if record else "",
        leave=here,
    )


def _shown(services: Services, work: AtWork, activity_id: uuid.UUID) -> Sequence[AwardRecord]:
    """The valid badges, by first name: the order in which people are called."""
    records = services.awards.list_in(work.campus, activity_id=activity_id, limit=MOST_SHOWN)
    standing = [record for record in records if record.award.state is AwardState.ISSUED]
    return sorted(
        standing,
        key=lambda record: (
            record.version.name,
            plain_text(record.person.given_name),
            plain_text(record.person.family_name),
        ),
    )


def _code(link: str) -> str:
    return segno.make(link, error="m", micro=False).svg_data_uri(border=2, light="#fff")


def _name(record: AwardRecord, *, whole: bool) -> str:
    return shown_name(record.person.given_name, record.person.family_name, whole=whole)
