"""The files of an activity log, laid out as C2SP tlog-tiles, and the endpoint for its witnesses."""

from __future__ import annotations

import uuid
from datetime import datetime
from importlib.resources import files

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.api.publishing.public import ONE_MINUTE, CampusSlug, allow_reading_from_anywhere, answer, shown
from app.domain.awards.open_badges import CONTEXT_PATH, SCHEMA_PATH
from app.http.problems import documented
from app.http.programs import Shape, Slug, example, version_1
from app.http.request_scope import ReadingServices, WritingServices, enter, limited, public
from app.services.publishing import Published

router = APIRouter(tags=["activity log"], responses=documented(404))
preflights = APIRouter(include_in_schema=False)
hand_in = version_1("/campuses/{slug}/log", tags=["activity log"], problems=(400, 403, 404, 409, 413, 422))

FOR_EVER = "public, max-age=31536000, immutable"
# A checkpoint is made every few minutes: a witness that polls sooner gets the previous one.
HALF_A_MINUTE = "public, max-age=30"
_NOTE = (
    "badges.exemple.fr/campus/itip/journal\n2\n4Oz0…=\n\n"
    "— badges.exemple.fr/campus/itip/journal zU8p…\n— temoin.exemple.fr hIn2…\n"
)


@router.get(
    "/campus/{slug}/journal/{file:path}",
    summary="A file of the campus's activity log",
    **shown(
        "text/plain",
        "application/octet-stream",
        about="`checkpoint`, `key`, `tile/…`, `tile/entries/…` or `{number}.tlog-proof`, as C2SP lays them out.",
    ),
)
@public
def log_file(slug: CampusSlug, file: str, request: Request, services: ReadingServices) -> Response:
    found = services.log_publication.file(slug, file)
    return answer(request, found.document, cache=FOR_EVER if found.never_changes else HALF_A_MINUTE)


class CosignedCheckpoint(Shape):
    model_config = example(checkpoint=_NOTE)
    checkpoint: str = Field(min_length=1, max_length=64 * 1024)


class CosignatureView(BaseModel):
    model_config = example(witness="temoin.exemple.fr", size=2, seen_at="2026-11-26T09:00:00Z")
    witness: str
    size: int
    seen_at: datetime


@hand_in.post(
    "/cosignatures",
    summary="Hand in a witness's cosignature; safe to repeat",
    dependencies=[limited("cosignature")],
)
@public
def take_cosignature(
    slug: Slug, body: CosignedCheckpoint, request: Request, services: WritingServices
) -> CosignatureView:
    """No token: the signature itself authenticates the witness, which the campus must have added."""
    enter(request, services, services.campuses.get(slug))
    _, line = services.log_watch.take_cosignature(slug, body.checkpoint)
    return CosignatureView(witness=line.witness, size=line.size, seen_at=line.seen_at)


preflights.add_api_route(
    "/campus/{slug}/journal/{file:path}", allow_reading_from_anywhere, methods=["OPTIONS"]
)


evidence_router = APIRouter(tags=["evidence"], responses=documented(404))


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


@evidence_router.get("/preuves/{award_id:uuid}", summary="What an award rests on", **_EVIDENCE)
@public
def evidence(award_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    services.publication.open_award(award_id)
    return answer(request, services.evidence.document(award_id), cache=ONE_MINUTE)


@evidence_router.get(
    "/preuves/{award_id:uuid}/montrees", summary="What its holder shows of it", **_DISCLOSURE
)
@public
def disclosure(award_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    services.publication.open_award(award_id)
    return answer(request, services.evidence.disclosure(award_id), cache=ONE_MINUTE)


@evidence_router.get("/preuves/{award_id:uuid}/temoins", summary="Who else saw it in the log", **_WITNESSES)
@public
def witnesses(award_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    services.publication.open_award(award_id)
    return answer(request, services.evidence.witnesses(award_id), cache=ONE_MINUTE)


@evidence_router.get(
    CONTEXT_PATH, summary="The words of evidence documents (JSON-LD)", **shown("application/ld+json")
)
@public
def context(request: Request) -> Response:
    return answer(request, _CONTEXT, cache=_A_DAY)


@evidence_router.get(SCHEMA_PATH, summary="Their form (JSON Schema)", **shown("application/schema+json"))
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
