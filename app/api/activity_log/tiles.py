"""The files of an activity log, laid out as C2SP tlog-tiles, and the door at which its witnesses hand in."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.api.programs import Slug
from app.api.publishing.public import CampusSlug, allow_reading_from_anywhere, answer, shown
from app.api.shapes import Shape, example
from app.http.policies import public
from app.http.problems import documented
from app.http.request_scope import ReadingServices, WritingServices, enter, limited

router = APIRouter(tags=["activity log"], responses=documented(404))
preflights = APIRouter(include_in_schema=False)
hand_in = APIRouter(prefix="/campuses/{slug}/log", tags=["activity log"])

FOR_EVER = "public, max-age=31536000, immutable"
# A checkpoint is made every few minutes: a witness that looks sooner sees the one before.
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
    """No token: the signature itself says who hands in, and only witnesses that the campus named are heard."""
    enter(request, services, services.campuses.get(slug))
    _, line = services.log_watch.take_cosignature(slug, body.checkpoint)
    return CosignatureView(witness=line.witness, size=line.size, seen_at=line.seen_at)


preflights.add_api_route(
    "/campus/{slug}/journal/{file:path}", allow_reading_from_anywhere, methods=["OPTIONS"]
)
