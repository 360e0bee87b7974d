"""Documents signed by a network: its keys, the list of recognised campuses, the labels, and the terms of the
list."""

from __future__ import annotations

import uuid
from datetime import datetime
from importlib.resources import files
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.api.publishing.public import FIVE_MINUTES, CampusSlug, allow_reading_from_anywhere, answer, shown
from app.container import Services
from app.domain.badges.shared_definitions import Noun
from app.domain.trust.trust_registry import TRUST_CONTEXT_PATH
from app.http.negotiation import ForPrograms, preferred
from app.http.policies import public
from app.http.problems import documented
from app.http.request_scope import ReadingServices
from app.services.badges.shared_definitions import Definition
from app.services.publishing.publication import Published
from app.services.verification import verdicts
from app.services.verification.answers import IssuerStanding, StandingKind

router = APIRouter(tags=["networks"], responses=documented(404))
with_page = APIRouter(tags=["networks"], responses=documented(404, 410), route_class=ForPrograms)
preflights = APIRouter(include_in_schema=False)

_A_DAY = "public, max-age=86400"
LISTS = ("application/vc", "application/vc+jwt", "application/ld+json", "application/json")
"""Media types of the status lists of issuers hosted here."""
_CREDENTIAL = "application/vc+ld+json"
_CONTEXT = Published.of(
    (files("sceau_credentials.trust") / "confiance-v1.jsonld").read_bytes(), "application/ld+json"
)


@router.get("/reseau/{slug}/did.json", summary="A network's DID document", **shown("application/did+json"))
@public
def network_did(slug: CampusSlug, request: Request, services: ReadingServices) -> Response:
    return answer(request, services.network_documents.did(slug), cache=FIVE_MINUTES)


@router.get(
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


@router.get(
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


@router.get(
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


@with_page.get("/labels/{label_id:uuid}", summary="A label that a network gave, signed", **shown(_CREDENTIAL))
@public
def label(label_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    return answer(
        request, services.network_documents.label(label_id), cache=FIVE_MINUTES, media_type=_CREDENTIAL
    )


@router.get(TRUST_CONTEXT_PATH, summary="The words of such lists (JSON-LD)", **shown("application/ld+json"))
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
    preflights.add_api_route(_path, allow_reading_from_anywhere, methods=["OPTIONS"])


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
        told = verdicts.standing_message(standing)
        return IssuerStandingView(
            kind=standing.kind,
            message=told.sentence.text(),
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
                message=told.warning.text() if told.warning else "",
            )
            if standing.alike
            else None,
        )
