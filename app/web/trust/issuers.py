"""The issuer of a badge on a page: the campus with its label, or the self-description of an unknown
issuer."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.campus.campus import Campus, Label, LabelState
from app.domain.core import name_as_signed
from app.domain.people import mailbox_key
from app.domain.trust import NetworkKey, Recognition
from app.domain.trust.organisations import Organisation
from app.http.negotiation import ForPeople
from app.http.pages.forms import SafeForm, ids_in, text_of
from app.http.pages.previews import network_data, preview
from app.http.pages.render import page
from app.http.pages.words import (
    DEFAULT_ZONE,
    LABEL_CATEGORIES,
    LABEL_STATES,
    StateLabel,
    day,
    moment,
    sentence_text,
)
from app.http.request_scope import (
    CROSS_TENANT,
    ReadingServices,
    limited,
    process_of,
    public,
    write_transaction,
)
from app.language import N_, current_locale, translated
from app.services.trust.endorsements import ShownEndorsement, Subject
from app.services.trust.labels import CheckedLabel
from app.services.trust.network_register import RegisterPage
from app.services.verification.answers import IssuerStanding
from app.services.verification.verdicts import Claims, label_listed, label_message, place_of, standing_message
from app.web.trust.endorsements import recommendation
from sceau_credentials.keys import VerificationKey
from sceau_credentials.trust import GivenLabel, Standing

_SUSPENDED = StateLabel("Suspendu", "past")
_NO_KNOWN_END = StateLabel("Date de fin non publiée", "shut")


@dataclass(frozen=True)
class LabelVerdict:
    """A label by itself: the network's statement and its signature check; `url` is its page."""

    state: str
    word: str
    sentence: str
    detail: str
    url: str


@dataclass(frozen=True)
class LabelShown:
    name: str
    dates: str
    giver: str
    note: str
    state: StateLabel
    verdict: LabelVerdict

    @property
    def sentence(self) -> str:
        return f"{self.name}, {self.dates}" if self.dates else self.name

    @property
    def today(self) -> str:
        """The label in one line, with its state unless it is in force."""
        return (
            self.sentence
            if self.state.state == "ok"
            else f"{self.sentence} ({translated(self.state.text).lower()})"
        )


@dataclass(frozen=True)
class IssuerShown:
    """`url` leads to a page of this service; a foreign site is named, not linked."""

    name: str
    short: str
    description: str
    identifier: str
    url: str
    contact: str
    carrier: str
    labels: Sequence[LabelShown]
    is_ours: bool
    listed: Sequence[LabelVerdict] = ()
    """Labels of an external campus, from a network's signed list."""
    language: str = ""
    """Of what the campus wrote, for screen readers; empty where nothing tells."""
    today: str = ""
    """Its name today, where a badge names it otherwise."""

    @property
    def label(self) -> LabelShown | None:
        """The most relevant label: the one in force, else the latest."""
        current = [label for label in self.labels if label.state.state == "ok"]
        return next(reversed(current or self.labels), None)


@dataclass(frozen=True)
class StandingShown:
    """Identity of the issuer; `warning` where it resembles a recognised one."""

    state: str
    word: str
    sentence: str
    detail: str
    warning: str
    advice: str


def standing_shown(standing: IssuerStanding | None, zone: str) -> StandingShown | None:
    if standing is None:
        return None
    wording = standing_message(standing)
    return StandingShown(
        wording.state,
        translated(wording.word),
        sentence_text(wording.sentence, zone),
        sentence_text(wording.beside, zone),
        sentence_text(wording.warning, zone),
        sentence_text(wording.advice, zone),
    )


def campus_issuer(services: Services, campus: Campus) -> IssuerShown:
    about = ("issuer", campus.id, current_locale())
    return services.snapshot.now(about, lambda: _campus_issuer(services, campus))


def _campus_issuer(services: Services, campus: Campus) -> IssuerShown:
    return IssuerShown(
        name=translated("Campus {name}").format(name=campus.name),
        short=campus.short_name,
        description=campus.description.strip(),
        identifier=campus.did,
        url=f"/campus/{campus.slug}",
        contact=campus.contact_email,
        carrier=campus.carrier,
        labels=[label_shown(checked) for checked in services.labels.of_issuer(campus.did)],
        is_ours=True,
        language=campus.language,
    )


def as_named(issuer: IssuerShown, signed: str, today: str) -> IssuerShown:
    """The issuer as a badge names it, in `signed`; and today's name if it is another."""
    if signed == name_as_signed(today):
        return issuer
    return replace(issuer, name=translated("Campus {name}").format(name=signed), today=issuer.name)


def foreign_issuer(
    claims: Claims, identifier: str, standing: IssuerStanding | None, at: datetime
) -> IssuerShown:
    place = place_of(identifier)
    listed = standing.labels if standing else ()
    return IssuerShown(
        name=claims.issuer_name or place,
        short=place,
        description="",
        identifier=identifier,
        url="",
        contact="",
        carrier="",
        labels=(),
        is_ours=False,
        listed=[_listed(label, standing.network, at) for label in listed] if standing else (),
    )


def label_shown(checked: CheckedLabel) -> LabelShown:
    label, wording = checked.label, label_message(checked)
    return LabelShown(
        name=translated(LABEL_CATEGORIES[label.category]),
        dates=_dates(label.starts_on, label.ends_on),
        giver=checked.network.name,
        note=label.note,
        state=_state(checked),
        verdict=LabelVerdict(
            wording.state,
            translated(wording.word),
            sentence_text(wording.sentence),
            sentence_text(wording.beside),
            f"/labels/{label.id}",
        ),
    )


def _listed(label: GivenLabel, network: str, at: datetime) -> LabelVerdict:
    wording = label_listed(label, network, at)
    return LabelVerdict(
        wording.state,
        translated(wording.word),
        sentence_text(wording.sentence),
        sentence_text(wording.beside),
        label.url,
    )


def _state(checked: CheckedLabel) -> StateLabel:
    """Labels are valid for a period: without a known end, none is reported as in force."""
    if checked.is_suspended and checked.state is not LabelState.WITHDRAWN:
        return _SUSPENDED
    is_open_ended = checked.state is LabelState.CURRENT and checked.label.ends_on is None
    return _NO_KNOWN_END if is_open_ended else LABEL_STATES[checked.state]


def _dates(starts: date | None, ends: date | None) -> str:
    if starts and ends:
        return translated("du {first} au {last}").format(first=day(starts), last=day(ends))
    if starts:
        return translated("depuis le {first}").format(first=day(starts))
    return translated("jusqu’au {last}").format(last=day(ends)) if ends else ""


router = APIRouter()
public_page = APIRouter(route_class=ForPeople)

STANDINGS = {
    Standing.RECOGNISED: StateLabel("Reconnu", "ok"),
    Standing.SUSPENDED: StateLabel("Reconnaissance suspendue", "past"),
    Standing.ENDED: StateLabel("N’est plus reconnu", "bad"),
}
_SEALS = {"ok": "ok", "past": "past", "bad": "revoked", "unk": "unk", "shut": "shut"}


@dataclass(frozen=True)
class GivenShown:
    words: str
    dates: str
    url: str


@dataclass(frozen=True)
class EntryShown:
    """`url` is the campus's page where it is hosted here; otherwise only its host is named."""

    name: str
    short: str
    place: str
    url: str
    identifier: str
    state: StateLabel
    since: str
    changed: str
    reason: str
    labels: Sequence[GivenShown]


@dataclass(frozen=True)
class RegisterShown:
    slug: str
    name: str
    description: str
    did: str
    key: str
    former: Sequence[tuple[str, datetime, bool]]
    """Retired keys, when, and whether they were stolen."""
    list_url: str
    sequence: int
    signed: str
    until: str
    entries: Sequence[EntryShown]


@dataclass(frozen=True)
class LabelPage:
    name: str
    state: str
    seal: str
    word: str
    sentence: str
    detail: str
    when: str
    campus: str
    campus_url: str
    place: str
    network: str
    network_url: str
    note: str
    identifier: str


@router.get("/reseau/{slug}")
@public
def show_network(slug: str, request: Request, services: ReadingServices) -> HTMLResponse:
    found = services.register.page(slug)
    network = found.network
    return page(
        request,
        "trust/network.html",
        n=register_shown(services, found),
        link_preview=preview(
            services,
            f"/reseau/{network.slug}",
            network.name,
            network.description or network.name,
            network=network,
            structured=network_data(services, network),
        ),
    )


@public_page.get("/labels/{label_id:uuid}")
@public
def show_label(label_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    """Withdrawn labels have a page too, with their state."""
    checked = services.labels.evaluate(label_id)
    shown = label_page(services, checked)
    return page(
        request,
        "trust/label.html",
        l=shown,
        link_preview=preview(
            services,
            f"/labels/{label_id}",
            f"{shown.name}, {shown.campus}",
            shown.sentence,
            network=checked.network,
        ),
    )


def register_shown(services: Services, found: RegisterPage) -> RegisterShown:
    edition = found.edition
    return RegisterShown(
        slug=found.network.slug,
        name=found.network.name,
        description=found.network.description,
        did=found.did,
        key=found.key,
        former=[_former(each) for each in found.former],
        list_url=services.addresses.trust_list(found.network.slug),
        sequence=edition.sequence if edition else 0,
        signed=moment(edition.signed_at) if edition else "",
        until=moment(edition.valid_until) if edition else "",
        entries=[_entry(services, row, found.labels.get(row.issuer, ())) for row in found.entries],
    )


def _former(key: NetworkKey) -> tuple[str, datetime, bool]:
    public = VerificationKey.from_jwk(key.public_jwk).to_multikey()
    return public, key.revoked_at or key.retired_at or key.created_at, key.revoked_at is not None


def label_page(services: Services, checked: CheckedLabel) -> LabelPage:
    wording, label = label_message(checked), checked.label
    campus = services.campuses.find_by_issuer(label.issuer)
    return LabelPage(
        name=translated(LABEL_CATEGORIES[label.category]),
        state=wording.state,
        seal=_SEALS[wording.state],
        word=translated(wording.word),
        sentence=sentence_text(wording.sentence),
        detail=sentence_text(wording.beside),
        when=moment(services.clock()),
        campus=checked.campus_name,
        campus_url=f"/campus/{campus.slug}" if campus else "",
        place=place_of(label.issuer),
        network=checked.network.name,
        network_url=f"/reseau/{checked.network.slug}",
        note=label.note,
        identifier=services.addresses.label(label.id),
    )


def _entry(services: Services, row: Recognition, labels: Sequence[Label]) -> EntryShown:
    campus = services.campuses.find_by_issuer(row.issuer)
    return EntryShown(
        name=row.name,
        short=row.short_name,
        place=row.domain or place_of(row.issuer),
        url=f"/campus/{campus.slug}" if campus else "",
        identifier=row.issuer,
        state=STANDINGS[row.standing],
        since=day(row.since),
        changed=day(row.changed_at) if row.standing is not Standing.RECOGNISED else "",
        reason=row.reason,
        labels=[_given(label) for label in labels if label.withdrawn_at is None],
    )


def _given(label: Label) -> GivenShown:
    dates = ""
    if label.starts_on and label.ends_on:
        dates = translated("du {first} au {last}").format(first=day(label.starts_on), last=day(label.ends_on))
    elif label.starts_on:
        dates = translated("depuis le {first}").format(first=day(label.starts_on))
    return GivenShown(translated(LABEL_CATEGORIES[label.category]), dates, f"/labels/{label.id}")


organisations_router = APIRouter(dependencies=[CROSS_TENANT])
_DONE = {
    "lettre": N_(
        "Si cette adresse est bien celle de l’organisation, un e-mail y est envoyé. Son lien vaut sept jours."
    ),
    "retiree": N_("La recommandation est retirée. Son texte n’est plus gardé ici."),
}


@public_page.get("/organisations/{organisation_id:uuid}")
@public
def show(
    organisation_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    organisation = services.organisations.get(organisation_id)
    shown = organisation_shown(organisation, services.endorsements.by_organisation(organisation_id))
    done = translated(_DONE[fait]) if fait in _DONE else ""
    return page(request, "trust/organisation.html", done=done, **shown)


@organisations_router.post("/organisations/{organisation_id:uuid}/lien", dependencies=[limited("endorsing")])
@public
def ask_for_the_list(organisation_id: uuid.UUID, request: Request, form: SafeForm) -> Response:
    """Same answer for every address: never reveals who works there."""
    typed = text_of(form, "adresse")
    if typed:
        process_of(request).limiter.hit("endorsement to an address", mailbox_key(typed))
        with write_transaction(request) as writing:
            writing.endorsements_taken_back.ask_desk(organisation_id, typed)
        process_of(request).on_enqueue()
    return RedirectResponse(f"/organisations/{organisation_id}?fait=lettre#retirer", status_code=303)


@organisations_router.get("/organisations/gerer/{token}")
@public
def show_list(token: str, request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    organisation, rows = services.endorsements_taken_back.desk(token)
    reply = page(
        request,
        "trust/desk.html",
        private=True,
        here=f"/organisations/gerer/{token}",
        name=organisation.name,
        said=[
            (recommendation(found, subject.campus.time_zone), subject.title, subject.campus.name)
            for found, subject in (services.endorsements.look(row) for row in rows)
        ],
        done=translated(_DONE[fait]) if fait in _DONE else "",
    )
    reply.headers["Referrer-Policy"] = "same-origin"
    return reply


@organisations_router.post("/organisations/gerer/{token}", dependencies=[limited("endorsing")])
@public
def take_back(token: str, request: Request, form: SafeForm) -> Response:
    with write_transaction(request) as writing:
        for endorsement_id in ids_in([text_of(form, "recommandation")]):
            writing.endorsements_taken_back.withdraw_at_desk(token, endorsement_id)
    return RedirectResponse(f"/organisations/gerer/{token}?fait=retiree", status_code=303)


def organisation_shown(
    organisation: Organisation, said: Sequence[tuple[ShownEndorsement, Subject]]
) -> dict[str, Any]:
    """The view of `trust/organisation.html`; `said`: its endorsements."""
    return {
        "number": str(organisation.id),
        "name": organisation.name,
        "site": organisation.site,
        "identifier": organisation.did,
        "how": _how(organisation),
        "said": [
            (recommendation(each, subject.campus.time_zone), subject.title, subject.campus.name)
            for each, subject in said
        ],
    }


def _how(organisation: Organisation) -> str:
    since = day(organisation.created_at, DEFAULT_ZONE)
    if organisation.is_personal:
        return translated(
            "Connue par une adresse personnelle ({domain}), vérifiée par e-mail : rien ne rattache ce domaine à "
            "l’organisation. Ici depuis le {day}."
        ).format(domain=organisation.domain, day=since)
    return translated("Connue par son domaine {domain}, vérifié par e-mail. Ici depuis le {day}.").format(
        domain=organisation.domain, day=since
    )


organisations_router.include_router(public_page)
