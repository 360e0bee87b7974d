"""Public documents at their own addresses: awards, definitions, profiles, keys and status lists."""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from app.negotiation import preferred
from app.request_scope import ReadingServices, process_of
from app.services.publication import Published

router = APIRouter(tags=["public documents"])

_FORMS_BY_TYPE = {
    "application/vc+ld+json": "json",
    "application/vc": "json",
    "application/ld+json": "json",
    "application/json": "json",
    "application/vc+jwt": "jwt",
    "text/plain": "jwt",
    "image/png": "png",
    "image/svg+xml": "svg",
}
_DEFINITION_TYPES = ("application/ld+json", "application/json")
FIVE_MINUTES, ONE_MINUTE, FOR_EVER = (
    "public, max-age=300",
    "public, max-age=60",
    "public, max-age=31536000, immutable",
)


class Extension(StrEnum):
    JSON = "json"
    JWT = "jwt"
    PNG = "png"
    SVG = "svg"


class PictureForm(StrEnum):
    PNG = "png"
    SVG = "svg"


Number = Annotated[int, Path(ge=1, le=100_000)]


def answer(
    request: Request,
    document: Published,
    *,
    cache: str,
    media_type: str | None = None,
    negotiated: bool = False,
) -> Response:
    """The bytes as they lie, or 304 when the client has them already."""
    headers = {
        "ETag": f'"{document.digest}"',
        "Cache-Control": cache,
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    media_type = media_type or document.media_type
    if not media_type.startswith("image/"):
        # Public JSON may be read by any page anywhere; nothing here depends on who asks (C-026, L-004).
        headers["Access-Control-Allow-Origin"] = "*"
    if negotiated:
        headers["Vary"] = "Accept"
    if document.digest in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if media_type == "image/svg+xml":
        headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return Response(document.body, media_type=media_type, headers=headers)


@router.get("/attributions/{award_id}.{extension}", summary="An award as a file")
async def award_file(award_id: uuid.UUID, extension: Extension, request: Request) -> Response:
    return answer(request, await _award(request, award_id, extension.value), cache=ONE_MINUTE)


@router.get("/attributions/{award_id}", summary="An award, in the form that Accept asks for")
async def award(award_id: uuid.UUID, request: Request) -> Response:
    media_type = preferred(request.headers.get("accept", ""), tuple(_FORMS_BY_TYPE))
    if media_type is None:
        return Response(status_code=406)
    form = _FORMS_BY_TYPE[media_type]
    return answer(
        request,
        await _award(request, award_id, form),
        cache=ONE_MINUTE,
        media_type=media_type,
        negotiated=True,
    )


async def _award(request: Request, award_id: uuid.UUID, form: str) -> Published:
    if form in ("json", "jwt"):
        return await process_of(request).public_documents.award(award_id, form)
    return await run_in_threadpool(_baked, request, award_id, form)


def _baked(request: Request, award_id: uuid.UUID, form: str) -> Published:
    with process_of(request).unit_of_work(reading=True) as services:
        return services.publication.award_file(services.publication.open_award(award_id), form)


@router.get("/badges/{badge_id}/v{number}", summary="A badge definition, one version")
async def definition(badge_id: uuid.UUID, number: Number, request: Request) -> Response:
    media_type = preferred(request.headers.get("accept", ""), _DEFINITION_TYPES)
    if media_type is None:
        return Response(status_code=406)
    document = await process_of(request).public_documents.definition(badge_id, number)
    return answer(request, document, cache=FIVE_MINUTES, media_type=media_type, negotiated=True)


@router.get("/badges/{badge_id}", summary="A badge definition, current version")
def current_definition(badge_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    _, document = services.publication.definition(badge_id, None)
    return answer(request, document, cache=FIVE_MINUTES, negotiated=True)


@router.get("/badges/{badge_id}/v{number}/image.{form}", summary="A badge's picture, one version")
def picture(
    badge_id: uuid.UUID, number: Number, form: PictureForm, request: Request, services: ReadingServices
) -> Response:
    return answer(request, services.publication.picture(badge_id, number, form.value), cache=FIVE_MINUTES)


@router.get("/campus/{slug}/did.json", summary="A campus's DID document")
def campus_did(slug: str, request: Request, services: ReadingServices) -> Response:
    return answer(request, services.publication.campus_did(slug), cache=FIVE_MINUTES)


@router.get("/campus/{slug}", summary="A campus's profile")
def profile(slug: str, request: Request, services: ReadingServices) -> Response:
    return answer(request, services.publication.profile(slug), cache=FIVE_MINUTES, negotiated=True)


@router.get("/.well-known/did.json", summary="The service's own DID document")
def host_did(request: Request, services: ReadingServices) -> Response:
    return answer(request, services.publication.host_did(), cache=FIVE_MINUTES)


@router.get("/.well-known/jwks.json", summary="Every published key, each with its issuer")
def jwks(request: Request, services: ReadingServices) -> Response:
    return answer(request, services.publication.jwks(), cache=FIVE_MINUTES)


@router.get("/statuts/{list_id}", summary="A signed status list")
def status_list(list_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    return answer(request, services.publication.status_list(list_id), cache=FIVE_MINUTES)
