"""A learner's endorsements: requested from a company or from a person who worked with them, shown, hidden."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.awards import AwardState
from app.domain.people import mailbox_key
from app.domain.people.parental_consent import needs_guardian_for
from app.domain.trust.organisations import EndorsementRequest, Refusal, RequestKind, is_waiting
from app.errors import Conflict, InvalidInput, NotAllowed
from app.http.pages.forms import SafeForm, ids_in, text_of
from app.http.pages.render import page
from app.http.pages.words import StateLabel, day
from app.http.request_scope import ReadingServices, limited, process_of, write_transaction
from app.http.response_cache import HOLDER, holder_of
from app.http.security_headers import as_private
from app.http.workplaces import look_of, sentence_of
from app.language import N_, translated
from app.services.awards.awards import AwardRecord
from app.services.trust.endorsement_requests import EndorsementAsked
from app.web.trust.endorsements import peer_shown, recommendations

router = APIRouter(prefix="/mes-badges/{award_id:uuid}/recommandations")
_DONE = {
    "demandee": N_("Demande envoyée : la personne reçoit un e-mail. Sa réponse s’affichera ici."),
    "cachee": N_("C’est noté : cette recommandation n’est plus montrée."),
    "montree": N_("C’est noté : cette recommandation est montrée avec le badge."),
    "lien": N_("Le lien est prêt, à copier ci-dessous et à partager."),
    "sans-lien": N_("C’est noté : ce lien ne mène plus à rien."),
    "acceptees": N_("C’est noté : ces lignes s’affichent avec le badge quand sa page est ouverte."),
    "gardees": N_("C’est noté : ces lignes ne sont plus montrées."),
    "supprimees": N_("C’est fait : ces lignes sont effacées."),
}
_WAITING = StateLabel(N_("Sans réponse encore"), "unk")
_OVER = StateLabel(N_("Sans réponse, lien périmé"), "past")
_NO = StateLabel(N_("A dit non"), "past")
_YES = StateLabel(N_("A répondu"), "ok")


@dataclass(frozen=True)
class RequestShown:
    name: str
    address: str
    on: datetime
    state: StateLabel


def request_shown(row: EndorsementRequest, *, at: datetime) -> RequestShown:
    if row.refusal:
        state = _NO
    elif row.answered_at:
        state = _YES
    else:
        state = _WAITING if is_waiting(row, at=at) else _OVER
    address = "" if row.refusal == Refusal.EVER else row.address
    if row.kind is RequestKind.PEER:
        return RequestShown(address or translated("Une personne"), "", row.asked_at, state)
    return RequestShown(row.organisation_name, address, row.asked_at, state)


@router.get("", dependencies=[HOLDER])
def show(award_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    holder_of(award_id, request, services)
    record = services.awards.record(award_id)
    return _page(request, services, record, done=translated(_DONE[fait]) if fait in _DONE else "")


@router.post("", dependencies=[HOLDER, limited("endorsement from a network")])
def ask(award_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm) -> Response:
    who = holder_of(award_id, request, services)
    record = services.awards.record(award_id)
    typed = EndorsementAsked(text_of(form, "adresse"), text_of(form, "organisation"), text_of(form, "mot"))
    try:
        if not services.guardians.state_of(record).may_open:
            raise NotAllowed(
                N_("Avant 15 ans, un parent dit oui avant qu’un badge soit montré à quelqu’un d’autre.")
            )
        services.search_everywhere()
        refused = services.endorsement_asking.is_refused_by(typed.address)
        services.enter_campus_of(award_id)
        subject = services.endorsement_subjects.of_award(record)
        asked = services.endorsement_asking.checked(subject, typed, refused=refused, by=who.actor)
        for name, counted in services.endorsement_asking.counts(subject, asked):
            process_of(request).limiter.hit(name, counted)
        with write_transaction(request) as writing:
            writing.enter_campus_of(award_id)
            writing.endorsement_asking.ask(subject, asked, refused=refused, by=who.actor)
    except (InvalidInput, Conflict, NotAllowed) as error:
        services.enter_campus_of(award_id)
        return _page(request, services, record, typed=typed, trouble=sentence_of(error))
    process_of(request).on_promise()
    return RedirectResponse(f"/mes-badges/{award_id}/recommandations?fait=demandee", status_code=303)


@router.post("/montrer", dependencies=[HOLDER])
def show_or_hide(
    award_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    who = holder_of(award_id, request, services)
    hidden = text_of(form, "geste") == "cacher"
    with write_transaction(request) as writing:
        writing.enter_campus_of(award_id)
        for endorsement_id in ids_in([text_of(form, "recommandation")]):
            writing.endorsements_taken_back.hide(award_id, endorsement_id, hidden=hidden, by=who.actor)
    done = "cachee" if hidden else "montree"
    return RedirectResponse(f"/mes-badges/{award_id}/recommandations?fait={done}", status_code=303)


@router.post("/personnes", dependencies=[HOLDER, limited("peers from a network")])
def ask_peer(award_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm) -> Response:
    who = holder_of(award_id, request, services)
    record = services.awards.record(award_id)
    typed = EndorsementAsked(text_of(form, "adresse-personne"), "", text_of(form, "mot-personne"))
    try:
        services.search_everywhere()
        refused = services.endorsement_asking.is_refused_by(typed.address)
        services.enter_campus_of(award_id)
        address, why = services.peer_recommendations.checked(
            record, typed.address, typed.why, refused=refused
        )
        limiter = process_of(request).limiter
        limiter.hit("peers of somebody", str(record.person.id))
        limiter.hit("endorsement to an address", mailbox_key(address))
        with write_transaction(request) as writing:
            writing.enter_campus_of(award_id)
            writing.peer_recommendations.ask(record, address, why, refused=refused, by=who.actor)
    except (InvalidInput, Conflict, NotAllowed) as error:
        services.enter_campus_of(award_id)
        return _page(request, services, record, typed_peer=typed, peer_trouble=sentence_of(error))
    process_of(request).on_promise()
    return _back(award_id, "demandee", "personnes")


@router.post("/personnes/lien", dependencies=[HOLDER, limited("peers from a network")])
def share_link(award_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm) -> Response:
    who, closes = holder_of(award_id, request, services), text_of(form, "geste") == "fermer"
    record = services.awards.record(award_id)
    try:
        with write_transaction(request) as writing:
            writing.enter_campus_of(award_id)
            if closes:
                writing.peer_recommendations.close_link(record, by=who.actor)
            else:
                writing.peer_recommendations.open_link(record, by=who.actor)
    except (Conflict, NotAllowed) as error:
        return _page(request, services, record, peer_trouble=sentence_of(error))
    return _back(award_id, "sans-lien" if closes else "lien", "personnes")


@router.post("/personnes/decision", dependencies=[HOLDER])
def decide_on_peer(
    award_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> Response:
    who, gesture = holder_of(award_id, request, services), text_of(form, "geste")
    record = services.awards.record(award_id)
    try:
        with write_transaction(request) as writing:
            writing.enter_campus_of(award_id)
            peers = writing.peer_recommendations
            for recommendation_id in ids_in([text_of(form, "lignes")]):
                act = {"accepter": peers.accept, "cacher": peers.hide, "supprimer": peers.decline}.get(
                    gesture
                )
                if act is not None:
                    act(record, recommendation_id, by=who.actor)
    except (Conflict, NotAllowed) as error:
        return _page(request, services, record, peer_trouble=sentence_of(error))
    done = {"accepter": "acceptees", "cacher": "gardees"}.get(gesture, "supprimees")
    return _back(award_id, done, "lignes")


def _back(award_id: uuid.UUID, done: str, place: str) -> RedirectResponse:
    return RedirectResponse(f"/mes-badges/{award_id}/recommandations?fait={done}#{place}", status_code=303)


def _page(
    request: Request,
    services: Services,
    record: AwardRecord,
    *,
    typed: EndorsementAsked | None = None,
    trouble: str = "",
    typed_peer: EndorsementAsked | None = None,
    peer_trouble: str = "",
    done: str = "",
) -> HTMLResponse:
    award_id, zone = record.award.id, record.campus.time_zone
    is_revoked = record.award.state is AwardState.REVOKED
    rows: Sequence[EndorsementRequest] = (
        []
        if is_revoked
        else services.endorsement_asking.about(services.endorsement_subjects.of_award(record))
    )
    peers = services.peer_recommendations
    live = None if is_revoked else peers.live_link(record)
    return as_private(
        page(
            request,
            "trust/mine.html",
            campus=look_of(record.campus),
            private=True,
            status=422 if trouble or peer_trouble else 200,
            tu=needs_guardian_for(record.person, record.activity),
            may_publish=services.guardians.state_of(record).may_open,
            lines=[replace(peer_shown(each, zone), address=each.address) for each in peers.mine(record)],
            asked_peers=[
                request_shown(each, at=services.clock())
                for each in peers.requests_about(record)
                if each.kind is RequestKind.PEER
            ],
            link=services.addresses.peer_link(peers.link_token(live.id)) if live else "",
            link_until=day(live.expires_at, zone) if live else "",
            holder=record.award.holder_name or "",
            typed_peer=typed_peer or EndorsementAsked("", ""),
            peer_trouble=peer_trouble,
            url=f"/mes-badges/{award_id}",
            here=f"/mes-badges/{award_id}/recommandations",
            title=record.version.name,
            is_revoked=is_revoked,
            is_open=record.award.visibility.value == "open",
            said=recommendations(services.endorsements.mine(award_id), zone),
            asked=[request_shown(each, at=services.clock()) for each in rows],
            zone=zone,
            typed=typed or EndorsementAsked("", ""),
            letters_leave=process_of(request).mailer is not None,
            trouble=trouble,
            done=done,
        )
    )
