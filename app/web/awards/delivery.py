"""Badge delivery: state of each, another e-mail, a code, a new link."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.awards import shown_code
from app.domain.core import plain_text
from app.domain.messages import Handed, LetterState, QueuedMessage
from app.domain.people.consents import About, wording_of
from app.errors import AppError, Conflict, Gone, InvalidInput
from app.http.pages.forms import CHECKED_FORM, SafeForm, address_in, is_in_doubt, text_of
from app.http.pages.render import page
from app.http.pages.words import StateLabel
from app.http.request_scope import (
    WITH_ORGANISERS,
    ReadingServices,
    WritingServices,
    process_of,
    public,
    sentence_of,
    status_for,
    write_transaction,
)
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, translated
from app.services.awards.delivery import AwardDelivery, HandedCode
from app.web.activities import ActivityView
from app.web.awards.delivery_states import (
    BOUNCED,
    HANDED,
    LETTER_STATES,
    OCCASIONS,
    OF_ACCOUNT,
    PICTURES,
    DeliveryView,
    advice_of,
    reason_of,
)
from app.web.awards.results import links_of
from app.web.badges.rules import picture_of

MOST_SHOWN = 400
MOST_REFUSED = 100
_DONE = {
    "lettre": N_("Envoi en cours."),
    "lien": N_(
        "Le lien est renouvelé. L’ancien lien, l’ancien code et l’ancien bulletin n’ouvrent plus rien."
    ),
}
router = APIRouter(prefix="/gestion/{slug}")


@dataclass(frozen=True)
class LetterLine:
    what: str
    address: str
    state: StateLabel
    at: datetime | None
    reason: str
    server_said: str

    @staticmethod
    def of(letter: QueuedMessage, hidden: Collection[str] = ()) -> LetterLine:
        at = letter.bounced_at or letter.sent_at or letter.attempted_at or letter.promised_at
        refused = letter.state is LetterState.REFUSED
        return LetterLine(
            translated(OCCASIONS.get(letter.occasion, letter.occasion)),
            translated(OF_ACCOUNT) if letter.address in hidden else letter.address,
            BOUNCED if letter.bounced_at else LETTER_STATES[letter.state],
            at,
            reason_of(letter),
            letter.server_said if refused else "",
        )


@router.get("/activites/{activity_id}/remise", dependencies=[staff(Permission.AWARD)])
def show_activity(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return activity_page(request, services, at_work(request), activity_id)


def activity_page(
    request: Request,
    services: Services,
    work: AtWork,
    activity_id: uuid.UUID,
    *,
    trouble: str = "",
    status: int = 200,
) -> HTMLResponse:
    """Everyone awarded in an activity, those who need an action first."""
    found = services.activities.page(work.campus, activity_id)
    records = services.awards.list_in(work.campus, activity_id=activity_id, limit=MOST_SHOWN)
    records = [record for record in records if record.award.undone_at is None]
    deliveries = sorted(services.delivery.of(records), key=_urgency)
    lines = [DeliveryView.of(work.home, each) for each in deliveries]
    withheld = services.delivery.withheld([record.award.id for record in records])
    deciding = {record.award.batch_id for record in records if record.award.id in withheld}
    return work.page(
        request,
        "awards/delivery/activity.html",
        status=status,
        zone=work.campus.time_zone,
        activity=ActivityView.of(work, found.activity),
        lines=lines,
        reminds=found.activity.sends_reminders,
        campus_reminds=work.campus.sends_reminders,
        counts=_counts(deliveries),
        to_claim=sum(line.can_be_claimed for line in lines if line.award_id not in withheld),
        withheld=len(withheld),
        decide_hrefs=[f"{work.home}/resultats/{batch_id}" for batch_id in deciding],
        letters_leave=process_of(request).mailer is not None,
        language=work.campus.language,
        trouble=trouble,
    )


_ORDER = (
    Handed.REFUSED,
    Handed.SLIP,
    Handed.WAITING,
    Handed.SENT,
    Handed.OPENED,
    Handed.CLAIMED,
    Handed.REVOKED,
    Handed.UNDONE,
)


def _urgency(delivery: AwardDelivery) -> tuple[int, str, str]:
    person = delivery.record.person
    return (
        _ORDER.index(delivery.handed.state),
        plain_text(person.family_name),
        plain_text(person.given_name),
    )


def _counts(deliveries: Sequence[AwardDelivery]) -> list[tuple[str, str, int]]:
    """(label, picture, count) of each state that occurs."""
    return [
        (HANDED[state].text, PICTURES[state], count)
        for state in _ORDER
        if (count := sum(each.handed.state is state for each in deliveries))
    ]


@router.get("/lettres", dependencies=[staff(Permission.AWARD)])
def refused_letters(request: Request, services: ReadingServices) -> HTMLResponse:
    """E-mails refused by a server and not yet replaced."""
    work = at_work(request)
    found = services.delivery.refused(work.campus, limit=MOST_REFUSED)
    return work.page(
        request,
        "awards/delivery/refused.html",
        zone=work.campus.time_zone,
        lines=[DeliveryView.of(work.home, each) for each in found],
    )


@router.get("/attributions/{award_id}/remise", dependencies=[staff(Permission.AWARD)])
def show_award(
    award_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    done = translated(_DONE[fait]) if fait in _DONE else ""
    return award_page(request, services, at_work(request), award_id, done=done)


@router.post("/attributions/{award_id}/lettre", dependencies=[staff(Permission.AWARD)])
def write_again(award_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """Sends another e-mail, possibly to another address."""
    work, address = at_work(request), address_in(request, form)
    services.awards.get(work.campus, award_id)
    if is_in_doubt(request):
        return award_page(request, services, work, award_id, address=address)
    try:
        with write_transaction(request) as writing:
            writing.delivery.write_again(work.campus, award_id, address, by=work.actor)
    except (InvalidInput, Conflict) as error:
        return award_page(request, services, work, award_id, error=error, address=address)
    process_of(request).on_enqueue()
    return _back(work, award_id, "lettre")


@router.post("/attributions/{award_id}/lien", dependencies=[staff(Permission.AWARD)])
def renew_link(award_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)
    services.awards.get(work.campus, award_id)
    if text_of(form, "sur") != "oui":
        return award_page(request, services, work, award_id, unsure=True)
    try:
        with write_transaction(request) as writing:
            writing.delivery.renew_link(work.campus, award_id, by=work.actor)
    except Conflict as error:
        return award_page(request, services, work, award_id, error=error)
    return _back(work, award_id, "lien")


@router.post("/attributions/{award_id}/code", dependencies=[staff(Permission.AWARD), CHECKED_FORM])
def show_code(award_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """Shows the short code in this response only."""
    work = at_work(request)
    services.awards.get(work.campus, award_id)
    with write_transaction(request) as writing:
        codes = writing.delivery.hand_out_codes(work.campus, [award_id], by=work.actor)
    return award_page(request, services, work, award_id, code=codes.get(award_id))


def award_page(
    request: Request,
    services: Services,
    work: AtWork,
    award_id: uuid.UUID,
    *,
    done: str = "",
    error: AppError | None = None,
    address: str = "",
    code: HandedCode | None = None,
    unsure: bool = False,
) -> HTMLResponse:
    record = services.awards.get(work.campus, award_id)
    (delivery,) = services.delivery.of([record])
    hidden = services.delivery.hidden_of(record)
    withheld = bool(services.delivery.withheld([award_id]))
    wrong_address = isinstance(error, InvalidInput)
    return work.page(
        request,
        "awards/delivery/award.html",
        status=status_for(error, unsure),
        zone=work.campus.time_zone,
        here=f"{work.home}/attributions/{award_id}",
        badge_picture=picture_of(record.badge, record.version),
        line=DeliveryView.of(work.home, delivery),
        advice=advice_of(delivery.handed.letter) if delivery.handed.state is Handed.REFUSED else "",
        came_back=delivery.handed.letter.bounced_at if delivery.handed.letter else None,
        letters=[LetterLine.of(letter, hidden) for letter in services.delivery.letters_about(award_id)],
        address=address or delivery.address,
        withheld=withheld,
        revoked=delivery.handed.state is Handed.REVOKED,
        undone=delivery.handed.state is Handed.UNDONE,
        private_link="" if withheld else links_of(services, [award_id])[award_id],
        code=shown_code(code.code) if code else "",
        code_until=code.expires_at if code else None,
        claiming=services.addresses.claiming.partition("://")[2],
        letters_leave=process_of(request).mailer is not None,
        language=work.campus.language,
        done=done,
        unsure=unsure,
        trouble="" if wrong_address or error is None else sentence_of(error),
        address_trouble=sentence_of(error) if error is not None and wrong_address else "",
    )


def _back(work: AtWork, award_id: uuid.UUID, done: str) -> RedirectResponse:
    return RedirectResponse(f"{work.home}/attributions/{award_id}/remise?fait={done}", status_code=303)


reminders_router = APIRouter()


@reminders_router.get("/rappels/{wish}")
@public
def show_wish(wish: str, request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    """GET only shows the page: programs that follow links in e-mails must not unsubscribe."""
    person = services.reminders.person_of(wish)
    return page(
        request,
        "awards/delivery/my_reminders.html",
        private=True,
        wanted=person.wants_reminders,
        agreement=translated(wording_of(About.REMINDERS)),
        here=f"/rappels/{wish}",
        done=bool(fait),
    )


@reminders_router.post("/rappels/{wish}")
@public
def stop_at_once(wish: str, services: WritingServices) -> Response:
    """One-click unsubscribe of a mail program (RFC 8058): without cookie or page; the URL is the proof."""
    with suppress(Gone):
        services.reminders.set_for_person(services.reminders.person_of(wish), False)
    return Response(status_code=204)


@reminders_router.post("/rappels/{wish}/choix")
@public
def choose(wish: str, services: WritingServices, form: SafeForm) -> RedirectResponse:
    person = services.reminders.person_of(wish)
    services.reminders.set_for_person(person, text_of(form, "rappels") == "oui")
    return RedirectResponse(f"/rappels/{wish}?fait=oui", status_code=303)


@reminders_router.post(
    "/gestion/{slug}/activites/{activity_id}/rappels", dependencies=[WITH_ORGANISERS, staff(Permission.AWARD)]
)
def choose_for_activity(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> RedirectResponse:
    work = at_work(request)
    services.activities.get(work.campus, activity_id)
    with write_transaction(request) as writing:
        wanted = text_of(form, "rappels") == "oui"
        writing.reminders.set_for_activity(work.campus, activity_id, wanted, by=work.actor)
    return RedirectResponse(f"{work.home}/activites/{activity_id}/remise#rappels", status_code=303)


@reminders_router.get("/gestion/{slug}/rappels", dependencies=[staff(Permission.MANAGE)])
def of_campus(request: Request, fait: str = "") -> HTMLResponse:
    work = at_work(request)
    return work.page(
        request,
        "awards/delivery/reminders.html",
        wanted=work.campus.sends_reminders,
        done=bool(fait),
    )


@reminders_router.post("/gestion/{slug}/rappels", dependencies=[staff(Permission.MANAGE)])
def choose_for_campus(request: Request, form: SafeForm) -> RedirectResponse:
    work = at_work(request)
    with write_transaction(request) as services:
        campus = services.campuses.get(work.campus.slug)
        services.reminders.set_for_campus(campus, text_of(form, "rappels") == "oui", by=work.actor)
    return RedirectResponse(f"{work.home}/rappels?fait=oui", status_code=303)
