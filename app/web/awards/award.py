"""One award, for the team of its campus: its content and history, and how it is suspended or revoked."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.awards import (
    Visibility,
    check_suspension_end,
    check_suspension_reason,
    end_of_last_day,
    may_renew,
)
from app.domain.people.consents import AccessRecord
from app.errors import Conflict, InvalidInput, NotAllowed
from app.http.pages.forms import CHECKED_FORM, SafeForm, text_of
from app.http.pages.words import AWARD_CHANGES, BADGE_KINDS, reason_shown, sentence_text
from app.http.request_scope import ReadingServices, sentence_of, status_for, write_transaction
from app.http.workplaces import AtWork, access_views, at_work, staff
from app.language import translated
from app.services.awards.awards import AwardRecord
from app.services.verification.verdicts import correction_message
from app.web.awards.results import links_of
from app.web.badges.rules import picture_of

router = APIRouter(prefix="/gestion/{slug}/attributions")
_PAUSING_FAULTS = ("trouble", "no_day", "refused")


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
    may_be_renewed: bool
    suspended_through: datetime | None
    """The last second of its suspension; None unless it is suspended."""
    suspended_reason: str

    @staticmethod
    def of(work: AtWork, record: AwardRecord, *, at: datetime) -> AwardView:
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
            revoked_reason=reason_shown(award.revoked_reason),
            undone_at=award.undone_at,
            may_be_renewed=may_renew(award, days=version.validity_days, at=at),
            suspended_through=award.suspended_through(at=at),
            suspended_reason=reason_shown(award.suspended_reason),
        )


@router.get("/{award_id}", dependencies=[staff(Permission.VIEW)])
def show_award(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _award_page(request, services, award_id)


def _award_page(
    request: Request,
    services: Services,
    award_id: uuid.UUID,
    *,
    since: str = "",
    trouble: str = "",
    refused: str = "",
    pausing: Mapping[str, str] = MappingProxyType({}),
) -> HTMLResponse:
    """`pausing`: what was typed to suspend it, and what is wrong with that."""
    work = at_work(request)
    record = services.awards.get(work.campus, award_id)
    access_views(request, record.person.id, AccessRecord.AWARD)
    hands_over = work.may(Permission.AWARD) and not services.award_batches.withheld([award_id])
    link = links_of(services, [award_id])[award_id] if hands_over else ""
    correction = services.evidence.corrected_since(award_id)
    activity, _ = services.reissuing.logged_activity(record)
    return work.page(
        request,
        "awards/award.html",
        status=403 if refused else status_for(trouble, *map(pausing.get, _PAUSING_FAULTS)),
        zone=work.campus.time_zone,
        award=replace(
            AwardView.of(work, record, at=services.clock()), activity=activity.title if activity else ""
        ),
        pausing={
            **dict.fromkeys(("reason", *_PAUSING_FAULTS), ""),
            "until": _in_a_month(services, work),
            **pausing,
        },
        since=since,
        trouble=trouble,
        refused=refused,
        # Access is governed by the award.
        private_link=link,
        hands_over=hands_over,
        correction=sentence_text(correction_message(correction)) if correction else "",
        history=[
            (happening.at, AWARD_CHANGES.get(happening.action, happening.action), happening.actor)
            for happening in services.awards.history_of(work.campus, award_id)
        ],
    )


@router.post("/{award_id}/renouveler", dependencies=[staff(Permission.AWARD)])
def renew(award_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, since = at_work(request), text_of(form, "depuis")
    services.awards.get(work.campus, award_id)
    try:
        with write_transaction(request) as writing:
            writing.awards.renew_held(work.campus, award_id, since, by=work.actor)
    except (InvalidInput, Conflict, NotAllowed) as error:
        return _award_page(request, services, award_id, since=since, trouble=sentence_of(error))
    return RedirectResponse(f"{work.home}/attributions/{award_id}", status_code=303)


@router.post("/{award_id}/suspendre", dependencies=[staff(Permission.REVOKE)])
def suspend(award_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, reason, until = at_work(request), text_of(form, "motif"), text_of(form, "jusquau")
    services.awards.get(work.campus, award_id)
    troubles, end = _suspension_faults(services, work, reason, until)
    if not troubles:
        try:
            with write_transaction(request) as writing:
                writing.suspensions.suspend(work.campus, award_id, reason, until=end, by=work.actor)
        except InvalidInput as error:
            troubles = {"trouble": sentence_of(error)}
        except Conflict as error:  # of no field
            troubles = {"refused": sentence_of(error)}
    if troubles:
        return _award_page(
            request, services, award_id, pausing={"reason": reason, "until": until, **troubles}
        )
    return RedirectResponse(f"{work.home}/attributions/{award_id}", status_code=303)


def _suspension_faults(
    services: Services, work: AtWork, reason: str, until: str
) -> tuple[dict[str, str], datetime]:
    """Of both fields at once; and the end that was typed."""
    faults, at = dict[str, str](), services.clock()
    end = at
    try:
        check_suspension_reason(reason)
    except InvalidInput as error:
        faults["trouble"] = sentence_of(error)
    try:
        end = end_of_last_day(date.fromisoformat(until), work.campus.time_zone)
        check_suspension_end(end, at=at)
    except InvalidInput as error:
        faults["no_day"] = sentence_of(error)
    except ValueError:
        faults["no_day"] = translated("Choisissez le dernier jour de la suspension.")
    return faults, end


@router.post("/{award_id}/lever", dependencies=[staff(Permission.AWARD), CHECKED_FORM])
def lift(award_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    work = at_work(request)
    services.awards.get(work.campus, award_id)
    try:
        with write_transaction(request) as writing:
            writing.suspensions.lift(work.campus, award_id, by=work.actor)
    except NotAllowed as error:
        return _award_page(request, services, award_id, refused=sentence_of(error))
    return RedirectResponse(f"{work.home}/attributions/{award_id}", status_code=303)


def _in_a_month(services: Services, work: AtWork) -> str:
    here = services.clock().astimezone(ZoneInfo(work.campus.time_zone))
    return (here.date() + timedelta(days=30)).isoformat()


@router.get("/{award_id}/retirer", dependencies=[staff(Permission.REVOKE)])
def ask_reason(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    return _withdrawal_page(request, services, work, award_id)


@router.post("/{award_id}/retirer", dependencies=[staff(Permission.REVOKE)])
def withdraw(award_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)
    services.awards.get(work.campus, award_id)
    reason = text_of(form, "motif")
    try:
        with write_transaction(request) as writing:
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
    return work.page(
        request,
        "awards/withdraw.html",
        zone=work.campus.time_zone,
        award=AwardView.of(work, services.awards.get(work.campus, award_id), at=services.clock()),
        reason=reason,
        trouble=trouble,
    )
