"""Sign-in with a single-use link in the browser that requested it, or by another service; sign-out."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.background import BackgroundTask
from starlette.datastructures import FormData, UploadFile

from app.container import Process, Services
from app.domain.accounts.sessions import Proof, WaitingFile, WaitingForm
from app.domain.accounts.sign_in import AuthorizationRequest, CopiedKey, IdentityProvider, OtherBrowser
from app.domain.people import Person, normal_address
from app.errors import AppError, NotFound, NotSignedIn, Unavailable
from app.http.pages.forms import (
    CHECKED_FORM,
    FIELD,
    TOKEN_FIELD,
    ForeignForm,
    SafeForm,
    text_of,
    untouched_text_of,
)
from app.http.pages.render import page
from app.http.request_scope import (
    ReadingServices,
    WritingServices,
    client_network,
    close_session_in,
    cookie_name,
    delete_cookie,
    find_signed_in,
    guest,
    limited,
    open_session_in,
    process_of,
    public,
    safe_path,
    sentence_of,
    session_secret,
    set_cookie,
    signed_in,
    visit,
    write_transaction,
)
from app.language import N_, translated
from app.services.accounts.sessions import Browser, NewSession, SignedIn

# --- Browser binding: a cookie that ties a sign-in link


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
    return cookie_name(process, "navigateur")


def remember_browser(answer: Response, request: Request) -> None:
    """Sets the cookie; for pages with a sign-in form."""
    process = process_of(request)
    value = _asking(request) or secrets.token_urlsafe(32)
    set_cookie(answer, process, asking_cookie(process), value, _AN_HOUR)


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


# --- Other sign-in services on our pages: buttons, redirect, and link state for the signed-in user


@dataclass(frozen=True)
class ServiceLine:
    """One service, and the signed-in user's account there if linked."""

    name: str
    label: str
    account_href: str = ""
    linked_at: datetime | None = None


def provider_of(request: Request, name: str) -> IdentityProvider:
    provider = process_of(request).providers.get(name)
    if provider is None:
        raise NotFound("Ce service de connexion n’est pas proposé ici. Revenez à la page de connexion.")
    return provider


def services_to_enter_by(request: Request) -> Sequence[ServiceLine]:
    return [ServiceLine(each.name, each.label) for each in process_of(request).providers.values()]


def services_of(request: Request, services: Services, who: SignedIn) -> Sequence[ServiceLine]:
    accounts = {account.issuer: account for account in services.federation.list_of(who.person.id)}
    lines = []
    for each in process_of(request).providers.values():
        account = accounts.get(each.issuer)
        href = f"/compte/services/{account.id}" if account else ""
        lines.append(ServiceLine(each.name, each.label, href, account.linked_at if account else None))
    return lines


def leave_for(request: Request, provider: IdentityProvider, question: AuthorizationRequest) -> HTMLResponse:
    """Interstitial page that redirects by itself: CSP limits our forms to this site, and the service may
    redirect to a third one."""
    answer = page(
        request,
        "accounts/leaving.html",
        private=True,
        label=provider.label,
        url=provider.question_url(question),
    )
    remember_browser(answer, request)
    return answer


# --- Sign-in with a single-use link in the browser that requested it; sign-out


DESK = "/gestion"
BADGES = "/mes-badges"
_OF_LEARNERS = (BADGES, "/parcours/", "/demandes-de-badge/")
"""Paths that people sign in for who work for no campus."""
# The path the reader requested; the link arrives by e-mail and cannot contain it.
WANTED_COOKIE = "suite"
_AN_HOUR = 3600
router = APIRouter()
FromOurPage = CHECKED_FORM
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
    delete_cookie(answer, process_of(request), WANTED_COOKIE, path="/connexion")
    return answer


def go_on_to(answer: Response, request: Request, path: str) -> None:
    """Path to open after sign-in."""
    set_cookie(answer, process_of(request), WANTED_COOKIE, path, _AN_HOUR, path="/connexion")


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
    wanted = safe_path(request.query_params.get("suite") or request.cookies.get(WANTED_COOKIE), request)
    view: dict[str, Any] = {
        "for_learner": wanted.startswith(_OF_LEARNERS),
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
    "/question", dependencies=[limited("passkey question"), CHECKED_FORM, FromAskingBrowser]
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
    typed = untouched_text_of(form, "mot-de-passe")
    try:
        good, newer_hash = process.passwords.compare(typed, known.hash if known else None)
    except Unavailable as error:
        return ask_page(request, status=429, address=address, wrong_password=sentence_of(error))
    if known is None or not good:
        if known is not None:
            with process.visit() as services:
                services.sign_in.note_wrong_password(known.person_id)
        note_failure(request)
        return ask_page(request, status=401, address=address, wrong_password=translated(_WRONG))
    with write_transaction(request) as services:
        opened = services.sign_in.by_password(known, browser_of(request, services), newer_hash=newer_hash)
    return entered(request, opened)
