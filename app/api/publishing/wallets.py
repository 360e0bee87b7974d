"""OpenID4VCI 1.0 for wallets, per campus: metadata, offers, token, nonce, credential and notification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from app.api.publishing.public import FIVE_MINUTES, CampusSlug, answer, shown
from app.container import Services
from app.domain.campus.campus import Campus
from app.domain.learners.wallet_authorization import AuthorizationRefused
from app.domain.learners.wallets import (
    DEFERRED_INTERVAL,
    PROOF_ALGORITHMS,
    WalletOffer,
    WalletRefusal,
    WalletRefused,
)
from app.http.negotiation import preferred
from app.http.problems import documented
from app.http.request_scope import (
    ReadingServices,
    client_network,
    enter,
    limited,
    process_of,
    public,
    read_transaction,
    write_transaction,
)
from app.services.learners.wallets import NONCE_SECONDS, DeferredToWallet, WalletService
from app.services.publishing import Published
from sceau_credentials.errors import MalformedInput
from sceau_credentials.values import JsonObject, dump_json, parse_json_object

router = APIRouter(tags=["wallets"], responses=documented(404))
_PLACE: Final = "/campus/{slug}/portefeuille"
_JSON: Final = "application/json"
_JWT: Final = "application/jwt"
_LONGEST: Final = 32 * 1024
_NOT_STORED: Final = {
    "Cache-Control": "no-store",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "WWW-Authenticate, Retry-After",
}
_ALGORITHMS: Final = " ".join(PROOF_ALGORITHMS)
_MEMBERS: Final = {"type": "object", "additionalProperties": True}
_SAID: Final = {
    WalletRefusal.INVALID_REQUEST: "a required parameter is missing, or the body cannot be read",
    WalletRefusal.UNSUPPORTED_GRANT: "the grants are the pre-authorized code, the authorization code and the refresh token",
    WalletRefusal.INVALID_GRANT: "the code or refresh token is wrong, used or expired, or what has to prove it is wrong",
    WalletRefusal.INVALID_DPOP: "the DPoP proof is missing, wrong, used, or of another key or URL",
    WalletRefusal.INVALID_TOKEN: "the access token is unknown or expired, or has brought as many copies as a batch has",
    WalletRefusal.INVALID_CREDENTIAL_REQUEST: "credential_identifier is required if the token names one, else "
    "credential_configuration_id",
    WalletRefusal.UNKNOWN_CONFIGURATION: "the offer does not contain this credential configuration",
    WalletRefusal.UNKNOWN_IDENTIFIER: "the token names another credential identifier",
    WalletRefusal.INVALID_PROOF: "key proofs of one type, jwt or di_vp, with one nonce and each of another key",
    WalletRefusal.INVALID_NONCE: "the nonce of the proof is unknown, used or expired",
    WalletRefusal.INVALID_ENCRYPTION: "encrypted responses are not supported",
    WalletRefusal.SLOW_DOWN: f"a badge that is being signed is asked for every {DEFERRED_INTERVAL} seconds at most",
    WalletRefusal.DENIED: "the badge was withdrawn, or its holder closed it",
    WalletRefusal.INVALID_TRANSACTION_ID: "no credential with this transaction_id waits for this token",
    WalletRefusal.INVALID_NOTIFICATION_ID: "no credential with this notification_id was issued for this token",
    WalletRefusal.INVALID_NOTIFICATION: "the event is not one of OpenID4VCI 1.0",
}


_AT_RESOURCE: Final = {401: "The access token or its DPoP proof is missing, wrong, expired or used."}
_NOT_YET: Final = {202: "The badge is not signed yet: a transaction_id for the deferred endpoint."}


def _json(about: str, more: Mapping[int, str] | None = None, *, status: int = 200) -> dict[str, Any]:
    said = {status: about, 400: "An error of OAuth 2.0 or OpenID4VCI.", **(more or {})}
    content = {_JSON: {"schema": _MEMBERS}}
    return {
        "response_class": Response,
        "status_code": status,
        "responses": {each: {"description": text, "content": content} for each, text in said.items()},
    }


_BADGE_LATER: Final = _json("The badge.", _AT_RESOURCE | _NOT_YET)
_BADGE_LATER["responses"][429] = {
    "description": "`slow_down`, or too many requests: `Retry-After` has the seconds to wait.",
    "content": {_JSON: {"schema": _MEMBERS}} | documented(429)[429]["content"],
}


def _body(media_type: str) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {media_type: {"schema": _MEMBERS}}}}


# --- metadata


@router.get(
    "/.well-known/openid-credential-issuer/campus/{slug}",
    summary="What a campus issues to wallets (OpenID4VCI 1.0), signed where application/jwt is asked for",
    dependencies=[limited("wallet")],
    **shown(_JSON, _JWT),
)
@public
def issuer_metadata(slug: CampusSlug, request: Request, services: ReadingServices) -> Response:
    metadata = services.wallet_metadata
    campus = services.wallets.campus(slug)
    accept = request.headers.get("accept", "")
    if _JWT in accept.lower() and preferred(accept, (_JWT, _JSON)) == _JWT:
        enter(request, services, campus)
        signed = Published.of(metadata.signed_metadata(campus).encode(), _JWT)
        return answer(request, signed, cache=FIVE_MINUTES, media_type=_JWT)
    plain = Published.of(dump_json(metadata.issuer_metadata(campus)), _JSON)
    return answer(request, plain, cache=FIVE_MINUTES, media_type=_JSON)


@router.get(
    "/.well-known/oauth-authorization-server/campus/{slug}",
    summary="Where wallets ask, and redeem the codes of a campus (RFC 8414)",
    dependencies=[limited("wallet")],
    **shown(_JSON),
)
@public
def server_metadata(slug: CampusSlug, request: Request, services: ReadingServices) -> Response:
    return _metadata(request, services.wallet_metadata.server_metadata(_entered(request, services, slug)))


@router.get(
    "/.well-known/jwt-vc-issuer/campus/{slug}",
    summary="The keys of a campus's SD-JWT credentials",
    **shown(_JSON),
)
@public
def key_metadata(slug: CampusSlug, request: Request, services: ReadingServices) -> Response:
    return _metadata(request, services.wallet_metadata.key_metadata(services.wallets.campus(slug)))


@router.get("/types/badge", summary="The type of badges as SD-JWT: names of their claims", **shown(_JSON))
@public
def badge_type(request: Request, services: ReadingServices) -> Response:
    return _metadata(request, services.wallet_metadata.type_metadata())


def _metadata(request: Request, content: JsonObject) -> Response:
    return answer(request, Published.of(dump_json(content), _JSON), cache=FIVE_MINUTES)


# --- from an offer to a badge


@router.get(
    f"{_PLACE}/offres/{{reference}}",
    summary="A credential offer, by its reference",
    dependencies=[limited("wallet")],
    **_json("The offer; it contains nothing about the person or the badge."),
)
@public
def offer(slug: CampusSlug, reference: str, request: Request, services: ReadingServices) -> Response:
    campus = services.wallets.campus(slug)
    enter(request, services, campus)
    return _answer(services.wallets.offer_named(campus, reference))


@router.post(
    f"{_PLACE}/jeton",
    summary="An access token for a code, bound to the key of a DPoP proof where there is one",
    dependencies=[limited("wallet")],
    openapi_extra=_body("application/x-www-form-urlencoded"),
    **_json("An access token for one badge, and for several copies of it."),
)
@public
async def token(slug: CampusSlug, request: Request) -> Response:
    return await run_in_threadpool(_token, request, slug, await _sent(request))


def token_form(body: bytes) -> dict[str, str] | None:
    """The parameters of a token request; None where it is no form, or names one twice (RFC 6749, 3.2)."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return None
    form = dict(pairs)
    return form if len(form) == len(pairs) else None


def _token(request: Request, slug: str, body: bytes) -> Response:
    limiter, network = process_of(request).limiter, client_network(request)
    limiter.check("wrong wallet code", network)
    form = token_form(body)
    if form is None:
        return _refused(WalletRefusal.INVALID_REQUEST)
    dpop = _dpop(request)
    with write_transaction(request) as services:
        found = services.wallets.redeem(_entered(request, services, slug), form, dpop)
    if isinstance(found, WalletRefusal):
        if found in (WalletRefusal.INVALID_GRANT, WalletRefusal.INVALID_DPOP):
            limiter.hit("wrong wallet code", network)
        return _refused(found)
    return _answer(found)


@router.post(
    f"{_PLACE}/demande",
    summary="A request of a wallet, before the learner is asked (RFC 9126)",
    dependencies=[limited("wallet")],
    openapi_extra=_body("application/x-www-form-urlencoded"),
    **_json(
        "A request_uri for the authorization endpoint, for ten minutes. The learner answers its request once.",
        status=201,
    ),
)
@public
async def pushed_request(slug: CampusSlug, request: Request) -> Response:
    return await run_in_threadpool(_push, request, slug, await _sent(request))


def _push(request: Request, slug: str, body: bytes) -> Response:
    form = token_form(body)
    if form is None:
        return _refused(WalletRefusal.INVALID_REQUEST)
    try:
        with read_transaction(request) as services:
            campus = services.wallets.campus(slug)
            return _answer(services.wallet_consents.push(campus, form, _dpop(request)), 201)
    except AuthorizationRefused as refused:
        return _answer({"error": refused.refusal.value, "error_description": refused.expected}, 400)
    except WalletRefused as error:
        return _refused(error.refusal)


@router.post(
    f"{_PLACE}/nonce",
    summary="A nonce for the proof of a wallet's key",
    dependencies=[limited("wallet")],
    **_json(f"A nonce for one request, within {NONCE_SECONDS} seconds."),
)
@public
def nonce(slug: CampusSlug, services: ReadingServices) -> Response:
    campus = services.wallets.campus(slug)
    return _answer({"c_nonce": services.wallets.nonce(campus)})


@router.post(
    f"{_PLACE}/attestation",
    summary="The offered badge, for the holder of an access token",
    dependencies=[limited("wallet")],
    openapi_extra=_body(_JSON),
    **_json("The badge: the stored bytes, or an SD-JWT for the proved key.", _AT_RESOURCE | _NOT_YET),
)
@public
async def credential(slug: CampusSlug, request: Request) -> Response:
    return await run_in_threadpool(_credential, request, slug, await _sent(request))


@router.post(
    f"{_PLACE}/differee",
    summary="The badge that was still being signed, for the holder of an access token",
    dependencies=[limited("wallet")],
    openapi_extra=_body(_JSON),
    **_BADGE_LATER,
)
@public
async def deferred_credential(slug: CampusSlug, request: Request) -> Response:
    return await run_in_threadpool(_credential, request, slug, await _sent(request), is_deferred=True)


def _credential(request: Request, slug: str, body: bytes, *, is_deferred: bool = False) -> Response:
    try:
        wallets, campus, offer = _offer_of(request, slug, "differee" if is_deferred else "attestation")
        wanted = _read(body)
        if wanted is None:
            return _refused(WalletRefusal.INVALID_CREDENTIAL_REQUEST)
        if is_deferred:
            with write_transaction(request) as services:
                issued = services.wallets.issue_deferred(offer, wanted)
        else:
            proved = wallets.prove(campus, offer, wanted)  # while nothing is locked
            with write_transaction(request) as services:
                issued = services.wallets.issue(offer, proved)
    except WalletRefused as error:
        return _refused(error.refusal, at_resource=True)
    if isinstance(issued, DeferredToWallet):
        return _answer({"transaction_id": issued.transaction_id, "interval": DEFERRED_INTERVAL}, 202)
    # Spliced in, so that the bytes of the stored credential stay as they were signed.
    listed = b",".join(b'{"credential":' + each + b"}" for each in issued.credentials)
    named = dump_json(issued.notification_id)
    body = b'{"credentials":[' + listed + b'],"notification_id":' + named + b"}"
    return Response(body, media_type=_JSON, headers=_NOT_STORED)


@router.post(
    f"{_PLACE}/notification",
    summary="A wallet reports that it stored the badge, or not",
    dependencies=[limited("wallet")],
    openapi_extra=_body(_JSON),
    **_json("Noted.", _AT_RESOURCE, status=204),
)
@public
async def notification(slug: CampusSlug, request: Request) -> Response:
    return await run_in_threadpool(_notification, request, slug, await _sent(request))


def _notification(request: Request, slug: str, body: bytes) -> Response:
    try:
        _wallets, _campus, offer = _offer_of(request, slug, "notification")
        report = _read(body)
        if report is None:
            return _refused(WalletRefusal.INVALID_NOTIFICATION)
        with write_transaction(request) as services:
            services.wallets.notify(offer, report)
    except WalletRefused as error:
        return _refused(error.refusal, at_resource=True)
    return Response(status_code=204, headers=_NOT_STORED)


@public
def allow_wallets_from_anywhere() -> Response:
    """A wallet that is a web page sends a CORS preflight first: for JSON, its token, and the proof of its key."""
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type, DPoP",
        "Access-Control-Max-Age": "86400",
    }
    return Response(status_code=204, headers=headers)


preflights = APIRouter(include_in_schema=False)
for _path in dict.fromkeys(getattr(each, "path", "") for each in router.routes):
    preflights.add_api_route(_path, allow_wallets_from_anywhere, methods=["OPTIONS"])


# --- parts


def _entered(request: Request, services: Services, slug: str) -> Campus:
    campus = services.wallets.campus(slug)
    enter(request, services, campus)
    return campus


async def _sent(request: Request) -> bytes:
    body = await request.body()
    if len(body) > _LONGEST:
        raise HTTPException(413)
    return body


def _read(body: bytes) -> JsonObject | None:
    try:
        return parse_json_object(body, max_bytes=_LONGEST)
    except MalformedInput:
        return None


def _offer_of(request: Request, slug: str, endpoint: str) -> tuple[WalletService, Campus, WalletOffer]:
    """The offer of the access token, once its holder has proved the key it is bound to; raises WalletRefused. The
    service is for what reads and writes nothing.

    In a transaction of its own: the proof is used up whatever comes of the request. Without one nothing is written.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    is_bound, token = scheme.lower() == "dpop", token.strip()
    with write_transaction(request) if is_bound else read_transaction(request) as services:
        campus, proof = _entered(request, services, slug), None
        if is_bound:
            proof = services.wallets.read_proof(campus, endpoint, token, _dpop(request) or "")
        elif scheme.lower() != "bearer":
            token = ""
        return services.wallets, campus, services.wallets.check_token(campus, token, proof)


def _dpop(request: Request) -> str | None:
    """The proof, if there is one; two are none that counts (RFC 9449, 4.3)."""
    sent = request.headers.getlist("dpop")
    return (sent[0] if len(sent) == 1 else "") if sent else None


def _answer(content: JsonObject, status: int = 200) -> Response:
    return Response(dump_json(content), status_code=status, media_type=_JSON, headers=_NOT_STORED)


def _refused(refusal: WalletRefusal, *, at_resource: bool = False) -> Response:
    content: JsonObject = {"error": refusal.value, "error_description": _SAID[refusal]}
    if refusal is WalletRefusal.SLOW_DOWN:
        early = _answer(content, 429)
        early.headers["Retry-After"] = str(DEFERRED_INTERVAL)
        return early
    if refusal not in (WalletRefusal.INVALID_TOKEN, WalletRefusal.INVALID_DPOP) or not at_resource:
        return _answer(content, 400)
    refused = _answer(content, 401)
    refused.headers["WWW-Authenticate"] = f'Bearer, DPoP error="{refusal.value}", algs="{_ALGORITHMS}"'
    if refusal is WalletRefusal.INVALID_TOKEN:
        refused.headers["WWW-Authenticate"] = f'Bearer error="invalid_token", DPoP algs="{_ALGORITHMS}"'
    return refused
