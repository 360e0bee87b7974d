"""Failures as programs read them: problem documents (RFC 9457), one shape for every kind."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.errors import AppError
from app.language import N_
from app.language import gettext as _

MEDIA_TYPE = "application/problem+json"
_TITLES = {
    400: N_("Demande mal formée"),
    401: N_("Accès à justifier"),
    403: N_("Non autorisé"),
    404: N_("Introuvable"),
    405: N_("Méthode non permise"),
    406: N_("Forme indisponible"),
    409: N_("Conflit avec ce qui existe"),
    413: N_("Trop volumineux"),
    415: N_("Format non accepté"),
    422: N_("Contenu non recevable"),
    429: N_("Trop de demandes"),
    500: N_("Faute de notre côté"),
    503: N_("Momentanément indisponible"),
}


def is_for_a_program(request: Request) -> bool:
    """Programs use the API, or ask for anything but a page."""
    if request.url.path.startswith(("/api/", "/.well-known/", "/health/")):
        return True
    accepted = request.headers.get("accept", "")
    return "json" in accepted and "text/html" not in accepted


def problem(status: int, detail: str, **more: Any) -> JSONResponse:
    body = {
        "type": "about:blank",
        "title": _(_TITLES.get(status, _TITLES[400])),
        "status": status,
        "detail": detail,
    }
    return JSONResponse(body | more, status_code=status, media_type=MEDIA_TYPE)


def app_error(request: Request, error: AppError, status: int) -> JSONResponse:  # noqa: ARG001
    answer = problem(status, _(error.sentence).format(**error.values), kind=type(error).__name__)
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def validation_error(request: Request, error: RequestValidationError) -> JSONResponse:  # noqa: ARG001
    """Each fault with the place it stands at, never with the value: it may be personal (T43)."""
    faults = [
        {"pointer": "/" + "/".join(str(part) for part in fault["loc"][1:]), "reason": fault["msg"]}
        for fault in error.errors()
    ]
    return problem(422, _("La demande n’a pas la forme attendue : voyez « errors »."), errors=faults)


def http_error(request: Request, error: HTTPException) -> JSONResponse:  # noqa: ARG001
    sentence = _TITLES.get(error.status_code, _TITLES[400])
    answer = problem(error.status_code, _(sentence))
    answer.headers.update(error.headers or {})
    return answer


def failure(request: Request, reference: str) -> JSONResponse:  # noqa: ARG001
    return problem(
        500, _("La demande a échoué de notre côté. Rien n’a été fait à moitié."), reference=reference
    )
