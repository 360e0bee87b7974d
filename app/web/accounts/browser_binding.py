"""Browser binding: a cookie that ties a sign-in link, code or OpenID Connect answer to the browser that
requested it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Depends, Request, Response
from starlette.datastructures import FormData, UploadFile

from app.container import Process, Services
from app.domain.accounts.sessions import WaitingFile, WaitingForm
from app.http.pages.forms import FIELD, TOKEN_FIELD, ForeignForm
from app.http.pages.render import safe_path
from app.http.request_scope import find_signed_in, process_of, session_secret, signed_in, write_transaction
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
    """Sets the cookie; for pages with a sign-in form."""
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
    """For actions before sign-in."""
    return Browser(asking=_asking(request), name=name_of(request.headers.get("user-agent", "")))


def check_asking(request: Request) -> None:
    """Cross-site sign-in forms are refused: they do not send our cookie (T29)."""
    if not _asking(request):
        raise ForeignForm(
            N_(
                "Votre navigateur n’a pas rendu le cookie de cette page : pour se connecter il en faut un. Rouvrez la page de connexion, puis recommencez."
            )
        )


FromAskingBrowser = Depends(check_asking)


def name_of(user_agent: str) -> str:
    """« Firefox, Windows »: enough for the user to recognise their browser; nothing else is stored."""
    known = [
        next((name for mark, name in kinds if mark in user_agent), "") for kinds in (_PROGRAMS, _SYSTEMS)
    ]
    return ", ".join(filter(None, known))


def _asking(request: Request) -> str:
    secret = request.cookies.get(asking_cookie(process_of(request)), "")
    return secret if _SECRET.fullmatch(secret) else ""


# The user types these again; they are never stored.
_NEVER_KEPT = (FIELD, TOKEN_FIELD, "mot-de-passe")


@dataclass(frozen=True)
class Waiting:
    """A path to open or, with a token, a saved form."""

    path: str
    fields: Sequence[tuple[str, str]] = ()
    token: str = ""
    has_files: bool = False

    @property
    def carried(self) -> str:
        """Value that a page or a sign-in at another service returns to find it again."""
        return self.token or self.path


def typed_in(form: FormData) -> list[tuple[str, str]]:
    items = form.multi_items()
    return [(name, value) for name, value in items if isinstance(value, str) and name not in _NEVER_KEPT]


def keep(request: Request, form: FormData) -> Waiting:
    """Saves the form posted to this URL."""
    typed = typed_in(form)
    chosen = [
        (name, value)
        for name, value in form.multi_items()
        if isinstance(value, UploadFile) and value.filename
    ]
    files = [
        WaitingFile(name, each.filename or "", each.content_type or "", each.file.read())
        for name, each in chosen
    ]
    waiting = WaitingForm(request.url.path, typed, files)
    with write_transaction(request) as services:
        token = services.set_aside.keep(waiting, signed_in(request, services).person.id)
    return Waiting(waiting.path, typed, token, bool(files))


def found(request: Request, carried: str) -> Waiting:
    """Falls back to the home page for anything but this person's form or a path of this site."""
    if carried.startswith("/"):
        return Waiting(safe_path(carried, request))
    with process_of(request).visit(reading=True) as services:
        kept = services.set_aside.find(carried, signed_in(request, services).person.id)
    return Waiting(kept.path, kept.fields, carried, bool(kept.files)) if kept else Waiting("/")
