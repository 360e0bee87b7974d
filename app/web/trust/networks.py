"""A network and its register as the world sees them, and each label as a thing of its own."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.container import Services
from app.domain.campus.campus import Label
from app.domain.trust.recognition import NetworkKey, Recognition
from app.http.negotiation import ForPeople
from app.http.pages.render import page
from app.http.pages.saying import said
from app.http.pages.typography import say
from app.http.pages.wording import day, moment
from app.http.pages.words import LABEL_CATEGORIES, Word
from app.http.policies import public
from app.http.request_scope import ReadingServices
from app.language import N_
from app.services.trust.labels import LabelJudged
from app.services.trust.network_register import RegisterPage
from app.services.verification.verdicts import label_told, place_of
from sceau_credentials.keys import VerificationKey
from sceau_credentials.trust import Standing

router = APIRouter(route_class=ForPeople)

STANDINGS = {
    Standing.RECOGNISED: Word(N_("Reconnu"), "ok"),
    Standing.SUSPENDED: Word(N_("Reconnaissance suspendue"), "past"),
    Standing.ENDED: Word(N_("N’est plus reconnu"), "bad"),
}
_SEALS = {"ok": "ok", "past": "past", "bad": "revoked", "unk": "unk", "shut": "shut"}


@dataclass(frozen=True)
class GivenShown:
    words: str
    dates: str
    url: str


@dataclass(frozen=True)
class EntryShown:
    """`url` is the campus's page where it is one of this service; else only its place is named."""

    name: str
    short: str
    place: str
    url: str
    identifier: str
    state: Word
    since: str
    changed: str
    reason: str
    labels: Sequence[GivenShown]


@dataclass(frozen=True)
class RegisterShown:
    name: str
    description: str
    did: str
    key: str
    former: Sequence[tuple[str, datetime, bool]]
    """Keys that ended, when, and whether they were stolen."""
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
    return page(request, "trust/network.html", n=register_shown(services, found))


@router.get("/labels/{label_id:uuid}")
@public
def show_label(label_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    """Withdrawn labels keep their page: it says so."""
    return page(request, "trust/label.html", l=label_page(services, services.labels.judge(label_id)))


def register_shown(services: Services, found: RegisterPage) -> RegisterShown:
    edition = found.edition
    return RegisterShown(
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


def label_page(services: Services, judged: LabelJudged) -> LabelPage:
    told, label = label_told(judged), judged.label
    campus = services.campuses.find_by_issuer(label.issuer)
    return LabelPage(
        name=say(LABEL_CATEGORIES[label.category]),
        state=told.state,
        seal=_SEALS[told.state],
        word=say(told.word),
        sentence=said(told.sentence),
        detail=said(told.beside),
        when=moment(services.clock()),
        campus=judged.campus_name,
        campus_url=f"/campus/{campus.slug}" if campus else "",
        place=place_of(label.issuer),
        network=judged.network.name,
        network_url=f"/reseau/{judged.network.slug}",
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
        dates = say(N_("du {first} au {last}")).format(first=day(label.starts_on), last=day(label.ends_on))
    elif label.starts_on:
        dates = say(N_("depuis le {first}")).format(first=day(label.starts_on))
    return GivenShown(say(LABEL_CATEGORIES[label.category]), dates, f"/labels/{label.id}")
