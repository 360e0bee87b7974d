"""Open Badges API 3.0: what an application reads and adds for the learner who connected it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Annotated, Any, Final
from urllib.parse import quote, unquote

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from app.api.publishing.wallets import token_form
from app.container import Services
from app.domain.learners.connected_apps import (
    DEFAULT_PAGE,
    LARGEST_PAGE,
    AppScope,
    ConnectedApp,
    RegistrationRefusal,
    RegistrationRefused,
    TokenRefusal,
    may_be_secret,
)
from app.domain.publishing import BADGES_API
from app.errors import AppError, NotSignedIn
from app.http.problems import not_accepted, status_info
from app.http.request_scope import (
    Policy,
    ReadingServices,
    Who,
    client_network,
    limited,
    marked,
    process_of,
    public,
    read_transaction,
    write_transaction,
)
from app.language import N_, filled
from app.language import gettext as _
from app.services.learners.connected_apps import AppAccess, CredentialPage
from app.services.learners.imported_badges import NotImported, Upserted
from sceau_credentials.errors import MalformedInput
from sceau_credentials.values import MAX_BYTES, JsonObject, dump_json, parse_json_object, parse_timestamp

_MEMBERS: Final = {"type": "object", "additionalProperties": True}
_JSON: Final = "application/json"
_NOT_STORED: Final = {"Cache-Control": "no-store"}
_LONGEST: Final = 32 * 1024
_TEXT: Final = "text/plain"
_FAILED_TOKEN, _REFUSED_GRANT = "failed application token", "refused grant of an application"
_BODIES: Final = (_JSON, "application/vc+ld+json", "application/vc", _TEXT)
_FAILED: Final = {"description": "Imsx_StatusInfo.", "content": {_JSON: {"schema": _MEMBERS}}}
router = APIRouter(
    prefix=BADGES_API,
    tags=["Open Badges API"],
    responses=dict.fromkeys((400, 401, 403, 404, 405, 429, 500), _FAILED),
)


def _answers(about: str, status: int = 200) -> dict[str, Any]:
    content = {_JSON: {"schema": _MEMBERS}}
    return {
        "response_class": Response,
        "status_code": status,
        "responses": {status: {"description": about, "content": content}},
    }


def _body(*kinds: str) -> dict[str, Any]:
    schemas = {kind: {"schema": {"type": "string"} if kind == _TEXT else _MEMBERS} for kind in kinds}
    return {"requestBody": {"required": True, "content": schemas}}


def _app(scope: AppScope) -> Any:
    """The policy of what an application may do with `scope`, for the learner of its token alone."""

    @marked(Policy(Who.APP, scope=scope))
    def guard(request: Request) -> None:
        limiter, network = process_of(request).limiter, client_network(request)
        limiter.check(_FAILED_TOKEN, network)
        kind, _space, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip() if kind.lower() == "bearer" else ""
        try:
            with read_transaction(request) as services:
                access = services.connected_apps.access(token, scope)
        except NotSignedIn:
            if token and not may_be_secret(token):
                limiter.hit(_FAILED_TOKEN, network)
            raise
        limiter.hit("connected application", str(access.grant.id))
        request.state.app_access = access

    return Depends(guard, scope="function")


def _access(request: Request) -> AppAccess:
    access: AppAccess = request.state.app_access
    return access


# --- discovery and registration


@router.get(
    "/discovery",
    summary="Read the service description of the Open Badges API",
    dependencies=[limited("connected application")],
    **_answers("An OpenAPI 3.0 document in the profile of Open Badges 3.0."),
)
@public
def service_description(services: ReadingServices) -> Response:
    content = dump_json(_description(services))
    return Response(content, media_type=_JSON, headers={"Cache-Control": "public, max-age=300"})


@router.post(
    "/clients",
    summary="Register an application (RFC 7591), where the operator allows it",
    dependencies=[limited("registration of an application")],
    openapi_extra=_body(_JSON),
    **_answers("Its metadata, its identifier and its secret, which is returned once.", 201),
)
@public
async def register_application(request: Request) -> Response:
    return await run_in_threadpool(_register, request, await _sent(request, _LONGEST))


def _register(request: Request, body: bytes) -> Response:
    try:
        sent = parse_json_object(body, max_bytes=_LONGEST)
        with write_transaction(request) as services:
            return _answer(services.connected_apps.register(sent), 201)
    except MalformedInput:
        error: JsonObject = {"error": RegistrationRefusal.METADATA.value, "error_description": "not JSON"}
    except RegistrationRefused as refused:
        error = {"error": refused.refusal.value, "error_description": refused.expected}
    return _answer(error, 400)


# --- tokens


@router.post(
    "/token",
    summary="Exchange a code or refresh token (RFC 6749)",
    dependencies=[limited("connected application")],
    openapi_extra=_body("application/x-www-form-urlencoded"),
    **_answers("An access token."),
)
@public
async def application_token(request: Request) -> Response:
    return await run_in_threadpool(_token, request, await _sent(request, _LONGEST))


def _token(request: Request, body: bytes) -> Response:
    def exchange(services: Services, app: ConnectedApp, form: dict[str, str]) -> JsonObject | TokenRefusal:
        return services.connected_apps.tokens(app, form)

    return _for_client(request, body, exchange)


@router.post(
    "/revoke",
    summary="Revoke a token (RFC 7009); a refresh token ends the whole connection",
    dependencies=[limited("connected application")],
    openapi_extra=_body("application/x-www-form-urlencoded"),
    **_answers("Ended, or unknown."),
)
@public
async def revoke_application_token(request: Request) -> Response:
    return await run_in_threadpool(_revoke, request, await _sent(request, _LONGEST))


def _revoke(request: Request, body: bytes) -> Response:
    def end(services: Services, app: ConnectedApp, form: dict[str, str]) -> JsonObject | TokenRefusal:
        if not form.get("token"):
            return TokenRefusal.INVALID_REQUEST
        services.connected_apps.revoke(app, form["token"])
        return {}

    return _for_client(request, body, end)


def _for_client(
    request: Request,
    body: bytes,
    do: Callable[[Services, ConnectedApp, dict[str, str]], JsonObject | TokenRefusal],
) -> Response:
    """For the application that HTTP Basic names; a refused attempt is committed all the same."""
    limiter, network = process_of(request).limiter, client_network(request)
    limiter.check(_FAILED_TOKEN, network)
    form = token_form(body)
    if form is None:
        return _refused(TokenRefusal.INVALID_REQUEST)
    # SQLite has one writer at a time: an unauthenticated request must not wait for it, nor block it.
    with read_transaction(request) as services:
        app = services.connected_apps.client(*_basic(request))
    if app is None:
        if request.headers.get("authorization"):
            limiter.hit(_FAILED_TOKEN, network)
        return _refused(TokenRefusal.INVALID_CLIENT)
    limiter.check(_REFUSED_GRANT, str(app.id))
    with write_transaction(request) as services:
        found = do(services, app, form)
    if not isinstance(found, TokenRefusal):
        return _answer(found)
    if found is TokenRefusal.INVALID_GRANT and not may_be_secret(form.get("refresh_token", "")):
        limiter.hit(_REFUSED_GRANT, str(app.id))
    return _refused(found)


def _basic(request: Request) -> tuple[str, str]:
    kind, _space, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        text = base64.b64decode(encoded.strip() if kind.lower() == "basic" else "", validate=True).decode()
    except ValueError:
        return "", ""
    name, _colon, secret = text.partition(":")
    return unquote(name), unquote(secret)


def _refused(refusal: TokenRefusal) -> Response:
    """400 for `invalid_client` too, as Open Badges 3.0 has it."""
    return _answer({"error": refusal.value}, 400)


# --- credentials and profile


@router.get(
    "/credentials",
    summary="List the learner's badges",
    dependencies=[_app(AppScope.READ)],
    **_answers("Badges as they were signed: objects, and compact JWS."),
)
def get_credentials(
    request: Request,
    limit: Annotated[int, Query(ge=1)] = DEFAULT_PAGE,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    since: str = "",
) -> Response:
    try:
        after = parse_timestamp(since) if since else None
    except MalformedInput:
        return status_info(400, "since: a date-time", minor="invalid_query_parameter")
    limit = min(limit, LARGEST_PAGE)
    with read_transaction(request) as services, services.across_campuses():
        page = services.connected_apps.credentials(_access(request), limit=limit, offset=offset, since=after)
        where = f"{services.addresses.badges_api}/credentials"
    headers = {
        **_NOT_STORED,
        "X-Total-Count": str(page.total),
        "Link": _links(where, page, limit=limit, offset=offset, since=since),
    }
    return Response(_spliced(page), media_type=_JSON, headers=headers)


def _spliced(page: CredentialPage) -> bytes:
    """The bytes of each credential stay as they were signed; empty lists are left out (A-004)."""
    members = []
    if page.objects:
        members.append(b'"credential":[' + b",".join(page.objects) + b"]")
    if page.tokens:
        members.append(b'"compactJwsString":' + dump_json([*page.tokens]))
    return b"{" + b",".join(members) + b"}"


def _links(where: str, page: CredentialPage, *, limit: int, offset: int, since: str) -> str:
    last = max(page.total - 1, 0) // limit * limit
    places = {"first": 0, "last": last}
    if offset + limit < page.total:
        places["next"] = offset + limit
    if offset > 0:
        places["prev"] = max(offset - limit, 0)
    more = f"&since={quote(since, safe='')}" if since else ""
    return ", ".join(
        f'<{where}?limit={limit}&offset={place}{more}>; rel="{name}"' for name, place in places.items()
    )


@router.post(
    "/credentials",
    summary="Add or update a badge from elsewhere among the learner's badges",
    dependencies=[_app(AppScope.ADD)],
    openapi_extra=_body(*_BODIES),
    **_answers("The badge that was sent; 200 where it replaced an older version.", 201),
)
async def upsert_credential(request: Request) -> Response:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _BODIES:
        raise not_accepted(*_BODIES)
    return await run_in_threadpool(_upsert, request, kind, await _sent(request, MAX_BYTES))


def _upsert(request: Request, kind: str, body: bytes) -> Response:
    access = _access(request)
    process_of(request).limiter.hit("added by an application", str(access.grant.id))
    try:
        with read_transaction(request) as services:
            found = services.connected_apps.read_to_add(access, body)
        with write_transaction(request) as services:
            done = services.connected_apps.add(access, found)
    except NotSignedIn:
        raise
    except NotImported:
        return status_info(400, _(N_("La signature de ce badge n’a pas pu être vérifiée.")))
    except AppError as error:
        return status_info(400, filled(_(error.sentence), error.values))
    if done is Upserted.NOT_NEWER:
        return Response(status_code=304, headers=_NOT_STORED)
    status = 201 if done is Upserted.CREATED else 200
    return Response(body, status_code=status, media_type=kind, headers=_NOT_STORED)


@router.get(
    "/profile",
    summary="Read the learner's profile, for this application",
    dependencies=[_app(AppScope.PROFILE)],
    **_answers("As Profile of Open Badges 3.0."),
)
def get_profile(request: Request) -> Response:
    with read_transaction(request) as services:
        return _answer(services.connected_apps.profile(_access(request)))


# --- parts


async def _sent(request: Request, most: int) -> bytes:
    body = await request.body()
    if len(body) > most:
        raise HTTPException(413)
    return body


def _answer(content: JsonObject, status: int = 200) -> Response:
    return Response(dump_json(content), status_code=status, media_type=_JSON, headers=_NOT_STORED)


def _description(services: Services) -> JsonObject:
    """The ServiceDescriptionDocument; only what this service answers is in it."""
    addresses, api = services.addresses, services.addresses.badges_api
    privacy = f"{addresses.base_url}/donnees-personnelles"
    consent = f"{addresses.base_url}/compte/applications/autoriser"
    scheme: JsonObject = {
        "type": "oauth2",
        "description": "OAuth 2.0 authorization code grant with PKCE (S256).",
        "x-imssf-privacyPolicyUrl": privacy,
        "x-issuer": addresses.base_url,
        "x-authorization-response-iss-parameter-supported": True,
        "flows": {
            "authorizationCode": {
                "authorizationUrl": consent,
                "tokenUrl": f"{api}/token",
                "refreshUrl": f"{api}/token",
                "x-imssf-revocationUrl": f"{api}/revoke",
                "scopes": {scope.value: about for scope, about in _SCOPES_SAID.items()},
            }
        },
    }
    if services.connected_apps.options.app_registration:
        scheme["x-imssf-registrationUrl"] = f"{api}/clients"
    return {
        "openapi": "3.0.1",
        "info": {
            "title": "Sceau",
            "version": "3.0",
            "termsOfService": f"{addresses.base_url}/mentions-legales",
            "x-imssf-privacyPolicyUrl": privacy,
        },
        "servers": [{"url": api}],
        "paths": {
            "/credentials": {
                "get": _operation("getCredentials", AppScope.READ, "limit", "offset", "since"),
                "post": _operation("upsertCredential", AppScope.ADD),
            },
            "/profile": {"get": _operation("getProfile", AppScope.PROFILE)},
        },
        "components": {"securitySchemes": {"OAuth2ACG": scheme}},
    }


_SCOPES_SAID: Final = {
    AppScope.READ: "Read the badges that the learner shows.",
    AppScope.ADD: "Add badges from elsewhere.",
    AppScope.PROFILE: "Read the learner's name and main e-mail address.",
}


def _operation(name: str, scope: AppScope, *query: str) -> JsonObject:
    return {
        "operationId": name,
        "parameters": [{"name": each, "in": "query", "schema": _schema(each)} for each in query],
        "security": [{"OAuth2ACG": [scope.value]}],
        "responses": {"default": {"description": "As Open Badges 3.0 describes it."}},
    }


def _schema(parameter: str) -> JsonObject:
    if parameter == "since":
        return {"type": "string", "format": "date-time"}
    return {"type": "integer"}
