"""The browser that asks to sign in: a cookie of its own, which ties a link, a code or another service's answer to it."""

from __future__ import annotations

import re
import secrets

from fastapi import Depends, Request, Response

from app.container import Process, Services
from app.http.pages.forms import ForeignForm
from app.http.request_scope import find_signed_in, process_of, session_secret
from app.language import N_
from app.services.accounts.sessions import Browser

_AN_HOUR = 3600
_SECRET = re.compile(r"[\w-]{43}")
_PROGRAMS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"),
    ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def asking_cookie(process: Process) -> str:
    return "__Host-navigateur" if process.settings.base_url.startswith("https:") else "navigateur"


def remember_browser(answer: Response, request: Request) -> None:
    """For a page from which one asks to sign in."""
    process = process_of(request)
    answer.set_cookie(
        asking_cookie(process),
        _asking(request) or secrets.token_urlsafe(32),
        max_age=_AN_HOUR,
        path="/",
        secure=process.settings.base_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )


def browser_of(request: Request, services: Services) -> Browser:
    return Browser(
        asking=_asking(request),
        name=name_of(request.headers.get("user-agent", "")),
        secret=session_secret(request) or "",
        here=find_signed_in(request, services),
    )


def same_browser(request: Request) -> Browser:
    """For what is done before anybody is signed in."""
    return Browser(asking=_asking(request), name=name_of(request.headers.get("user-agent", "")))


def check_asking(request: Request) -> None:
    """Nobody is signed in by a form of another site: such a form does not bring our cookie (T29)."""
    if not _asking(request):
        raise ForeignForm(
            N_(
                "Votre navigateur n’a pas rendu le cookie de cette page : pour se connecter il en faut un. Rouvrez la page de connexion, puis recommencez."
            )
        )


FromAskingBrowser = Depends(check_asking)


def name_of(user_agent: str) -> str:
    """« Firefox, Windows »: enough to know one's own browser again, and no more is kept."""
    known = [
        next((name for mark, name in kinds if mark in user_agent), "") for kinds in (_PROGRAMS, _SYSTEMS)
    ]
    return ", ".join(filter(None, known))


def _asking(request: Request) -> str:
    secret = request.cookies.get(asking_cookie(process_of(request)), "")
    return secret if _SECRET.fullmatch(secret) else ""
