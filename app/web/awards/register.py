"""Every award of a campus, one award with its history, and withdrawing it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.awards.awards import Visibility
from app.domain.privacy.private_looks import Looked
from app.errors import Conflict, InvalidInput
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.words import AWARD_DEEDS, BADGE_KINDS
from app.http.request_scope import ReadingServices, deed
from app.http.workplaces import AtWork, at_work, sentence_of, staff
from app.language import N_
from app.services.awards.awards import AwardRecord
from app.services.campus.directory import AwardOrder, Start
from app.web.awards.handing.words import handings_of
from app.web.awards.results import links_of
from app.web.badges.pieces import picture_of
from app.web.campus.desk import AwardLine, BadgeTile
from app.web.privacy.private_looks import looks_at

A_PAGE = 50
SORTS = {
    AwardOrder.LATEST: N_("Plus récentes d’abord"),
    AwardOrder.PERSON: N_("Personne"),
    AwardOrder.BADGE: N_("Badge"),
}
router = APIRouter(prefix="/gestion/{slug}/attributions")


@dataclass(frozen=True)
class AwardView:
    href: str
    public_href: str
    person: str
    badge: str
    kind: str
    picture: str
    number: int
    activity: str
    activity_href: str
    evidence: str
    hours: float | None
    contribution: str
    awarded_at: datetime
    valid_until: datetime | None
    is_open: bool
    revoked_at: datetime | None
    revoked_reason: str
    undone_at: datetime | None

    @staticmethod
    def of(work: AtWork, record: AwardRecord) -> AwardView:
        award, version, activity = record.award, record.version, record.activity
        return AwardView(
            href=f"{work.home}/attributions/{award.id}",
            public_href=f"/attributions/{award.id}",
            person=record.person.name,
            badge=version.name,
            kind=BADGE_KINDS[version.kind],
            picture=picture_of(record.badge, version),
            number=version.number,
            activity=activity.title if activity else "",
            activity_href=f"{work.home}/activites/{activity.id}" if activity else "",
            evidence=award.evidence,
            hours=award.hours,
            contribution=award.contribution,
            awarded_at=award.awarded_at,
            valid_until=award.valid_until,
            is_open=award.visibility is Visibility.OPEN,
            revoked_at=award.revoked_at,
            revoked_reason=award.revoked_reason,
            undone_at=award.undone_at,
        )


@router.get("", dependencies=[staff(Deed.VIEW)])
def register(
    request: Request,
    services: ReadingServices,
    badge: str = "",
    tri: AwardOrder = AwardOrder.LATEST,
    apres: uuid.UUID | None = None,
) -> HTMLResponse:
    work = at_work(request)
    badges = [BadgeTile.of(one, version) for one, version in services.badges.list_current(work.campus)]
    chosen = next((tile for tile in badges if str(tile.id) == badge), None)
    records = services.directory.find_awards(
        work.campus, "", Start(apres, A_PAGE), badge_id=chosen.id if chosen else None, order=tri
    )
    shown, here = records[:A_PAGE], f"?badge={chosen.id if chosen else ''}&tri={tri.value}"
    return page(
        request,
        "awards/register.html",
        campus=work.look,
        private=True,
        home=work.home,
        zone=work.campus.time_zone,
        badges=[(str(tile.id), tile.name) for tile in badges],
        chosen=str(chosen.id) if chosen else "",
        sorts=[(order.value, say(words)) for order, words in SORTS.items()],
        sorted_by=tri.value,
        exports=work.may(Deed.EXPORT),
        lines=[AwardLine.of(work, record) for record in shown],
        handed=handings_of(services, work.home, [record.award.id for record in shown], work.campus.id),
        first=here,
        next=f"{here}&apres={shown[-1].award.id}" if len(records) > A_PAGE else "",
        is_first=apres is None,
    )


@router.get("/{award_id}", dependencies=[staff(Deed.VIEW)])
def show_award(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    record = services.awards.get(work.campus, award_id)
    looks_at(request, record.person.id, Looked.AWARD)
    hands_over = work.may(Deed.AWARD) and not services.award_batches.withheld([award_id])
    link = links_of(services, [award_id])[award_id] if hands_over else ""
    return page(
        request,
        "awards/award.html",
        campus=work.look,
        private=True,
        home=work.home,
        zone=work.campus.time_zone,
        award=AwardView.of(work, record),
        # Who opens it governs the award.
        private_link=link,
        hands_over=hands_over,
        history=[
            (happening.at, AWARD_DEEDS.get(happening.deed, happening.deed), happening.actor)
            for happening in services.awards.history_of(work.campus, award_id)
        ],
    )


@router.get("/{award_id}/retirer", dependencies=[staff(Deed.REVOKE)])
def ask_reason(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    return _withdrawal_page(request, services, work, award_id)


@router.post("/{award_id}/retirer", dependencies=[staff(Deed.REVOKE)])
def withdraw(award_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)
    services.awards.get(work.campus, award_id)
    reason = text_of(form, "motif")
    try:
        with deed(request) as writing:
            writing.awards.revoke(work.campus, award_id, reason, by=work.actor)
    except (InvalidInput, Conflict) as error:
        return _withdrawal_page(request, services, work, award_id, reason, sentence_of(error))
    return RedirectResponse(f"{work.home}/attributions/{award_id}", status_code=303)


def _withdrawal_page(
    request: Request,
    services: Services,
    work: AtWork,
    award_id: uuid.UUID,
    reason: str = "",
    trouble: str = "",
) -> HTMLResponse:
    return page(
        request,
        "awards/withdraw.html",
        campus=work.look,
        private=True,
        status=422 if trouble else 200,
        home=work.home,
        zone=work.campus.time_zone,
        award=AwardView.of(work, services.awards.get(work.campus, award_id)),
        reason=reason,
        trouble=trouble,
    )
