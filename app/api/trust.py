"""JSON API: registry, organisations, endorsements."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from importlib.resources import files
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.api.publishing.public import (
    FIVE_MINUTES,
    ONE_MINUTE,
    CampusSlug,
    allow_reading_from_anywhere,
    answer,
    shown,
)
from app.container import Services
from app.domain.badges.shared_definitions import Noun
from app.domain.trust import TRUST_CONTEXT_PATH
from app.http.negotiation import ForPrograms, preferred
from app.http.problems import documented
from app.http.programs import Page, Paged, Reader, example, version_1
from app.http.request_scope import ReadingServices, public
from app.services.badges.shared_definitions import Definition
from app.services.publishing import Published
from app.services.trust.endorsements import ShownEndorsement
from app.services.verification import verdicts
from app.services.verification.answers import IssuerStanding, StandingKind

# --- Documents signed by a network: its keys, the list of recognised campuses, the labels, and the terms of
# the list

networks_router = APIRouter(tags=["networks"], responses=documented(404))
networks_with_page = APIRouter(tags=["networks"], responses=documented(404, 410), route_class=ForPrograms)
networks_preflights = APIRouter(include_in_schema=False)

_A_DAY = "public, max-age=86400"
LISTS = ("application/vc", "application/vc+jwt", "application/ld+json", "application/json")
"""Media types of the status lists of issuers hosted here."""
_CREDENTIAL = "application/vc+ld+json"
_CONTEXT = Published.of(
    (files("sceau_credentials.trust") / "confiance-v1.jsonld").read_bytes(), "application/ld+json"
)


@networks_router.get(
    "/reseau/{slug}/did.json", summary="A network's DID document", **shown("application/did+json")
)
@public
def network_did(slug: CampusSlug, request: Request, services: ReadingServices) -> Response:
    return answer(request, services.network_documents.did(slug), cache=FIVE_MINUTES)


@networks_router.get(
    "/reseau/{slug}/campus-reconnus.json",
    summary="The signed list of the campuses that a network recognises",
    **shown(_CREDENTIAL, about="The newest edition, byte for byte as the network signed it."),
)
@public
def trust_list(slug: CampusSlug, request: Request, services: ReadingServices) -> Response:
    return answer(request, services.network_documents.trust_list(slug), cache=FIVE_MINUTES)


class DefinitionView(BaseModel):
    id: uuid.UUID
    kind: Noun
    title: str
    code: str = Field(description="Of a competency.")
    version: int
    published_at: datetime
    url: str
    content: dict[str, Any] = Field(
        description="By part; competencies are named by the id of their definition."
    )
    adopters: list[str] = Field(description="Identifiers of the campuses that publish it.")


@networks_router.get(
    "/reseau/{slug}/definitions.json", summary="The definitions that a network shares with its campuses"
)
@public
def shared_definitions(slug: CampusSlug, services: ReadingServices) -> list[DefinitionView]:
    network = services.register.network(slug)
    return [
        _definition_view(services, services.shared_definitions.definition(line.id))
        for line in services.shared_definitions.lines([network])
        if not line.is_withdrawn
    ]


def _definition_view(services: Services, found: Definition) -> DefinitionView:
    return DefinitionView(
        id=found.id,
        kind=found.noun,
        title=found.title,
        code=found.code,
        version=found.newest.number,
        published_at=found.newest.published_at,
        url=f"{services.addresses.network(found.network.slug)}/definitions/{found.id}",
        content=dict(found.newest.values),
        adopters=[campus.did for _, campus, href in services.shared_definitions.adopters(found.id) if href],
    )


@networks_router.get(
    "/reseau/{slug}/statuts",
    summary="The signed status list of the labels that a network gave",
    **shown(*LISTS),
)
@public
def network_list(slug: CampusSlug, request: Request, services: ReadingServices) -> Response:
    asked = preferred(request.headers.get("accept", ""), LISTS) or LISTS[0]
    document = services.network_documents.status_list(
        slug, "jwt" if asked == "application/vc+jwt" else "json"
    )
    return answer(request, document, cache=FIVE_MINUTES, media_type=asked)


@networks_with_page.get(
    "/labels/{label_id:uuid}", summary="A label that a network gave, signed", **shown(_CREDENTIAL)
)
@public
def label(label_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    return answer(
        request, services.network_documents.label(label_id), cache=FIVE_MINUTES, media_type=_CREDENTIAL
    )


@networks_router.get(
    TRUST_CONTEXT_PATH, summary="The words of such lists (JSON-LD)", **shown("application/ld+json")
)
@public
def trust_context(request: Request) -> Response:
    return answer(request, _CONTEXT, cache=_A_DAY)


for _path in (
    "/reseau/{slug}/did.json",
    "/reseau/{slug}/campus-reconnus.json",
    "/reseau/{slug}/statuts",
    "/reseau/{slug}/definitions.json",
    "/labels/{label_id:uuid}",
    TRUST_CONTEXT_PATH,
):
    networks_preflights.add_api_route(_path, allow_reading_from_anywhere, methods=["OPTIONS"])


class IssuerLabelView(BaseModel):
    """A label of the issuer, from the network's signed list."""

    id: str = Field(description="Where the label itself is, signed.")
    category: str
    valid_from: datetime | None
    valid_until: datetime | None = Field(description="The first moment at which it no longer holds.")


class LookalikeView(BaseModel):
    """A recognised issuer that this one could be confused with."""

    likeness: Literal["name", "host"]
    issuer: str
    name: str
    message: str


class IssuerStandingView(BaseModel):
    """Identity of the issuer: from the registers of networks trusted by this service, else self-declared."""

    kind: StandingKind
    message: str
    network: str | None = None
    list_url: str | None = Field(None, description="Where the network's signed list is.")
    known_as: str | None = Field(None, description="The name in the register.")
    says: str | None = Field(None, description="The name that the issuer gives itself; nobody checked it.")
    labels: list[IssuerLabelView]
    lookalike: LookalikeView | None = None

    @staticmethod
    def of(standing: IssuerStanding) -> IssuerStandingView:
        wording = verdicts.standing_message(standing)
        return IssuerStandingView(
            kind=standing.kind,
            message=wording.sentence.text(),
            network=standing.network or None,
            list_url=standing.list_url or None,
            known_as=standing.known_as or None,
            says=standing.says or None,
            labels=[
                IssuerLabelView(
                    id=each.url,
                    category=each.category,
                    valid_from=each.valid_from,
                    valid_until=each.valid_until,
                )
                for each in standing.labels
            ],
            lookalike=LookalikeView(
                likeness=standing.alike.likeness.value,
                issuer=standing.alike.known.id,
                name=standing.alike.known.name,
                message=wording.warning.text() if wording.warning else "",
            )
            if standing.alike
            else None,
        )


# --- Endorsements and their organisations: signed documents, keys, status lists, and the endorsements of a
# badge

endorsements_router = APIRouter(tags=["endorsements"], responses=documented(404))
endorsements_with_page = APIRouter(tags=["endorsements"], responses=documented(404), route_class=ForPrograms)
"""Documents at URLs that serve a page to browsers."""
endorsements_preflights = APIRouter(include_in_schema=False)
of_campus = version_1("/campuses/{slug}/endorsements", tags=["endorsements"])

_JSON = ("application/vc+ld+json", "application/vc", "application/ld+json", "application/json")
_ONE = shown(*_JSON, "text/plain", about="The endorsement, byte for byte as it was signed.")
_ONE["responses"] |= documented(403, 410)
_ORGANISATION = "/organisations/{organisation_id:uuid}"


class EndorsementExtension(StrEnum):
    JSON = "json"
    JWT = "jwt"


@endorsements_router.get(
    "/recommandations/{endorsement_id:uuid}.{extension}", summary="An endorsement as a file", **_ONE
)
@public
def endorsement_file(
    endorsement_id: uuid.UUID, extension: EndorsementExtension, request: Request, services: ReadingServices
) -> Response:
    return answer(request, services.endorsements.document(endorsement_id, extension.value), cache=ONE_MINUTE)


@endorsements_with_page.get("/recommandations/{endorsement_id:uuid}", summary="An endorsement", **_ONE)
@public
def endorsement(endorsement_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    asked = preferred(request.headers.get("accept", ""), (*_JSON, "application/vc+jwt", "text/plain"))
    form = "jwt" if asked in ("application/vc+jwt", "text/plain") else "json"
    document = services.endorsements.document(endorsement_id, form)
    return answer(request, document, cache=ONE_MINUTE, media_type=asked)


@endorsements_with_page.get(
    _ORGANISATION, summary="An organisation's profile", **shown("application/ld+json")
)
@public
def organisation(organisation_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    return answer(request, services.organisations.profile(organisation_id), cache=FIVE_MINUTES)


@endorsements_router.get(
    _ORGANISATION + "/did.json",
    summary="An organisation's DID document",
    **shown("application/did+json"),
)
@public
def organisation_did(organisation_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    return answer(request, services.organisations.did(organisation_id), cache=FIVE_MINUTES)


@endorsements_router.get(
    _ORGANISATION + "/statuts",
    summary="The signed status list of what an organisation said here",
    **shown(*LISTS),
)
@public
def organisation_list(organisation_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    asked = preferred(request.headers.get("accept", ""), LISTS) or LISTS[0]
    form = "jwt" if asked == "application/vc+jwt" else "json"
    document = services.organisations.status_list(organisation_id, form)
    return answer(request, document, cache=FIVE_MINUTES, media_type=asked)


for _read_anywhere in (
    "/recommandations/{endorsement_id:uuid}",
    "/recommandations/{endorsement_id:uuid}.{extension}",
    _ORGANISATION,
    _ORGANISATION + "/did.json",
    _ORGANISATION + "/statuts",
):
    endorsements_preflights.add_api_route(_read_anywhere, allow_reading_from_anywhere, methods=["OPTIONS"])


_SHOWN = {
    "id": "https://badges.exemple.fr/recommandations/5b1f6f0e-1f59-4d0c-9a51-6a3f2f5f7c11",
    "about": "badge",
    "subject": "https://badges.exemple.fr/badges/0f0c1f4c-7f0a-4f0c-8f37-1f4c1b7f7f62/v1",
    "organisation": "Atelier Roy",
    "issuer": "did:web:badges.exemple.fr:organisations:2f6c8f0e-53a5-4c39-9a5b-0f8f0a6d7c3e",
    "domain": "atelier-roy.exemple.fr",
    "personal_address": False,
    "comment": "Nous embauchons les yeux fermés.\n— cheffe d’atelier",
    "outcome": "passed",
    "reason": "endorsement_holds",
    "state": "shown",
    "signed_at": "2026-11-24T12:00:00Z",
}


class EndorsementTextView(BaseModel):
    """An organisation's text about a badge, an award or a campus, verified now."""

    model_config = example(**_SHOWN)
    id: str
    about: Literal["badge", "award", "campus"]
    subject: str = Field(description="The id of what it is bound to: an award, a definition or a campus.")
    organisation: str
    issuer: str | None = Field(description="Who signed; believe it only where the outcome is passed.")
    domain: str = Field(description="Where a letter was answered; of a public provider it says nothing.")
    personal_address: bool
    comment: str
    outcome: str | None
    reason: str
    state: Literal["shown", "withdrawn", "hidden", "set_aside"]
    signed_at: datetime

    @staticmethod
    def of(said: ShownEndorsement, address: str) -> EndorsementTextView:
        row, found = said.endorsement, said.answer
        return EndorsementTextView(
            id=address,
            about=row.about.value,
            subject=row.subject,
            organisation=row.organisation_name,
            issuer=found.issuer if found else None,
            domain=said.organisation.domain,
            personal_address=said.organisation.is_personal,
            comment=found.comment if found else "",
            outcome=found.outcome.value if found else None,
            reason=found.reason if found else "withdrawn",
            state=said.state,
            signed_at=row.signed_at,
        )


def said_of(services: ReadingServices, found: Sequence[ShownEndorsement]) -> list[EndorsementTextView]:
    return [
        EndorsementTextView.of(each, services.addresses.endorsement(each.endorsement.id)) for each in found
    ]


class EndorsementsPage(Page[EndorsementTextView]):
    model_config = example(items=[_SHOWN], next=None)


@of_campus.get("", summary="What organisations say of the campus, its badges and the awards it gave")
def list_endorsements(program: Reader, paging: Paged) -> EndorsementsPage:
    """Includes endorsements no longer shown; `state` is the reason."""
    found = program.services.endorsements.of_campus(program.campus)
    shown, cursor = paging.slice(found, lambda each: each.endorsement.id)
    return EndorsementsPage(items=said_of(program.services, shown), next=cursor)
