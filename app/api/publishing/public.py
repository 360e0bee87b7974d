"""Public documents at their own URLs: awards, definitions, profiles, keys and status lists."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from enum import StrEnum
from time import perf_counter
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from app.container import DatabaseUnreachable, Services
from app.domain.frameworks.case import CASE_PATH, CaseWriter, association_id, rubric_id
from app.errors import AppError, NotFound
from app.http.negotiation import (
    ForPrograms,
    etag_of,
    gzip_body,
    has_already,
    is_unchanged,
    preferred,
    takes_gzip,
)
from app.http.problems import documented
from app.http.request_scope import ReadingServices, find_signed_in, limited, process_of, public, visit
from app.services.publishing import FORMS, PublicDocuments, Published, Withdrawn
from app.telemetry import noter_of
from sceau_credentials.values import dump_json, parse_json_object

router = APIRouter(tags=["public documents"], responses=documented(404))
in_version_2 = APIRouter(prefix="/ob2", tags=["Open Badges 2.0"], responses=documented(404))
"""Awards in Open Badges 2.0, hosted: assertion, badge class, issuer, and the picture with the baked assertion."""
with_page = APIRouter(tags=["public documents"], responses=documented(404), route_class=ForPrograms)
"""Documents at URLs that serve a page to browsers."""

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
_LINKED_DATA = ("application/ld+json", "application/json")
_DID_DOCUMENT = ("application/did+json", "application/did+ld+json", "application/json", "application/ld+json")
_JWK_SET = ("application/jwk-set+json", "application/json")
_LISTS_BY_TYPE = {
    "application/vc": "json",
    "application/vc+ld+json": "json",
    "application/ld+json": "json",
    "application/json": "json",
    "application/vc+jwt": "jwt",
}
_SUSPENSIONS = {"json": "suspensions", "jwt": "suspensions.jwt"}
# Closing an award's page takes effect within a minute, a revocation within five.
ONE_MINUTE, FIVE_MINUTES = "public, max-age=60", "public, max-age=300"
# A picture is opened on its own, as a document that could run scripts.
_PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"


class AwardExtension(StrEnum):
    JSON = "json"
    JWT = "jwt"
    PNG = "png"
    SVG = "svg"
    ZIP = "zip"


class ProofForm(StrEnum):
    """How the proof of an award is written as JSON: `object` is what most verifiers accept."""

    OBJECT = "object"
    ARRAY = "array"


class PictureForm(StrEnum):
    PNG = "png"
    SVG = "svg"


Number = Annotated[int, Path(ge=1, le=100_000)]
CampusSlug = Annotated[str, Path(pattern="^[a-z0-9-]{1,60}$", examples=["itip"])]


def answer(
    request: Request,
    document: Published,
    *,
    cache: str,
    media_type: str | None = None,
    changed_at: datetime | None = None,
    **more: str,
) -> Response:
    """The stored bytes, or 304 when the client's copy is current. `media_type` was chosen by Accept.

    `changed_at`: a whole second that is over, for clients that know dates alone.
    """
    shown_as = media_type or document.media_type
    is_drawing = shown_as == "image/svg+xml"
    is_compressed = is_drawing and takes_gzip(request.headers)
    etag = etag_of(document.digest, shown_as)
    headers = {
        # Compressed, the bytes are others: a weak validator.
        "ETag": f"W/{etag}" if is_compressed else etag,
        "Cache-Control": cache,
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Robots-Tag": "noindex",
        **more,
    }
    if not shown_as.startswith("image/"):
        # Public JSON may be read by any page anywhere; it does not depend on the user (C-026, L-004).
        headers["Access-Control-Allow-Origin"] = "*"
    vary = [*(["Accept"] if media_type else ()), *(["Accept-Encoding"] if is_drawing else ())]
    if vary:
        headers["Vary"] = ", ".join(vary)
    if changed_at is not None:
        headers["Last-Modified"] = format_datetime(changed_at, usegmt=True)
    known, since = request.headers.get("if-none-match"), request.headers.get("if-modified-since", "")
    by_date = known is None and changed_at is not None and is_unchanged(since, changed_at)
    if by_date or has_already(known or "", etag):
        return Response(status_code=304, headers=headers)
    if is_drawing:
        headers["Content-Security-Policy"] = _PICTURE_POLICY
    whole = Response(document.body, media_type=shown_as, headers=headers)
    return gzip_body(whole) if is_compressed else whole


def _wanted(request: Request, offered: Sequence[str]) -> str:
    media_type = preferred(request.headers.get("accept", ""), offered)
    if media_type is None:
        raise HTTPException(406, headers={"Vary": "Accept"})
    return media_type


def shown(*media_types: str, about: str = "The document, byte for byte as it was signed.") -> dict[str, Any]:
    """For the API description: the only possible response of a route."""
    content = {
        each: {
            "schema": {"type": "object" if each.endswith("json") or each == "application/vc" else "string"}
        }
        for each in media_types
    }
    unchanged = {"description": "The copy that If-None-Match names is still the newest."}
    return {
        "response_class": Response,
        "responses": {200: {"description": about, "content": content}, 304: unchanged},
    }


_AN_AWARD = shown(*_FORMS_BY_TYPE)
_AN_AWARD["responses"] |= documented(403, 406, 410)


@router.get("/attributions/{award_id:uuid}.{extension}", summary="An award as a file", **_AN_AWARD)
@public
async def award_file(
    award_id: uuid.UUID, extension: AwardExtension, request: Request, proof: ProofForm = ProofForm.OBJECT
) -> Response:
    document = await _award(request, award_id, extension.value)
    return answer(request, _with_proof_as(proof, document), cache=ONE_MINUTE)


@with_page.get(
    "/attributions/{award_id:uuid}", summary="An award, in the form that Accept asks for", **_AN_AWARD
)
@public
async def award_document(
    award_id: uuid.UUID, request: Request, proof: ProofForm = ProofForm.OBJECT
) -> Response:
    media_type = _wanted(request, tuple(_FORMS_BY_TYPE))
    document = await _award(request, award_id, _FORMS_BY_TYPE[media_type])
    return answer(request, _with_proof_as(proof, document), cache=ONE_MINUTE, media_type=media_type)


def _with_proof_as(form: ProofForm, document: Published) -> Published:
    """The same credential with its one proof in an array, as the published schema of July 2024 requires.

    No signature covers how its proof is written. Tokens and pictures are unchanged.
    """
    if form is ProofForm.OBJECT or not document.body.startswith(b"{"):
        return document
    credential = parse_json_object(document.body)
    if isinstance(credential.get("proof"), dict):
        credential["proof"] = [credential["proof"]]
    return Published.of(dump_json(credential), document.media_type)


async def _award(request: Request, award_id: uuid.UUID, form: str) -> Published:
    if form in ("json", "jwt"):
        return await process_of(request).public_documents.award(award_id, form)
    return await run_in_threadpool(_baked, request, award_id, form)


def _baked(request: Request, award_id: uuid.UUID, form: str) -> Published:
    with visit(request, reading=True) as services:
        record = services.publication.open_award(award_id)
        if form == AwardExtension.ZIP:
            return services.verification.package_of(record)
        return services.publication.award_file(record, form)


@with_page.get(
    "/badges/{badge_id:uuid}/v{number}",
    summary="A badge definition, one version",
    **shown(*_LINKED_DATA),
)
@public
async def definition(badge_id: uuid.UUID, number: Number, request: Request) -> Response:
    media_type = _wanted(request, _LINKED_DATA)
    document = await process_of(request).public_documents.definition(badge_id, number)
    return answer(request, document, cache=FIVE_MINUTES, media_type=media_type)


@with_page.get(
    "/badges/{badge_id:uuid}", summary="A badge definition, current version", **shown(*_LINKED_DATA)
)
@public
def current_definition(badge_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    media_type = _wanted(request, _LINKED_DATA)
    version, document = services.publication.definition(badge_id, None)
    place = services.addresses.version(badge_id, version.number)
    headers = {"Content-Location": place}
    return answer(request, document, cache=FIVE_MINUTES, media_type=media_type, changed_at=None, **headers)


@router.get(
    "/badges/{badge_id:uuid}/v{number}/image.{form}",
    summary="A badge's picture, one version",
    **shown("image/png", "image/svg+xml", about="The picture that every award of this version carries."),
)
@public
def picture(
    badge_id: uuid.UUID, number: Number, form: PictureForm, request: Request, services: ReadingServices
) -> Response:
    try:
        document = services.publication.picture(badge_id, number, form.value)
    except NotFound:
        # For a trainer's own pages: this version has no holder yet, and its title may still change.
        readers = _workplaces_of(request, services)
        document = services.publication.draft_picture(badge_id, number, form.value, readers=readers)
        return answer(request, document, cache="no-store")
    return answer(request, document, cache=FIVE_MINUTES)


def _workplaces_of(request: Request, services: Services) -> set[uuid.UUID]:
    who = find_signed_in(request, services)
    return {place.campus.id for place in services.people.workplaces(who)} if who else set()


@router.get("/campus/{slug}/did.json", summary="A campus's DID document", **shown(*_DID_DOCUMENT))
@public
async def campus_did(slug: CampusSlug, request: Request) -> Response:
    media_type = _wanted(request, _DID_DOCUMENT)
    document = await process_of(request).public_documents.campus_did(slug)
    return answer(request, document, cache=FIVE_MINUTES, media_type=media_type)


@with_page.get("/campus/{slug}", summary="A campus's profile", **shown(*_LINKED_DATA))
@public
def profile(slug: CampusSlug, request: Request, services: ReadingServices) -> Response:
    media_type = _wanted(request, _LINKED_DATA)
    return answer(request, services.publication.profile(slug), cache=FIVE_MINUTES, media_type=media_type)


@router.get(
    "/campus/{slug}/agenda.ics",
    summary="What a campus announces, as a calendar",
    dependencies=[limited("public calendar")],
    **shown(
        "text/calendar",
        about="For subscribing: announced activities to come. A cancelled session stays, as such.",
    ),
)
@public
def campus_calendar(slug: CampusSlug, request: Request, services: ReadingServices) -> Response:
    services.enter(services.campuses.get(slug).id)
    body, changed_at = services.catalogue.public_calendar(slug, services.addresses.base_url)
    document = Published.of(body, "text/calendar")
    return answer(request, document, cache=FIVE_MINUTES, changed_at=changed_at)


@router.get("/.well-known/did.json", summary="The service's own DID document", **shown(*_DID_DOCUMENT))
@public
def host_did(request: Request, services: ReadingServices) -> Response:
    media_type = _wanted(request, _DID_DOCUMENT)
    return answer(request, services.publication.host_did(), cache=FIVE_MINUTES, media_type=media_type)


@router.get("/.well-known/jwks.json", summary="Every published key, each with its issuer", **shown(*_JWK_SET))
@public
def jwks(request: Request, services: ReadingServices) -> Response:
    media_type = _wanted(request, _JWK_SET)
    return answer(request, services.publication.jwks(), cache=FIVE_MINUTES, media_type=media_type)


@router.get("/statuts/{list_id:uuid}", summary="A signed status list", **shown(*_LISTS_BY_TYPE))
@public
async def status_list(list_id: uuid.UUID, request: Request) -> Response:
    media_type = _wanted(request, tuple(_LISTS_BY_TYPE))
    form = _LISTS_BY_TYPE[media_type]
    document = await process_of(request).public_documents.status_list(list_id, form)
    if document is None:
        document = await run_in_threadpool(_renewed, request, list_id, form)
    return answer(request, document, cache=ONE_MINUTE, media_type=media_type)


@router.get(
    "/statuts/{list_id:uuid}.suspensions",
    summary="The suspended credentials of the same list",
    **shown(*_LISTS_BY_TYPE),
)
@public
async def suspension_list(list_id: uuid.UUID, request: Request) -> Response:
    media_type = _wanted(request, tuple(_LISTS_BY_TYPE))
    form = _SUSPENSIONS[_LISTS_BY_TYPE[media_type]]
    document = await process_of(request).public_documents.status_list(list_id, form)
    if document is None:
        document = await run_in_threadpool(_renewed, request, list_id, form)
    return answer(request, document, cache=ONE_MINUTE, media_type=media_type)


@router.get(
    "/statuts/{list_id:uuid}.statuslist",
    summary="The same list as a Status List Token, for credentials as SD-JWT",
    **shown("application/statuslist+jwt"),
)
@public
async def token_list(list_id: uuid.UUID, request: Request) -> Response:
    document = await process_of(request).public_documents.status_list(list_id, "statuslist")
    if document is None:
        document = await run_in_threadpool(_renewed, request, list_id, "statuslist")
    return answer(request, document, cache=ONE_MINUTE)


def _renewed(request: Request, list_id: uuid.UUID, form: str) -> Published:
    with visit(request, reading=True) as services:
        return services.publication.status_list(list_id, form)


@public
def allow_reading_from_anywhere() -> Response:
    """A page that sends If-None-Match must send a CORS preflight first."""
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, HEAD",
        "Access-Control-Allow-Headers": "Accept, If-None-Match",
        "Access-Control-Max-Age": "86400",
        "Allow": "GET, HEAD, OPTIONS",
    }
    return Response(status_code=204, headers=headers)


public_documents = (*with_page.routes, *router.routes)
"""Every document route, matched first: the most requested URLs must not be compared with all pages."""

preflights = APIRouter(include_in_schema=False)
for _document in public_documents:
    _path = getattr(_document, "path", "")
    if "image." not in _path:
        preflights.add_api_route(_path, allow_reading_from_anywhere, methods=["OPTIONS"])


# --- Open Badges 2.0

_GONE: dict[int | str, dict[str, Any]] = {
    410: {"description": "The campus withdrew the award; the body says so too."}
}
_OR_WITHDRAWN = documented(403) | _GONE
_IN_WORDS_OF_2 = shown("application/ld+json", about="The document, in the words of Open Badges 2.0.")
_ASSERTION = shown("application/ld+json", about="The award, in the words of Open Badges 2.0.")
_BAKED = shown("image/png", about="The picture of the badge, which carries its assertion.")
for _shown in (_ASSERTION, _BAKED):
    _shown["responses"] |= _OR_WITHDRAWN


@in_version_2.get("/attributions/{award_id:uuid}", summary="An award as an assertion", **_ASSERTION)
@public
def assertion(award_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    try:
        return answer(request, services.older_badges.assertion(award_id), cache=ONE_MINUTE)
    except Withdrawn as withdrawn:
        return _gone(withdrawn)


@in_version_2.get("/attributions/{award_id:uuid}.png", summary="An award as a baked picture", **_BAKED)
@public
def baked_picture(award_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    try:
        return answer(request, services.older_badges.picture(award_id), cache=ONE_MINUTE)
    except Withdrawn as withdrawn:
        return _gone(withdrawn)


@in_version_2.get("/badges/{badge_id:uuid}/v{number}", summary="A badge definition", **_IN_WORDS_OF_2)
@public
def badge_class(badge_id: uuid.UUID, number: Number, request: Request, services: ReadingServices) -> Response:
    return answer(request, services.older_badges.badge_class(badge_id, number), cache=FIVE_MINUTES)


@in_version_2.get("/campus/{slug}", summary="A campus as an issuer", **_IN_WORDS_OF_2)
@public
def issuer(slug: CampusSlug, request: Request, services: ReadingServices) -> Response:
    return answer(request, services.older_badges.issuer(slug), cache=FIVE_MINUTES)


def _gone(withdrawn: Withdrawn) -> Response:
    headers = {"Cache-Control": ONE_MINUTE, "Access-Control-Allow-Origin": "*"}
    return Response(withdrawn.body, status_code=410, media_type="application/ld+json", headers=headers)


# --- Frameworks of campuses at the addresses of 1EdTech CASE 1.1, and as SKOS

case_with_page = APIRouter(tags=["frameworks"], responses=documented(404), route_class=ForPrograms)
case_router = APIRouter(prefix=CASE_PATH, tags=["frameworks"], responses=documented(404))
_JSON = shown("application/json", about="As CASE 1.1 describes it.")


@case_router.get("/CFDocuments", summary="The frameworks of all campuses", **_JSON)
@public
def documents(request: Request, services: ReadingServices) -> Response:
    found = [each.document() for each in services.frameworks.published_frameworks()]
    return _json(request, {"CFDocuments": found})


@case_router.get("/CFDocuments/{framework_id}", summary="One framework without its items", **_JSON)
@public
def document(framework_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    return _json(request, services.frameworks.published(framework_id).document())


@case_router.get("/CFPackages/{framework_id}", summary="One framework with everything in it", **_JSON)
@public
def package(framework_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    return _json(request, services.frameworks.published(framework_id).package())


@case_router.get(
    "/CFPackages/{framework_id}/skos", summary="The same as SKOS in JSON-LD", **shown("application/ld+json")
)
@public
def skos(framework_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    return _json(request, services.frameworks.published(framework_id).skos(), "application/ld+json")


@case_router.get("/CFItems/{competency_id}", summary="One item", **_JSON)
@public
def item(competency_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    writer, found = services.frameworks.published_item(competency_id)
    return _json(request, {**writer.item(found), "CFDocumentURI": _link(writer)})


@case_with_page.get(
    "/competences/{competency_id:uuid}/v{number}", summary="One item in the wording of one version", **_JSON
)
@public
def item_version(
    competency_id: uuid.UUID, number: Number, request: Request, services: ReadingServices
) -> Response:
    """What the alignments of credentials refer to; browsers get its page."""
    writer, found = services.frameworks.published_version(competency_id, number)
    uri = services.addresses.competency(competency_id, number)
    return _json(request, {**writer.item(found), "uri": uri, "CFDocumentURI": _link(writer)})


@case_router.get("/CFItemAssociations/{competency_id}", summary="One item with its associations", **_JSON)
@public
def item_associations(competency_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    writer, found = services.frameworks.published_item(competency_id)
    own = writer.item(found)
    ends = {"originNodeURI", "destinationNodeURI"}
    related = [
        each
        for each in writer.all_associations()
        if own["identifier"] in {each.get(end, {}).get("identifier") for end in ends}
    ]
    return _json(request, {"CFItem": own, "CFAssociations": related})


@case_router.get("/CFAssociations/{case_id}", summary="One association", **_JSON)
@public
def association(case_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """A stored one by its own identifier, a position in the tree by that derived from its item's."""
    writer = services.frameworks.publisher_of(case_id, association_id(case_id))
    for each in writer.all_associations() if writer else ():
        if each["identifier"] == str(case_id):
            return _json(request, each)
    raise NotFound("Cette association n’existe pas.")


@case_router.get("/CFRubrics/{case_id}", summary="The levels of one item, described", **_JSON)
@public
def rubric(case_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    writer = services.frameworks.publisher_of(case_id, rubric_id(case_id))
    for each in writer.package().get("CFRubrics", ()) if writer else ():
        if each["identifier"] == str(case_id):
            return _json(request, each)
    raise NotFound("Cette grille n’existe pas.")


def _link(writer: CaseWriter) -> dict[str, Any]:
    document = writer.document()
    return {"title": document["title"], "identifier": document["identifier"], "uri": document["uri"]}


def _json(request: Request, document: dict[str, Any], media_type: str = "application/json") -> Response:
    published = Published.of(dump_json(document), media_type)
    return answer(request, published, cache=FIVE_MINUTES)


# --- signed files of awards, before the framework

ROUTE: Final = "/attributions/{award_id:uuid}.{extension}"
_PATH: Final = re.compile(
    r"/attributions/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.(json|jwt)"
)
_LEFT_TO_THE_APPLICATION: Final = frozenset((b"cookie", b"authorization", b"range", b"if-none-match"))

Headers = list[tuple[bytes, bytes]]
AddHeaders = Callable[[MutableHeaders], None]
"""Headers that the application adds to every response."""


@dataclass(frozen=True)
class _Route:
    """For request metrics, which read it from the scope."""

    path: str = ROUTE


class AwardFiles:
    def __init__(self, app: ASGIApp, *, documents: PublicDocuments, add_headers: AddHeaders) -> None:
        self.app = app
        self.documents = documents
        self.note: Callable[[float], None] = noter_of("GET", ROUTE, 200)
        self.headers = {form: _headers_of(form, add_headers) for form in ("json", "jwt")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _asked(scope)
        if found is None:
            await self.app(scope, receive, send)
            return
        started, form = perf_counter(), found[2]
        try:
            document = await self.documents.award(uuid.UUID(found[1]), form)
        except (AppError, DatabaseUnreachable):
            await self.app(scope, receive, send)
            return
        scope["route"] = _Route()
        etag = etag_of(document.digest, FORMS[form]).encode()
        headers = [
            (b"etag", etag),
            (b"content-length", b"%d" % len(document.body)),
            *self.headers[form],
            (b"x-request-id", secrets.token_hex(8).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": document.body})
        self.note(perf_counter() - started)


def _asked(scope: Scope) -> re.Match[str] | None:
    if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"]:
        return None
    found = _PATH.fullmatch(scope["path"])
    if found is None or any(name in _LEFT_TO_THE_APPLICATION for name, _ in scope["headers"]):
        return None
    return found


def _headers_of(form: str, add: AddHeaders) -> Headers:
    headers = MutableHeaders(
        headers={
            "Cache-Control": ONE_MINUTE,
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Robots-Tag": "noindex",
            "Access-Control-Allow-Origin": "*",
            "Content-Type": FORMS[form],
        }
    )
    add(headers)
    return list(headers.raw)
