"""Which language a reader gets: the one they chose, else one their browser asks for, else the operator's."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import urlsplit

from babel import Locale, UnknownLocaleError
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import NotFound
from app.http.policies import public
from app.language import N_, current_locale, locales, speaking

COOKIE = "langue"
_A_YEAR = 365 * 24 * 3600
_RANGE = re.compile(r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9]{1,8})*\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?")
# Nobody reads more languages than this; a longer header is not worth its parsing.
_LONGEST_HEADER = 500


def language_of(cookie: str | None, accept_language: str, otherwise: str) -> str:
    """The language to speak. `cookie` is the reader's own choice and wins when we speak it."""
    spoken = locales()
    if cookie in spoken:
        return str(cookie)
    best, best_weight = otherwise, 0.0
    for part in accept_language[:_LONGEST_HEADER].split(","):
        found = _RANGE.fullmatch(part)
        if found is None:
            continue
        weight = float(found[2] or 1)
        if found[1].lower() in spoken and weight > best_weight:
            best, best_weight = found[1].lower(), weight
    return best


@cache
def language_name(code: str) -> str:
    """A language in its own words: Français, English."""
    try:
        return (Locale.parse(code).get_display_name() or code).capitalize()
    except (UnknownLocaleError, ValueError):
        return code


class SpeakTheirLanguage:
    """ASGI middleware: everything said while answering a request is said in the reader's language."""

    def __init__(self, app: ASGIApp, *, otherwise: str) -> None:
        self.app = app
        self.otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        chosen = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        language = language_of(chosen, headers.get("accept-language", ""), self.otherwise)

        async def send_labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                if answer.get("content-type", "").startswith("text/html"):
                    answer.setdefault("Content-Language", language)
                    answer.add_vary_header("Accept-Language")
                    answer.add_vary_header("Cookie")
            await send(message)

        with speaking(language):
            await self.app(scope, receive, send_labelled)


def safe_path(wanted: str | None, request: Request, *, method: str = "GET") -> str:
    """`wanted` when it is a path of this site that can be read, or written to, else the home page (T28)."""
    if not wanted or not wanted.startswith("/") or len(wanted) > 2000:
        return "/"
    if (
        wanted.startswith("//")
        or "\\" in wanted
        or any(ord(sign) <= 32 or ord(sign) == 127 for sign in wanted)
    ):
        return "/"
    try:
        path = urlsplit(wanted).path
    except ValueError:
        return "/"
    asked = {"type": "http", "path": path, "root_path": "", "method": method, "headers": []}
    readable = any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)
    return wanted if readable else "/"


def other_languages() -> list[tuple[str, str]]:
    """(code, name) of every language but the one being spoken."""
    return [(code, language_name(code)) for code in locales() if code != current_locale()]


router = APIRouter(include_in_schema=False)


@router.get("/langue/{code}")
@public
def choose_language(code: str, request: Request, suite: str | None = None) -> RedirectResponse:
    """Remember the choice and go back where the reader was. It changes nothing but their own cookie."""
    if code not in locales():
        raise NotFound(N_("Ce service ne parle pas encore cette langue."))
    answer = RedirectResponse(safe_path(suite, request), status_code=303)
    answer.set_cookie(
        COOKIE,
        code,
        max_age=_A_YEAR,
        path="/",
        samesite="lax",
        secure=request.url.scheme == "https",
        httponly=True,
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer
