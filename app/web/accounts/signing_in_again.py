"""« Confirmez que c'est bien vous », and forms sent after the session ended or too soon, shown again."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import quote

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from app.container import DatabaseUnreachable, Process
from app.domain.accounts.sessions import LIFE, LONGEST_TYPED, ReauthRequired, WaitingForm
from app.domain.accounts.sign_in import ProviderDown, Purpose
from app.errors import AppError, NotSignedIn, TooMany, Unavailable
from app.http.pages.error_pages import other_account_form_page, saved_form_page
from app.http.pages.forms import (
    CHECKED_FORM,
    FIELD,
    TOKEN_FIELD,
    CsrfTokens,
    SafeForm,
    checked_form,
    form_sent,
    text_of,
    untouched_text_of,
)
from app.http.pages.render import page
from app.http.request_scope import (
    client_network,
    cookie_name,
    find_signed_in,
    limited,
    open_session_in,
    process_of,
    safe_path,
    sentence_of,
    set_cookie,
    signed_in,
    visit,
    write_transaction,
)
from app.http.workplaces import SIGNED_IN
from app.language import N_, translated
from app.services.accounts.sessions import NewSession
from app.web.accounts import sign_in
from app.web.accounts.sign_in import (
    ANSWER,
    DESK,
    WRONG_CODE,
    FromAskingBrowser,
    Waiting,
    browser_of,
    leave_for,
    note_copy,
    note_failure,
    provider_of,
    remember_browser,
    same_browser,
    services_of,
    sign_out,
    write_to,
)

# --- Step-up authentication: « Confirmez que c'est bien vous », then the user continues


step_up_auth_router = APIRouter(prefix="/confirmer", dependencies=[SIGNED_IN])
_WRONG = N_("Ce n’est pas votre mot de passe. Vérifiez-le, ou prenez un autre moyen.")


async def ask_to_prove(request: Request, error: ReauthRequired) -> Response:
    """Replaces the response: the page that asks, with the submitted form; a GET is requested again."""
    if request.method != "POST":
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/confirmer?suite={quote(wanted, safe='')}", status_code=303)
    form = await checked_form(request)
    waiting = await run_in_threadpool(sign_in.keep, request, form)
    return await run_in_threadpool(prove_page, request, waiting, trouble=sentence_of(error))


@step_up_auth_router.get("")
def ask(request: Request, suite: str = "") -> HTMLResponse:
    return prove_page(request, Waiting(safe_path(suite, request)), status=200)


@step_up_auth_router.post(
    "/cle/question", dependencies=[limited("passkey question"), CHECKED_FORM, FromAskingBrowser]
)
def question(request: Request) -> JSONResponse:
    with write_transaction(request) as services:
        return JSONResponse(services.passkeys.ask(same_browser(request), signed_in(request, services)))


@step_up_auth_router.post("/cle", dependencies=[limited("signing in"), FromAskingBrowser])
def by_key(request: Request, form: SafeForm) -> Response:
    waiting = _waiting_of(request, form)
    try:
        with write_transaction(request) as services:
            opened = services.passkeys.answer(
                untouched_text_of(form, ANSWER), browser_of(request, services), signed_in(request, services)
            )
    except NotSignedIn as error:
        note_copy(request, error)
        note_failure(request)
        return prove_page(request, waiting, wrong_key=sentence_of(error))
    return go_on(request, waiting, opened)


@step_up_auth_router.post("/mot-de-passe", dependencies=[limited("signing in"), FromAskingBrowser])
def by_password(request: Request, form: SafeForm) -> Response:
    process, waiting = process_of(request), _waiting_of(request, form)
    with visit(request, reading=True) as services:
        person = signed_in(request, services).person
        known = services.sign_in.password_of(person.id)
    process.limiter.hit("password of somebody", str(person.id))
    typed = untouched_text_of(form, "mot-de-passe")
    try:
        good, newer_hash = process.passwords.compare(typed, known.hash if known else None)
    except Unavailable as error:
        return prove_page(request, waiting, wrong_password=sentence_of(error), status=429)
    if known is None or not good:
        with write_transaction(request) as services:
            services.sign_in.note_wrong_password(person.id)
        note_failure(request)
        return prove_page(request, waiting, wrong_password=translated(_WRONG))
    with write_transaction(request) as services:
        opened = services.sign_in.by_password(known, browser_of(request, services), newer_hash=newer_hash)
    return go_on(request, waiting, opened)


@step_up_auth_router.post("/lien", dependencies=[limited("link from a network"), FromAskingBrowser])
def by_link(request: Request, form: SafeForm) -> HTMLResponse:
    """E-mail to the user's own address; this page continues once its link is opened in this browser."""
    process, waiting = process_of(request), _waiting_of(request, form)
    with visit(request, reading=True) as services:
        address = services.sign_in.own_address(signed_in(request, services))
    if address:
        process.limiter.hit("link to an address", address)
    answer = prove_page(request, waiting, status=200, sent=True)
    answer.background = BackgroundTask(write_to, process, address, same_browser(request))
    return answer


@step_up_auth_router.post("/code", dependencies=[limited("signing in"), FromAskingBrowser])
def by_code(request: Request, form: SafeForm) -> Response:
    """For an e-mail read on another device: its link shows a code there, valid only in this browser."""
    waiting = _waiting_of(request, form)
    with write_transaction(request) as services:
        who = signed_in(request, services)
        opened = services.sign_in.by_code(text_of(form, "code"), browser_of(request, services), who=who)
    if opened is None:
        note_failure(request)
        return prove_page(request, waiting, sent=True, wrong_code=translated(WRONG_CODE))
    return go_on(request, waiting, opened)


@step_up_auth_router.post("/service/{service}", dependencies=[limited("signing in"), FromAskingBrowser])
def by_service(service: str, request: Request, form: SafeForm) -> Response:
    """Redirects to the other service with a request for a new sign-in."""
    provider, waiting = provider_of(request, service), _waiting_of(request, form)
    with write_transaction(request) as services:
        question = services.federation.ask(
            provider,
            Purpose.PROVE,
            same_browser(request),
            who=signed_in(request, services),
            carried=waiting.carried,
        )
    try:
        return leave_for(request, provider, question)
    except ProviderDown as error:
        return prove_page(request, waiting, wrong_service=sentence_of(error))


@step_up_auth_router.post("/reprendre")
def resume(request: Request, form: SafeForm) -> Response:
    """For a link opened in another window: the retried request shows whether it was."""
    return go_on(request, _waiting_of(request, form))


def _waiting_of(request: Request, form: FormData) -> Waiting:
    return sign_in.found(request, untouched_text_of(form, TOKEN_FIELD) or "/")


def go_on(request: Request, waiting: Waiting, opened: NewSession | None = None) -> Response:
    answer: Response
    if waiting.token:
        answer = page(request, "accounts/resume.html", private=True, waiting=waiting)
    else:
        answer = RedirectResponse(waiting.path if waiting.path != "/" else DESK, status_code=303)
    if opened is not None:
        open_session_in(answer, request, opened)
    return answer


def prove_page(
    request: Request,
    waiting: Waiting,
    *,
    trouble: str = "",
    wrong_key: str = "",
    wrong_password: str = "",
    wrong_service: str = "",
    wrong_code: str = "",
    sent: bool = False,
    status: int = 403,
) -> HTMLResponse:
    with visit(request, reading=True) as services:
        who = signed_in(request, services)
        has_passkey = bool(services.passkeys.list_of(who.person.id))
        needs_passkey = services.sessions.needs_passkey(who.person.id)
        runs_service = services.operators.is_operator(who.person.id)
        has_password = services.sign_in.has_password(who.person.id)
        address = services.sign_in.own_address(who)
        linked = [line for line in services_of(request, services, who) if line.linked_at]
    answer = page(
        request,
        "accounts/prove.html",
        private=True,
        status=status,
        waiting=waiting,
        trouble=trouble,
        has_passkey=has_passkey,
        needs_passkey=needs_passkey,
        runs_service=runs_service,
        has_password=has_password,
        address=address,
        letters_leave=process_of(request).mailer is not None,
        wrong_key=wrong_key,
        wrong_password=wrong_password,
        services=linked,
        wrong_service=wrong_service,
        wrong_code=wrong_code,
        sent=sent,
    )
    remember_browser(answer, request)
    return answer


# --- Forms sent after the session ended, from a page of an earlier session, or too soon


router = APIRouter(prefix="/confirmer", dependencies=[SIGNED_IN])
SHOWN_AT = "/confirmer/formulaire"


@dataclass(frozen=True)
class SignInPrompt:
    """Why a form is shown again; sentences are French and marked for the catalogues."""

    title: str
    lead: str
    status: int


KEPT = SignInPrompt(
    N_("Votre formulaire vous attendait"),
    N_(
        "Votre session était terminée quand vous l’avez envoyé : rien n’a été fait. Relisez, puis envoyez-le."
    ),
    200,
)
ABSENT = SignInPrompt(
    N_("Ce formulaire n’est pas ici"),
    N_(
        "Il a été envoyé ou effacé depuis, ou il a été tapé dans un autre navigateur ou avec un autre compte."
    ),
    404,
)
FORMER = SignInPrompt(
    N_("Relisez, puis envoyez"),
    N_(
        "Cette page date d’avant votre dernière connexion ou déconnexion. Rien n’a été fait, et rien de ce que vous avez tapé n’est perdu."
    ),
    403,
)
TOO_SOON = SignInPrompt(N_("Trop de demandes à la fois"), "", 429)
_CODE = re.compile(r"[a-z0-9_:.-]{1,40}")


def kept_form_cookie(process: Process) -> str:
    """The cookie contains the decryption key: the form can be found only in this browser."""
    return cookie_name(process, "formulaire")


async def ask_to_sign_in_again(request: Request) -> Response | None:
    """None where nothing can be stored: not sent by our page, user signed in, form empty or too long."""
    return await _of_its_form(request, _ask_to_sign_in)


async def show_former_again(request: Request) -> Response | None:
    """None unless it surely comes from our page in this browser and contains typed text."""
    return await _of_its_form(request, _show_former)


async def show_until_later(request: Request, error: TooMany) -> Response | None:
    """None unless it surely comes from our page in this browser and contains typed text."""
    return await _of_its_form(request, partial(_show_until_later, error))


async def _of_its_form(
    request: Request, answer: Callable[[Request, FormData], Response | None]
) -> Response | None:
    # A background request of a script contains nothing that the user would miss.
    if request.method != "POST" or request.headers.get("sec-fetch-dest", "document") != "document":
        return None
    try:
        form = await form_sent(request)
        return await run_in_threadpool(answer, request, form)
    except (AppError, HTTPException):
        return None


def _ask_to_sign_in(request: Request, form: FormData) -> Response | None:
    owner, here = _owner_of(request, form), _person_here(request)
    return _keep_for(request, form, owner, saved_form_page) if here is None else None


def _show_former(request: Request, form: FormData) -> Response | None:
    owner, here, path = _owner_of(request, form), _person_here(request), request.url.path
    # Without a token of this session, require Sec-Fetch-Site or a page shown to this person (T29).
    if request.headers.get("sec-fetch-site") != "same-origin" and (here is None or owner != here):
        return None
    if path == "/deconnexion":
        return sign_out(request)
    if here is not None:
        if path.startswith("/connexion"):
            return RedirectResponse("/connexion", status_code=303)
        if owner not in (None, here):
            return _keep_for(request, form, owner, other_account_form_page)
        if path.startswith("/confirmer/"):
            return prove_page(request, sign_in.found(request, untouched_text_of(form, TOKEN_FIELD) or "/"))
    return _show_at_once(request, form, FORMER, may_wait=here is not None)


def _show_until_later(error: TooMany, request: Request, form: FormData) -> Response | None:
    tokens: CsrfTokens = request.app.state.csrf
    is_ours = tokens.accepts(untouched_text_of(form, FIELD), request)
    if request.url.path.startswith(("/connexion", "/confirmer/")) or not is_ours:
        return None
    prompt = replace(TOO_SOON, lead=sentence_of(error))
    return _show_at_once(request, form, prompt, may_wait=_person_here(request) is not None)


def _show_at_once(
    request: Request, form: FormData, prompt: SignInPrompt, *, may_wait: bool
) -> Response | None:
    typed, files = sign_in.typed_in(form), _has_files(form)
    is_filled = any(value.strip() for _, value in typed) or (files and may_wait)
    if not is_filled or untouched_text_of(form, "mot-de-passe"):
        return None
    waiting = sign_in.keep(request, form) if may_wait else Waiting(request.url.path, typed)
    return _again_page(request, waiting, prompt, files=files)


def _has_files(form: FormData) -> bool:
    return any(isinstance(value, UploadFile) and value.filename for _, value in form.multi_items())


def _owner_of(request: Request, form: FormData) -> uuid.UUID | None:
    tokens: CsrfTokens = request.app.state.csrf
    return tokens.owner_of(untouched_text_of(form, FIELD))


def _person_here(request: Request) -> uuid.UUID | None:
    with visit(request, reading=True) as services:
        who = find_signed_in(request, services)
    return who.person.id if who else None


def _keep_for(
    request: Request, form: FormData, owner: uuid.UUID | None, page_of: Callable[..., Response]
) -> Response | None:
    if owner is None:
        return None
    process = process_of(request)
    process.limiter.hit("form kept", client_network(request))
    token = _token_for(request, form, owner)
    if not token:
        return None
    answer = page_of(request, SHOWN_AT, files=_has_files(form))
    set_cookie(answer, process, kept_form_cookie(process), token, LIFE.total_seconds())
    return answer


def _token_for(request: Request, form: FormData, owner: uuid.UUID) -> str:
    """Files are never stored for a user who is not signed in."""
    with process_of(request).visit() as services:
        if request.url.path.startswith("/confirmer/"):
            waits = untouched_text_of(form, TOKEN_FIELD)
            return waits if services.set_aside.find(waits, owner) else ""
        typed = sign_in.typed_in(form)
        length = sum(len(name) + len(value.encode("utf-8", "replace")) for name, value in typed)
        if not any(value.strip() for _, value in typed) or length > LONGEST_TYPED:
            return ""
        return services.set_aside.keep(WaitingForm(request.url.path, typed), owner)


@router.get("/formulaire")
def show(request: Request) -> HTMLResponse:
    """Safe GET: nothing is sent before the user confirms, wherever the link came from."""
    token = request.cookies.get(kept_form_cookie(process_of(request)), "")
    waiting = sign_in.found(request, token or "/")
    if not waiting.token:
        waiting = Waiting("/")
    return _again_page(request, waiting, KEPT if waiting.token else ABSENT, files=True)


def _again_page(request: Request, waiting: Waiting, prompt: SignInPrompt, *, files: bool) -> HTMLResponse:
    """`files`: whether some were chosen, as far as known."""
    return page(
        request,
        "accounts/typed_again.html",
        private=True,
        status=prompt.status,
        waiting=waiting,
        typed=[value for _, value in waiting.fields if _is_words(value)],
        prompt=prompt,
        chose_files=files,
    )


def _is_words(value: str) -> bool:
    """Typed text, as opposed to the codes of choices, checkboxes, days and rows."""
    return bool(value.strip()) and _CODE.fullmatch(value) is None


log = structlog.get_logger(__name__)


@dataclass(frozen=True, eq=False)
class SessionSightings:
    """ASGI middleware: `request.state.seen_session` names the session to note."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)
        seen = scope.get("state", {}).get("seen_session") if scope["type"] == "http" else None
        if seen is not None:
            await run_in_threadpool(_note, scope["app"].state.process, seen)


def _note(process: Process, session_id: uuid.UUID) -> None:
    try:
        with process.visit() as services:
            services.sessions.see(session_id)
    except DatabaseUnreachable as error:
        # The response is sent; the next request records the session.
        log.warning("session not noted", kind=type(error).__name__)
