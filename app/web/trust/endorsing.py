"""Endorsements asked of an organisation or of a person: a learner requests, shows and hides; the organisation signs or declines."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.awards import AwardState
from app.domain.campus.audit_log import Actor
from app.domain.people import mailbox_key
from app.domain.people.consents import needs_guardian_for
from app.domain.trust.organisations import (
    LONGEST,
    NAME_WORDING,
    WORDINGS,
    EndorsementRequest,
    EndorsementText,
    Refusal,
    RequestKind,
    checked_name,
    checked_site,
    checked_words,
    domain_of,
    faults_of_words,
    is_public_provider,
    is_waiting,
)
from app.errors import Conflict, InvalidInput, NotAllowed, Unavailable, faults_of_fields
from app.http.pages.forms import (
    SafeForm,
    address_in,
    bytes_of,
    ids_in,
    is_in_doubt,
    text_of,
    untouched_text_of,
)
from app.http.pages.render import page
from app.http.pages.words import StateLabel, day, sentence_text
from app.http.request_scope import (
    CROSS_TENANT,
    ReadingServices,
    limited,
    process_of,
    public,
    sentence_of,
    status_for,
    write_transaction,
)
from app.http.response_cache import HOLDER, holder_of
from app.http.security_headers import as_private
from app.http.workplaces import look_of
from app.language import N_, current_locale, translated
from app.services.awards.awards import AwardRecord
from app.services.badges import picture_words
from app.services.trust.endorsement_requests import EndorsementAsked
from app.services.trust.endorsements import EndorsementOutcome, Subject
from app.web.badges import definition_shown
from app.web.trust.endorsements import peer_shown, recommendations

router = APIRouter(dependencies=[CROSS_TENANT])
_LOOK, _SIGN, _BRING, _NO, _NEVER = "apercu", "signer", "apporter", "refuser", "jamais"
_REFUSALS: Final = {_NO: Refusal.THIS, _NEVER: Refusal.EVER}


@dataclass(frozen=True)
class EndorsementForm:
    """The submitted form."""

    organisation: str = ""
    site: str = ""
    role: str = ""
    words: str = ""
    name: str = ""
    shows_name: bool = False
    written: str = ""
    """Signed elsewhere."""
    file: str = ""
    """The same, as a file; it comes before the text."""


@dataclass(frozen=True)
class Preview:
    name: str
    lines: list[str]
    how: str


@router.get("/recommander/{token}")
@public
def show(token: str, request: Request, services: ReadingServices) -> HTMLResponse:
    """GET only shows the page: programs that follow links in e-mails must not sign."""
    asked, subject = services.endorsement_signing.opened(token)
    return _page(
        request, services, token, asked, subject, EndorsementForm(organisation=asked.organisation_name)
    )


@router.post("/recommander/{token}", dependencies=[limited("endorsing")])
@public
def answer(token: str, request: Request, services: ReadingServices, form: SafeForm) -> Response:
    asked, subject = services.endorsement_signing.opened(token)
    gesture, typed = text_of(form, "geste"), _typed(form)
    if gesture in _REFUSALS:
        with write_transaction(request) as writing:
            writing.endorsement_signing.refuse(token, _REFUSALS[gesture])
        return page(request, "trust/refused.html", private=True, is_for_ever=gesture == _NEVER)
    if gesture == _BRING:
        return _bring(token, request, services, typed, asked, subject)
    if errors := _faults(services, subject, typed):
        return _page(request, services, token, asked, subject, typed, errors=errors)
    outcome = EndorsementOutcome.checked(typed.organisation, typed.site)
    words = checked_words(typed.words, typed.role, typed.name, shows_name=typed.shows_name)
    try:
        if gesture == _SIGN:
            with write_transaction(request) as writing:
                kept = writing.endorsement_signing.sign(token, outcome, words, language=current_locale())
            return _done(request, services, kept.id)
    except (InvalidInput, Unavailable) as error:
        return _page(request, services, token, asked, subject, typed, trouble=sentence_of(error))
    shows = _preview(asked, outcome, words) if gesture == _LOOK else None
    return _page(request, services, token, asked, subject, typed, preview=shows)


def _faults(services: Services, subject: Subject, typed: EndorsementForm) -> dict[str, str]:
    """By field of the form."""
    names = {"comment": "mots", "role": "role", "name": "nom"}
    found = faults_of_fields(
        {
            "organisation": lambda: checked_name(typed.organisation),
            "site": lambda: checked_site(typed.site),
        }
    )
    of_words = faults_of_words(typed.words, typed.role, typed.name, shows_name=typed.shows_name)
    found |= {names[name]: error for name, error in of_words.items()}
    if not found:
        outcome = EndorsementOutcome.checked(typed.organisation, typed.site)
        words = checked_words(typed.words, typed.role, typed.name, shows_name=typed.shows_name)
        check = services.endorsement_signing.check_words
        found = faults_of_fields({"mots": lambda: check(subject, outcome, words.signed)})
    return {name: sentence_of(error) for name, error in found.items()}


def _bring(
    token: str,
    request: Request,
    services: Services,
    typed: EndorsementForm,
    asked: EndorsementRequest,
    subject: Subject,
) -> Response:
    """An endorsement that was signed elsewhere."""
    written, field = (typed.file, "fichier") if typed.file else (typed.written, "signee")
    found = faults_of_fields({"organisation-2": lambda: checked_name(typed.organisation)})
    if found:
        check = services.endorsement_signing.checked_elsewhere
        found |= faults_of_fields({field: lambda: check(written, subject)})
    else:
        try:
            outcome = EndorsementOutcome.checked(typed.organisation, typed.site)
            with write_transaction(request) as writing:
                kept = writing.endorsement_signing.take_in(token, outcome, written, language=current_locale())
            return _done(request, services, kept.id)
        except InvalidInput as error:
            found = {field: error}
        except Unavailable as error:
            return _page(request, services, token, asked, subject, typed, trouble=sentence_of(error))
    errors = {name: sentence_of(error) for name, error in found.items()}
    return _page(request, services, token, asked, subject, typed, errors=errors)


def _done(request: Request, services: Services, endorsement_id: uuid.UUID) -> RedirectResponse:
    process_of(request).on_enqueue()
    token = services.endorsement_signing.withdraw_token(endorsement_id)
    return RedirectResponse(f"/recommandations/retirer/{token}?fait=signee", status_code=303)


def _typed(form: SafeForm) -> EndorsementForm:
    file = bytes_of(form, "fichier")
    return EndorsementForm(
        organisation=text_of(form, "organisation"),
        site=text_of(form, "site"),
        role=text_of(form, "role"),
        words=text_of(form, "mots"),
        name=text_of(form, "nom"),
        shows_name=text_of(form, "montrer-nom") == "oui",
        written=untouched_text_of(form, "signee").strip(),
        file=file.decode("utf-8", "replace") if file else "",
    )


def _preview(asked: EndorsementRequest, outcome: EndorsementOutcome, words: EndorsementText) -> Preview:
    return Preview(outcome.name, words.signed.splitlines(), _how(asked))


def _how(asked: EndorsementRequest) -> str:
    domain = domain_of(asked.address)
    if is_public_provider(domain):
        return translated(
            "Adresse personnelle ({domain}), domaine non rattaché à l’organisation. Ce sera écrit ainsi."
        ).format(domain=domain)
    return translated("Domaine {domain}, vérifié par l’e-mail que vous avez reçu.").format(domain=domain)


def _page(
    request: Request,
    services: Services,
    token: str,
    asked: EndorsementRequest,
    subject: Subject,
    typed: EndorsementForm,
    *,
    trouble: str = "",
    errors: Mapping[str, str] = MappingProxyType({}),
    preview: Preview | None = None,
) -> HTMLResponse:
    version, record = subject.version, subject.record
    picture = words = ""
    definition = None
    if subject.badge and version:
        picture = f"/badges/{subject.badge.id}/v{version.number}/image.svg"
        words = sentence_text(picture_words(subject.campus, version))
        definition = definition_shown(services, services.publication.badge(subject.badge.id, version.number))
    reply = page(
        request,
        "trust/sign.html",
        campus=look_of(subject.campus),
        private=True,
        status=status_for(trouble, errors),
        here=f"/recommander/{token}",
        person=record.person.name if record else "",
        title=version.name if version else "",
        description=version.description if version else subject.campus.description,
        picture=picture,
        picture_words=words,
        d=definition,
        campus_name=subject.campus.name,
        campus_url=f"/campus/{subject.campus.slug}",
        contact=subject.campus.contact_email,
        why=asked.why,
        address=asked.address,
        how=_how(asked),
        iri=subject.iri,
        typed=typed,
        preview=preview,
        agreement=translated(WORDINGS[-1]),
        name_wording=translated(NAME_WORDING),
        longest=LONGEST,
        trouble=trouble,
        errors=errors,
    )
    reply.headers["Referrer-Policy"] = "same-origin"
    return reply


# --- a learner's endorsements

learner_router = APIRouter(prefix="/mes-badges/{award_id:uuid}/recommandations")
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
_WAITING = StateLabel("Sans réponse encore", "unk")
_OVER = StateLabel("Sans réponse, lien périmé", "past")
_LEARNER_NO = StateLabel("A dit non", "past")
_YES = StateLabel("A répondu", "ok")


@dataclass(frozen=True)
class RequestShown:
    name: str
    address: str
    on: datetime
    state: StateLabel


def request_shown(row: EndorsementRequest, *, at: datetime) -> RequestShown:
    if row.refusal:
        state = _LEARNER_NO
    elif row.answered_at:
        state = _YES
    else:
        state = _WAITING if is_waiting(row, at=at) else _OVER
    address = "" if row.refusal == Refusal.EVER else row.address
    if row.kind is RequestKind.PEER:
        return RequestShown(address or translated("Une personne"), "", row.asked_at, state)
    return RequestShown(row.organisation_name, address, row.asked_at, state)


def faults_asked(services: Services, subject: Subject, typed: EndorsementAsked, by: Actor) -> dict[str, str]:
    """By field of the form that asks an organisation."""
    names = {"organisation": "organisation", "address": "adresse", "why": "mot"}
    found = services.endorsement_asking.faults_of(subject, typed, by)
    return {names[name]: sentence_of(error) for name, error in found.items()}


@learner_router.get("", dependencies=[HOLDER])
def show_my_endorsements(
    award_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    holder_of(award_id, request, services)
    record = services.awards.record(award_id)
    return _my_page(request, services, record, done=translated(_DONE[fait]) if fait in _DONE else "")


@learner_router.post("", dependencies=[HOLDER, limited("endorsement from a network")])
def ask(award_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm) -> Response:
    who = holder_of(award_id, request, services)
    record = services.awards.record(award_id)
    address = address_in(request, form)
    typed = EndorsementAsked(address, text_of(form, "organisation"), text_of(form, "mot"))
    if is_in_doubt(request):
        return _my_page(request, services, record, typed=typed)
    try:
        if not services.guardians.state_of(record).may_open:
            raise NotAllowed(
                "Avant 15 ans, un parent dit oui avant qu’un badge soit montré à quelqu’un d’autre."
            )
        services.guardians.check_may_add(record)
        services.search_everywhere()
        refused = services.endorsement_asking.is_refused_by(typed.address)
        services.enter_campus_of(award_id)
        subject = services.endorsement_subjects.of_award(record)
        if errors := faults_asked(services, subject, typed, who.actor):
            return _my_page(request, services, record, typed=typed, errors=errors)
        asked = services.endorsement_asking.checked(subject, typed, refused=refused, by=who.actor)
        for name, counted in services.endorsement_asking.counts(subject, asked):
            process_of(request).limiter.hit(name, counted)
        with write_transaction(request) as writing:
            writing.enter_campus_of(award_id)
            writing.endorsement_asking.ask(subject, asked, refused=refused, by=who.actor)
    except (InvalidInput, Conflict, NotAllowed) as error:
        services.enter_campus_of(award_id)
        return _my_page(request, services, record, typed=typed, trouble=sentence_of(error))
    process_of(request).on_enqueue()
    return RedirectResponse(f"/mes-badges/{award_id}/recommandations?fait=demandee", status_code=303)


@learner_router.post("/montrer", dependencies=[HOLDER])
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


@learner_router.post("/personnes", dependencies=[HOLDER, limited("peers from a network")])
def ask_peer(award_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm) -> Response:
    who = holder_of(award_id, request, services)
    record = services.awards.record(award_id)
    peer = address_in(request, form, "adresse-personne")
    typed = EndorsementAsked(peer, "", text_of(form, "mot-personne"))
    if is_in_doubt(request):
        return _my_page(request, services, record, typed_peer=typed)
    try:
        services.search_everywhere()
        refused = services.endorsement_asking.is_refused_by(typed.address)
        services.enter_campus_of(award_id)
        if errors := _faults_of_peer(services, record, typed):
            return _my_page(request, services, record, typed_peer=typed, errors=errors)
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
        return _my_page(request, services, record, typed_peer=typed, peer_trouble=sentence_of(error))
    process_of(request).on_enqueue()
    return _back(award_id, "demandee", "personnes")


def _faults_of_peer(services: Services, record: AwardRecord, typed: EndorsementAsked) -> dict[str, str]:
    """By field of the form that asks a person."""
    services.peer_recommendations.check_may_publish(record)
    found = services.peer_recommendations.faults_of(record, typed.address, typed.why)
    return {f"{name}-personne": sentence_of(error) for name, error in found.items()}


@learner_router.post("/personnes/lien", dependencies=[HOLDER, limited("peers from a network")])
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
        return _my_page(request, services, record, peer_trouble=sentence_of(error))
    return _back(award_id, "sans-lien" if closes else "lien", "personnes")


@learner_router.post("/personnes/decision", dependencies=[HOLDER])
def decide_on_peer(
    award_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> Response:
    who, gesture = holder_of(award_id, request, services), text_of(form, "geste")
    record = services.awards.record(award_id)
    try:
        with write_transaction(request) as writing:
            writing.enter_campus_of(award_id)
            if gesture == "accepter":
                services.guardians.check_may_add(record)
            peers = writing.peer_recommendations
            for recommendation_id in ids_in([text_of(form, "lignes")]):
                act = {"accepter": peers.accept, "cacher": peers.hide, "supprimer": peers.decline}.get(
                    gesture
                )
                if act is not None:
                    act(record, recommendation_id, by=who.actor)
    except (Conflict, NotAllowed) as error:
        return _my_page(request, services, record, peer_trouble=sentence_of(error))
    done = {"accepter": "acceptees", "cacher": "gardees"}.get(gesture, "supprimees")
    return _back(award_id, done, "lignes")


def _back(award_id: uuid.UUID, done: str, place: str) -> RedirectResponse:
    return RedirectResponse(f"/mes-badges/{award_id}/recommandations?fait={done}#{place}", status_code=303)


def _my_page(
    request: Request,
    services: Services,
    record: AwardRecord,
    *,
    typed: EndorsementAsked | None = None,
    trouble: str = "",
    errors: Mapping[str, str] = MappingProxyType({}),
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
            status=status_for(trouble, errors, peer_trouble),
            errors=errors,
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
