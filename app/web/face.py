"""Put the HTML face on an application: its middlewares, its own routes and its error pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.errors import AppError
from app.web import error_pages, info, locale, static_files
from app.web.forms import BodySizeLimit, CsrfTokens
from app.web.locale import SpeakTheirLanguage
from app.web.security_headers import SecurityHeaders

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Face:
    """What the operator's settings say about the pages."""

    csrf_key: bytes
    session_cookie: str
    https: bool
    publisher: str = ""
    contact: str = ""
    usual_body: int = MEBIBYTE
    body_by_path: Mapping[str, int] = field(
        default_factory=lambda: {"/verifier": 6 * MEBIBYTE, "/gestion": 6 * MEBIBYTE}
    )


def dress(
    app: FastAPI, face: Face, *, failure: Callable[[Request, str], Response] = error_pages.failure_page
) -> None:
    """Give `app` everything the pages rest on. `failure` answers what nobody caught, given a reference to quote."""
    app.state.csrf = CsrfTokens(face.csrf_key, face.session_cookie)
    app.state.publisher, app.state.contact = face.publisher, face.contact
    for router in (static_files.router, locale.router, info.router):
        app.include_router(router)
    # The last one added stands outermost: headers and language also reach the page of a fault.
    app.add_middleware(error_pages.CatchFaults, answer=failure)
    app.add_middleware(BodySizeLimit, usual=face.usual_body, by_path=face.body_by_path)
    app.add_middleware(SpeakTheirLanguage)
    app.add_middleware(SecurityHeaders, https=face.https)


def show_errors_as_pages(app: FastAPI, status_of: Callable[[AppError], int]) -> None:
    """Answer every named failure with a page; an application with two faces chooses per request instead."""

    @app.exception_handler(AppError)
    def app_error(request: Request, error: AppError) -> Response:
        return error_pages.app_error_page(request, error, status_of(error))

    @app.exception_handler(RequestValidationError)
    def validation_error(request: Request, error: RequestValidationError) -> Response:
        return error_pages.validation_page(request, error)

    @app.exception_handler(HTTPException)
    def http_error(request: Request, error: HTTPException) -> Response:
        return error_pages.http_error_page(request, error)
