"""What awards rest on: evidence documents as their credentials name them, what is shown of them, and their words."""

from __future__ import annotations

import uuid
from importlib.resources import files

from fastapi import APIRouter, Request, Response

from app.api.publishing.public import ONE_MINUTE, allow_reading_from_anywhere, answer, shown
from app.domain.awards.evidence import CONTEXT_PATH, SCHEMA_PATH
from app.http.policies import public
from app.http.problems import documented
from app.http.request_scope import ReadingServices
from app.services.publishing.publication import Published

router = APIRouter(tags=["evidence"], responses=documented(404))
preflights = APIRouter(include_in_schema=False)

_A_DAY = "public, max-age=86400"
_EVIDENCE = shown(
    "application/json",
    about="Lines of the activity log as commitments, the proofs that lead to a signed checkpoint, and the decision's own line.",
)
_DISCLOSURE = shown(
    "application/json", about="What the holder shows of these lines today; each field can be checked."
)
_WITNESSES = shown(
    "application/json",
    about="Each witness that the campus named, with the first checkpoint it signed that holds the award (C2SP tlog-proof).",
)
for _shown in (_EVIDENCE, _DISCLOSURE, _WITNESSES):
    _shown["responses"] |= documented(403, 410)


def _packaged(name: str, media_type: str) -> Published:
    return Published.of((files("sceau_credentials.evidence") / name).read_bytes(), media_type)


_CONTEXT = _packaged("preuves-v1.jsonld", "application/ld+json")
_SCHEMA = _packaged("preuves-v1.schema.json", "application/schema+json")


@router.get("/preuves/{award_id:uuid}", summary="What an award rests on", **_EVIDENCE)
@public
def evidence(award_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    services.publication.open_award(award_id)
    return answer(request, services.evidence.document(award_id), cache=ONE_MINUTE)


@router.get("/preuves/{award_id:uuid}/montrees", summary="What its holder shows of it", **_DISCLOSURE)
@public
def disclosure(award_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    services.publication.open_award(award_id)
    return answer(request, services.evidence.disclosure(award_id), cache=ONE_MINUTE)


@router.get("/preuves/{award_id:uuid}/temoins", summary="Who else saw it in the log", **_WITNESSES)
@public
def witnesses(award_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    services.publication.open_award(award_id)
    return answer(request, services.evidence.witnesses(award_id), cache=ONE_MINUTE)


@router.get(CONTEXT_PATH, summary="The words of evidence documents (JSON-LD)", **shown("application/ld+json"))
@public
def context(request: Request) -> Response:
    return answer(request, _CONTEXT, cache=_A_DAY)


@router.get(SCHEMA_PATH, summary="Their form (JSON Schema)", **shown("application/schema+json"))
@public
def schema(request: Request) -> Response:
    return answer(request, _SCHEMA, cache=_A_DAY)


_OF_AN_AWARD = (
    "/preuves/{award_id:uuid}",
    "/preuves/{award_id:uuid}/montrees",
    "/preuves/{award_id:uuid}/temoins",
)
for _path in (*_OF_AN_AWARD, CONTEXT_PATH, SCHEMA_PATH):
    preflights.add_api_route(_path, allow_reading_from_anywhere, methods=["OPTIONS"])
