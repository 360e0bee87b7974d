"""Signing in with a link that works once, and signing out."""

from __future__ import annotations

import structlog
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.background import BackgroundTask

from app.errors import NotSignedIn
from app.policies import guest, public
from app.request_scope import (
    ReadingServices,
    WritingServices,
    close_session_in,
    deed,
    find_signed_in,
    open_session_in,
    process_of,
)
from app.web.forms import SafeForm, checked_form, text_of
from app.web.locale import safe_path
from app.web.render import page
from app.web.workplaces import sentence_of
from app.wiring import Process

DESK = "/gestion"
# Where the reader wanted to go; the link itself may arrive by letter and cannot carry it.
WANTED_COOKIE = "suite"
_AN_HOUR = 3600
router = APIRouter()
log = structlog.get_logger(__name__)
FromOurPage = Depends(checked_form)


@router.get("/connexion")
@guest
def ask(request: Request, services: ReadingServices, suite: str = "") -> Response:
    if find_signed_in(request, services) is not None and not suite:
        return RedirectResponse(DESK, status_code=303)
    answer = _ask_page(request)
    wanted = safe_path(suite, request)
    if wanted != "/":
        answer.set_cookie(
            WANTED_COOKIE,
            wanted,
            max_age=_AN_HOUR,
            path="/connexion",
            httponly=True,
            samesite="lax",
            secure=process_of(request).settings.base_url.startswith("https:"),
        )
    return answer


@router.post("/connexion")
@public
def send_link(request: Request, form: SafeForm) -> HTMLResponse:
    """The same answer for every address, known or not: nobody learns here who works for a campus (T19)."""
    address = text_of(form, "adresse")
    answer = _ask_page(request, asked=bool(address))
    # After the answer: how long the search takes must not tell either.
    answer.background = BackgroundTask(_write_to, process_of(request), address)
    return answer


def _write_to(process: Process, address: str) -> None:
    if process.mailer is None or not address:
        return
    with process.unit_of_work() as services:
        letter = services.people.sign_in_letter(address, services.addresses.sign_in_link)
    if letter is None:
        return
    try:
        process.mailer.send(letter)
    except OSError as error:
        # A mail server's refusal repeats the address; what kind of refusal it was is enough (I23).
        log.error("letter not sent", kind=type(error).__name__)


@router.get("/connexion/{secret}")
@public
def show_link(secret: str, request: Request) -> HTMLResponse:
    """A page and not yet a session: programs that follow links in letters must not use the link up."""
    return page(request, "signing_in/confirm.html", private=True, secret=secret, trouble="")


@router.post("/connexion/{secret}", dependencies=[FromOurPage])
@public
def use_link(secret: str, request: Request) -> Response:
    try:
        with deed(request) as services:
            opened = services.people.sign_in(secret)
    except NotSignedIn as error:
        return page(
            request,
            "signing_in/confirm.html",
            private=True,
            status=401,
            secret=secret,
            trouble=sentence_of(error),
        )
    wanted = safe_path(request.cookies.get(WANTED_COOKIE), request)
    answer = RedirectResponse(DESK if wanted == "/" else wanted, status_code=303)
    open_session_in(answer, request, opened)
    answer.delete_cookie(WANTED_COOKIE, path="/connexion")
    return answer


@router.post("/deconnexion", dependencies=[FromOurPage])
@public
def sign_out(request: Request, services: WritingServices) -> RedirectResponse:
    who = find_signed_in(request, services)
    if who is not None:
        services.people.sign_out(who)
    answer = RedirectResponse("/", status_code=303)
    close_session_in(answer, request)
    return answer


def _ask_page(request: Request, *, asked: bool = False) -> HTMLResponse:
    settings = process_of(request).settings
    return page(
        request,
        "signing_in/ask.html",
        private=True,
        asked=asked,
        on_this_machine=settings.is_local and not settings.smtp_url,
        letters_leave=process_of(request).mailer is not None,
    )
