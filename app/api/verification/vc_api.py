"""The VC API of the W3C's credentials community: checks any credential, and signs where the operator allows
it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response, Security
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from app.domain.accounts.sessions import Scope
from app.errors import InvalidInput
from app.http.problems import documented, not_accepted, problem
from app.http.programs import BEARER
from app.http.request_scope import (
    Policy,
    ProgramCounted,
    Who,
    limited,
    marked,
    public,
    token_of,
    visit,
    write_transaction,
)
from app.language import gettext as _
from sceau_credentials.errors import MalformedInput
from sceau_credentials.values import MAX_BYTES, JsonObject, dump_json, parse_json_object
from sceau_credentials.verification.report import Verdict

router = APIRouter(prefix="/vc-api/credentials", tags=["vc-api"])
_MEMBERS = {"type": "object", "additionalProperties": True}
_VERIFYING = frozenset({"checks", "returnCredential", "returnProblemDetails", "returnResults"})
_ISSUING = frozenset({"type", "credentialId"})
"""Options that change no answer. Any other asks for what is not done, and is refused."""


def _body(member: str) -> dict[str, Any]:
    schema = {"type": "object", "required": [member], "properties": {member: _MEMBERS, "options": _MEMBERS}}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


@router.post(
    "/verify",
    summary="Is this verifiable credential, of any kind, signed by its issuer and in force?",
    openapi_extra=_body("verifiableCredential"),
    dependencies=[limited("verify by program")],
    responses=documented(400, 413, 415, 422),
)
@public
async def verify_any_credential(request: Request) -> Response:
    """200 if every check passed; otherwise 400 with the problems."""
    _check_kind(request)
    return await run_in_threadpool(_answer, request, await request.body())


def _answer(request: Request, body: bytes) -> Response:
    sent = _sent(body)
    _check_options(sent, _VERIFYING)
    credential = sent.get("verifiableCredential")
    if isinstance(credential, dict):
        text = dump_json(credential).decode()
    elif isinstance(credential, str):
        text = credential
    else:
        raise InvalidInput("Il manque « verifiableCredential » : une attestation, ou son jeton.")
    with visit(request, reading=True) as services:
        report = services.vc_api.verify(text)
    problems = list(report.problems())
    checks = [{"check": each.id.value, "outcome": each.outcome.value} for each in report.checks]
    if report.verdict is Verdict.VALID:
        return JSONResponse({"verified": True, "checks": checks, "problemDetails": []})
    return problem(
        400,
        _("Cette attestation n’a pas pu être vérifiée : voyez « problemDetails »."),
        verified=False,
        checks=checks,
        problemDetails=problems,
    )


@marked(Policy(Who.TOKEN, scope=Scope.CREDENTIAL_ISSUE))
def _issuer(_counted: ProgramCounted, _shown: Annotated[Any, Security(BEARER)]) -> None:
    """Requires the scope `credential:issue`; `issue_credential` checks the token."""


@router.post(
    "/issue",
    status_code=201,
    summary="Sign a verifiable credential with the key of the token's campus",
    openapi_extra=_body("credential"),
    dependencies=[Depends(_issuer)],
    responses=documented(400, 401, 403, 404, 413, 415, 422),
)
async def issue_credential(request: Request) -> Response:
    """Off unless `SCEAU_VC_API_ISSUE=on`, which is for conformance suites: what it signs is in no log."""
    _check_kind(request)
    return await run_in_threadpool(_issue, request, await request.body())


def _issue(request: Request, body: bytes) -> Response:
    with write_transaction(request) as services:
        actor, campus = token_of(request, services, Scope.CREDENTIAL_ISSUE)
        services.vc_api.check_open()
        sent = _sent(body)
        _check_options(sent, _ISSUING)
        credential = sent.get("credential")
        if not isinstance(credential, dict):
            raise InvalidInput("Il manque « credential » : l’attestation à signer.")
        signed = services.vc_api.issue(campus, credential, by=actor)
    return JSONResponse(
        {"verifiableCredential": signed}, status_code=201, headers={"Cache-Control": "no-store"}
    )


def _check_kind(request: Request) -> None:
    # Strict, so that a cross-site form is never accepted as a program's request.
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise not_accepted("application/json")


def _check_options(sent: JsonObject, known: frozenset[str]) -> None:
    options = sent.get("options") or {}
    if not isinstance(options, dict):
        raise InvalidInput("« options » est un objet.")
    if unknown := sorted(set(options) - known):
        raise InvalidInput("Cette option n’est pas connue ici : {name}.", name=unknown[0][:80])


def _sent(body: bytes) -> JsonObject:
    if len(body) > MAX_BYTES:
        raise HTTPException(413)
    try:
        return parse_json_object(body)
    except MalformedInput as error:
        raise HTTPException(400) from error
