"""OpenID4VP 1.0 for wallets: the signed request for a badge, and its one answer."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from app.api.publishing.wallets import allow_wallets_from_anywhere, token_form
from app.domain.learners.presentations import REQUEST_TYPE, PresentationRefused
from app.errors import Gone
from app.http.problems import documented
from app.http.request_scope import (
    ReadingServices,
    limited,
    process_of,
    public,
    read_transaction,
    write_transaction,
)
from sceau_credentials.values import JsonObject, dump_json

router = APIRouter(prefix="/presentations/{reference}", tags=["wallets"], responses=documented(404, 410))
_REQUEST: Final = f"application/{REQUEST_TYPE}"
_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
_MEMBERS: Final = {"type": "object", "additionalProperties": True}
_LONGEST: Final = 640 * 1024
_NOT_STORED: Final = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}
_SIGNED: Final[dict[str, Any]] = {
    "response_class": Response,
    "responses": {
        200: {
            "description": "The request object, signed.",
            "content": {_REQUEST: {"schema": {"type": "string"}}},
        }
    },
}

_REFUSED: Final[dict[str, Any]] = {
    "description": "An error of OAuth 2.0.",
    "content": {_JSON: {"schema": _MEMBERS}},
}


def _body(*members: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {each: {"type": "string"} for each in members}}
    return {"requestBody": {"required": False, "content": {_FORM: {"schema": schema}}}}


@router.get(
    "/demande",
    summary="A request for a badge, signed by this service",
    dependencies=[limited("wallet")],
    **_SIGNED,
)
@public
def request_object(reference: str, services: ReadingServices) -> Response:
    return _signed(services.presentations.request_object(reference))


@router.post(
    "/demande",
    summary="The same, with the wallet's nonce",
    dependencies=[limited("wallet")],
    openapi_extra=_body("wallet_nonce", "wallet_metadata"),
    response_class=Response,
    responses=_SIGNED["responses"] | {400: _REFUSED},
)
@public
async def request_object_for_wallet(reference: str, request: Request) -> Response:
    return await run_in_threadpool(_for_wallet, request, reference, await _sent(request))


def _for_wallet(request: Request, reference: str, body: bytes) -> Response:
    form = token_form(body) if body else {}
    if form is None:
        return _refused("the body must be a form that names each parameter once")
    try:
        with read_transaction(request) as services:
            nonce = form.get("wallet_nonce", "")
            return _signed(services.presentations.request_object(reference, wallet_nonce=nonce))
    except PresentationRefused as error:
        return _refused(str(error))


@router.post(
    "/reponse",
    summary="The answer of a wallet: one badge, encrypted, or a refusal (direct_post.jwt)",
    dependencies=[limited("wallet"), limited("verify")],
    openapi_extra=_body("response", "error", "state"),
    response_class=Response,
    responses={
        200: {"description": "Taken.", "content": {_JSON: {"schema": _MEMBERS}}},
        400: _REFUSED,
    },
)
@public
async def answer_request(reference: str, request: Request) -> Response:
    return await run_in_threadpool(_answer, request, reference, await _sent(request))


def _answer(request: Request, reference: str, body: bytes) -> Response:
    """Checked before the transaction that takes it: a check may read documents of other issuers."""
    form = token_form(body)
    if form is None:
        return _refused("the body must be a form that names each parameter once")
    process_of(request).limiter.hit("answers to a badge request", reference)
    try:
        with read_transaction(request) as services:
            checked = services.presentations.check_answer(reference, form)
        with write_transaction(request) as services:
            services.presentations.answer(reference, checked)
    except PresentationRefused as error:
        return _refused(str(error))
    except Gone:
        return _refused("the request was answered or refused before, or its ten minutes are over")
    return _answered({})


preflights = APIRouter(include_in_schema=False)
for _path in dict.fromkeys(getattr(each, "path", "") for each in router.routes):
    preflights.add_api_route(_path, allow_wallets_from_anywhere, methods=["OPTIONS"])


async def _sent(request: Request) -> bytes:
    body = await request.body()
    if len(body) > _LONGEST:
        raise HTTPException(413)
    return body


def _signed(text: str) -> Response:
    return Response(text, media_type=_REQUEST, headers=_NOT_STORED)


def _answered(content: JsonObject, status: int = 200) -> Response:
    return Response(dump_json(content), status_code=status, media_type=_JSON, headers=_NOT_STORED)


def _refused(why: str) -> Response:
    return _answered({"error": "invalid_request", "error_description": why}, 400)
