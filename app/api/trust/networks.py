"""What a network signs: its keys, the list of campuses it recognises, the labels it gave, and the words of the list."""

from __future__ import annotations

import uuid
from importlib.resources import files

from fastapi import APIRouter, Request, Response

from app.api.publishing.public import FIVE_MINUTES, CampusSlug, allow_reading_from_anywhere, answer, shown
from app.domain.trust.recognition import TRUST_CONTEXT_PATH
from app.http.negotiation import ForPrograms, preferred
from app.http.policies import public
from app.http.problems import documented
from app.http.request_scope import ReadingServices
from app.services.publishing.publication import Published

router = APIRouter(tags=["networks"], responses=documented(404))
with_page = APIRouter(tags=["networks"], responses=documented(404, 410), route_class=ForPrograms)
preflights = APIRouter(include_in_schema=False)

_A_DAY = "public, max-age=86400"
LISTS = ("application/vc", "application/vc+jwt", "application/ld+json", "application/json")
"""In which forms the status lists of issuers hosted here are asked for."""
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
def context(request: Request) -> Response:
    return answer(request, _CONTEXT, cache=_A_DAY)


for _path in (
    "/reseau/{slug}/did.json",
    "/reseau/{slug}/campus-reconnus.json",
    "/reseau/{slug}/statuts",
    "/labels/{label_id:uuid}",
    TRUST_CONTEXT_PATH,
):
    preflights.add_api_route(_path, allow_reading_from_anywhere, methods=["OPTIONS"])
