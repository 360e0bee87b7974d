"""Put the HTML face on an application: its middlewares, its static files and its error pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fastapi import FastAPI, Request, Response

from app.http import static_files
from app.http.compression import PressedPages
from app.http.pages import error_pages, locale
from app.http.pages.forms import BodySizeLimit, CsrfTokens
from app.http.pages.locale import SpeakTheirLanguage
from app.http.pages.render import Visitor
from app.http.security_headers import SecurityHeaders

MEBIBYTE = 1024 * 1024
# Where files come in: a list of 10,000 lines, a baked picture.
_LARGE_BODIES = {
    "/verifier": 6 * MEBIBYTE,
    "/gestion": 6 * MEBIBYTE,
    "/demandes": 6 * MEBIBYTE,
    "/api/v1": 6 * MEBIBYTE,
}


def _nobody(_: Request) -> Visitor:
    return Visitor()


@dataclass(frozen=True)
class Face:
    """What the pages need to know of the house: its operator's settings, and who is looking."""

    csrf_key: bytes
    session_cookie: str
    https: bool
    learner_cookie: str = "badges"
    language: str = "fr"
    publisher: str = ""
    contact: str = ""
    visitor_of: Callable[[Request], Visitor] = _nobody
    usual_body: int = MEBIBYTE
    body_by_path: Mapping[str, int] = field(default_factory=lambda: _LARGE_BODIES)


def dress(
    app: FastAPI, face: Face, *, failure: Callable[[Request, str], Response] = error_pages.failure_page
) -> None:
    """Give `app` everything the pages rest on. `failure` answers what nobody caught, given a reference to quote."""
    app.state.face = face
    app.state.csrf = CsrfTokens(face.csrf_key, face.session_cookie, face.learner_cookie)
    for router in (static_files.router, locale.router):
        app.include_router(router)
    # The last one added stands outermost: headers and language also reach the page of a fault.
    app.add_middleware(error_pages.CatchFaults, answer=failure)
    app.add_middleware(BodySizeLimit, usual=face.usual_body, by_path=face.body_by_path)
    app.add_middleware(SpeakTheirLanguage, otherwise=face.language)
    app.add_middleware(SecurityHeaders, https=face.https)
    app.add_middleware(PressedPages)
