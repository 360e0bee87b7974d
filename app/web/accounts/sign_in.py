"""Sign-in with a single-use link in the browser that requested it; sign-out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.background import BackgroundTask

from app.container import Process
from app.domain.accounts.sessions import Proof
from app.domain.accounts.sign_in import CopiedKey, OtherBrowser
from app.domain.people import Person, normal_address
from app.errors import AppError, NotSignedIn
from app.http.pages.forms import SafeForm, checked_form, text_of, untouched_text_of
from app.http.pages.render import page, safe_path
from app.http.policies import guest, public
from app.http.request_scope import (
    ReadingServices,
    WritingServices,
    client_network,
    close_session_in,
    find_signed_in,
    limited,
    open_session_in,
    process_of,
    visit,
    write_transaction,
)
from app.http.workplaces import sentence_of
from app.language import N_
from app.language.typography import translated
from app.services.accounts.sessions import Browser, NewSession
from app.web.accounts.browser_binding import FromAskingBrowser, browser_of, remember_browser, same_browser
from app.web.accounts.other_services import services_of, services_to_enter_by

DESK = "/gestion"
BADGES = "/mes-badges"
# The path the reader requested; the link arrives by e-mail and cannot contain it.
WANTED_COOKIE = "suite"
_AN_HOUR = 3600
router = APIRouter()
FromOurPage = Depends(checked_form)
WRONG_CODE = N_(
    "Ce code n’est pas celui d’un lien demandé dans ce navigateur, ou il a expiré. Vérifiez les huit signes, ou demandez un autre lien."
)


@router.get("/connexion")
@guest
def ask(request: Request, services: ReadingServices, suite: str = "") -> Response:
    who = find_signed_in(request, services)
    if who is not None and not suite:
        works = services.sign_in.works(who.person.id)
        answer: Response = RedirectResponse(DESK if works else BADGES, status_code=303)
        remember_browser(answer, request)
        return answer
    answer = ask_page(request)
    wanted = safe_path(suite, request)
    if wanted != "/":
        go_on_to(answer, request, wanted)
    return answer


@router.post("/connexion", dependencies=[limited("link from a network"), FromAskingBrowser])
@public
def send_link(request: Request, form: SafeForm) -> HTMLResponse:
    """Same answer for every address, known or not: never reveals who works for a campus (T19)."""
    address = text_of(form, "adresse")
    if address:
        process_of(request).limiter.hit("link to an address", normal_address(address))
    answer = ask_page(request, asked=bool(address), address=address)
    # Runs after the response: the duration of the search must not reveal anything either.
    answer.background = BackgroundTask(write_to, process_of(request), address, same_browser(request))
    return answer


def write_to(process: Process, address: str, browser: Browser, holder: Person | None = None) -> None:
    if process.mailer is None or not address:
        return
    with process.visit() as services:
        envelope = services.sign_in.request(address, browser, holder=holder)
    if envelope is not None:
        # The person waits: sent from here, at once. Where that fails or ends half-way, a worker tries again.
        process.post.send(envelope)


@router.post("/connexion/code", dependencies=[limited("signing in"), FromAskingBrowser])
@public
def use_code(request: Request, form: SafeForm) -> Response:
    """For an e-mail read elsewhere: its link shows a code there, valid only in this browser."""
    with write_transaction(request) as services:
        opened = services.sign_in.by_code(text_of(form, "code"), browser_of(request, services))
    if opened is None:
        note_failure(request)
        return ask_page(request, status=401, wrong_code=translated(WRONG_CODE))
    return entered(request, opened)


@router.get("/connexion/{secret}")
@public
def show_link(secret: str, request: Request, services: ReadingServices) -> HTMLResponse:
    """GET only shows the page: programs that follow links in e-mails must not consume the link."""
    try:
        code = services.sign_in.code_for(secret, same_browser(request))
        works = services.sign_in.leads_to_work(secret)
    except NotSignedIn as error:
        note_failure(request)
        return _confirm_page(request, secret, error=error)
    return _confirm_page(request, secret, code=code, works=works)


@router.post("/connexion/{secret}", dependencies=[limited("signing in"), FromOurPage, FromAskingBrowser])
@public
def use_link(secret: str, request: Request) -> Response:
    try:
        with write_transaction(request) as services:
            opened = services.sign_in.by_link(secret, browser_of(request, services))
    except OtherBrowser:
        with process_of(request).visit(reading=True) as services:
            code = services.sign_in.code_for(secret, same_browser(request))
        return _confirm_page(request, secret, code=code, status=409)
    except NotSignedIn as error:
        note_failure(request)
        return _confirm_page(request, secret, error=error)
    return entered(request, opened)


@router.post("/deconnexion", dependencies=[FromOurPage])
@public
def sign_out(request: Request) -> Response:
    """Users who signed in at another service are warned that its session stays open."""
    opened_by: list[str] = []
    with write_transaction(request) as services:
        who = find_signed_in(request, services)
        if who is not None:
            services.sessions.end(who)
            if who.session.proved_by is Proof.OIDC:
                opened_by = [line.name for line in services_of(request, services, who) if line.linked_at]
    answer = _left(request, opened_by) if opened_by else RedirectResponse("/", status_code=303)
    close_session_in(answer, request)
    return answer


def _left(request: Request, names: Sequence[str]) -> Response:
    providers = [process_of(request).providers[name] for name in names]
    places = [(each.label, each.leaving_url()) for each in providers]
    return page(request, "accounts/left.html", private=True, services=places)


def entered(request: Request, opened: NewSession) -> Response:
    """Redirects to the requested path with the new session."""
    wanted = safe_path(request.cookies.get(WANTED_COOKIE), request)
    answer = RedirectResponse(_home_of(request, opened) if wanted == "/" else wanted, status_code=303)
    open_session_in(answer, request, opened)
    answer.delete_cookie(WANTED_COOKIE, path="/connexion")
    return answer


def go_on_to(answer: Response, request: Request, path: str) -> None:
    """Path to open after sign-in."""
    answer.set_cookie(
        WANTED_COOKIE,
        path,
        max_age=_AN_HOUR,
        path="/connexion",
        httponly=True,
        samesite="lax",
        secure=process_of(request).settings.base_url.startswith("https:"),
    )


def _home_of(request: Request, opened: NewSession) -> str:
    with visit(request, reading=True) as services:
        works = services.sign_in.works(opened.session.person_id)
    return DESK if works else BADGES


def note_failure(request: Request) -> None:
    """Rate-limits guessing by network; raises TooMany."""
    process_of(request).limiter.hit("failed sign-in", client_network(request))


def ask_page(
    request: Request,
    *,
    asked: bool = False,
    address: str = "",
    wrong_code: str = "",
    wrong_password: str = "",
    wrong_key: str = "",
    wrong_service: str = "",
    status: int = 200,
) -> HTMLResponse:
    process = process_of(request)
    view: dict[str, Any] = {
        "asked": asked,
        "address": address,
        "wrong_code": wrong_code,
        "wrong_password": wrong_password,
        "wrong_key": wrong_key,
        "wrong_service": wrong_service,
        "services": services_to_enter_by(request),
        "on_this_machine": process.settings.is_local and not process.settings.smtp_url,
        "letters_leave": process.mailer is not None,
    }
    answer = page(request, "accounts/ask.html", private=True, status=status, **view)
    remember_browser(answer, request)
    return answer


def _confirm_page(
    request: Request,
    secret: str,
    *,
    code: str = "",
    works: bool = True,
    error: AppError | None = None,
    status: int = 200,
) -> HTMLResponse:
    trouble = sentence_of(error) if error else ""
    answer = page(
        request,
        "accounts/confirm.html",
        private=True,
        status=401 if error else status,
        secret=secret,
        code=code,
        works=works,
        trouble=trouble,
        hours=process_of(request).settings.session_hours,
    )
    remember_browser(answer, request)
    return answer


passkey_sign_in_router = APIRouter(prefix="/connexion/cle")
ANSWER = "reponse"


@passkey_sign_in_router.post(
    "/question", dependencies=[limited("passkey question"), Depends(checked_form), FromAskingBrowser]
)
@public
def question(request: Request, services: WritingServices) -> JSONResponse:
    return JSONResponse(services.passkeys.ask(same_browser(request)))


@passkey_sign_in_router.post("", dependencies=[limited("signing in"), FromAskingBrowser])
@public
def answer(request: Request, form: SafeForm) -> Response:
    try:
        with write_transaction(request) as services:
            opened = services.passkeys.answer(untouched_text_of(form, ANSWER), browser_of(request, services))
    except NotSignedIn as error:
        note_copy(request, error)
        note_failure(request)
        return ask_page(request, status=401, wrong_key=sentence_of(error))
    return entered(request, opened)


def note_copy(request: Request, error: NotSignedIn) -> None:
    """Stored even when the answer itself is refused."""
    if isinstance(error, CopiedKey):
        with write_transaction(request) as services:
            services.passkeys.note_copy(error)


password_sign_in_router = APIRouter()
_WRONG = N_(
    "Cette adresse et ce mot de passe ne vont pas ensemble. Vérifiez les deux, ou demandez un lien : il marche toujours."
)


@password_sign_in_router.post(
    "/connexion/mot-de-passe", dependencies=[limited("signing in"), FromAskingBrowser]
)
@public
def enter(request: Request, form: SafeForm) -> Response:
    """Same answer after the same time for an unknown address, no password or a wrong password (T19)."""
    process, address = process_of(request), text_of(form, "adresse")
    process.limiter.hit("password of an address", normal_address(address))
    with process.visit(reading=True) as services:
        known = services.sign_in.password_at(address)
    # Outside any transaction: comparing takes a tenth of a second.
    good, newer_hash = process.passwords.compare(
        untouched_text_of(form, "mot-de-passe"), known.hash if known else None
    )
    if known is None or not good:
        if known is not None:
            with process.visit() as services:
                services.sign_in.note_wrong_password(known.person_id)
        note_failure(request)
        return ask_page(request, status=401, address=address, wrong_password=translated(_WRONG))
    with write_transaction(request) as services:
        opened = services.sign_in.by_password(known, browser_of(request, services), newer_hash=newer_hash)
    return entered(request, opened)
