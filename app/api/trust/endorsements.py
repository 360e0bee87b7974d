"""Endorsements and their organisations: signed documents, keys, status lists, and the endorsements of a
badge."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.api.programs import Reader
from app.api.publishing.public import FIVE_MINUTES, ONE_MINUTE, allow_reading_from_anywhere, answer, shown
from app.api.shapes import Page, Paged, example
from app.api.trust.networks import LISTS
from app.http.negotiation import ForPrograms, preferred
from app.http.policies import public
from app.http.problems import documented
from app.http.request_scope import ReadingServices
from app.services.trust.endorsements import ShownEndorsement

router = APIRouter(tags=["endorsements"], responses=documented(404))
with_page = APIRouter(tags=["endorsements"], responses=documented(404), route_class=ForPrograms)
"""Documents at URLs that serve a page to browsers."""
preflights = APIRouter(include_in_schema=False)
of_campus = APIRouter(prefix="/campuses/{slug}/endorsements", tags=["endorsements"])

_JSON = ("application/vc+ld+json", "application/vc", "application/ld+json", "application/json")
_ONE = shown(*_JSON, "text/plain", about="The endorsement, byte for byte as it was signed.")
_ONE["responses"] |= documented(403, 410)
_ORGANISATION = "/organisations/{organisation_id:uuid}"


class EndorsementExtension(StrEnum):
    JSON = "json"
    JWT = "jwt"


@router.get("/recommandations/{endorsement_id:uuid}.{extension}", summary="An endorsement as a file", **_ONE)
@public
def endorsement_file(
    endorsement_id: uuid.UUID, extension: EndorsementExtension, request: Request, services: ReadingServices
) -> Response:
    return answer(request, services.endorsements.document(endorsement_id, extension.value), cache=ONE_MINUTE)


@with_page.get("/recommandations/{endorsement_id:uuid}", summary="An endorsement", **_ONE)
@public
def endorsement(endorsement_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    asked = preferred(request.headers.get("accept", ""), (*_JSON, "application/vc+jwt", "text/plain"))
    form = "jwt" if asked in ("application/vc+jwt", "text/plain") else "json"
    document = services.endorsements.document(endorsement_id, form)
    return answer(request, document, cache=ONE_MINUTE, media_type=asked)


@with_page.get(_ORGANISATION, summary="An organisation's profile", **shown("application/ld+json"))
@public
def organisation(organisation_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    return answer(request, services.organisations.profile(organisation_id), cache=FIVE_MINUTES)


@router.get(
    _ORGANISATION + "/did.json",
    summary="An organisation's DID document",
    **shown("application/did+json"),
)
@public
def organisation_did(organisation_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    return answer(request, services.organisations.did(organisation_id), cache=FIVE_MINUTES)


@router.get(
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


for _path in (
    "/recommandations/{endorsement_id:uuid}",
    "/recommandations/{endorsement_id:uuid}.{extension}",
    _ORGANISATION,
    _ORGANISATION + "/did.json",
    _ORGANISATION + "/statuts",
):
    preflights.add_api_route(_path, allow_reading_from_anywhere, methods=["OPTIONS"])


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
