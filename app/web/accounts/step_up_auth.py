"""Step-up authentication: « Confirmez que c'est bien vous », then the user continues."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from app.domain.accounts.sessions import ReauthRequired
from app.domain.accounts.sign_in import ProviderDown, Purpose
from app.errors import NotSignedIn
from app.http.pages.forms import TOKEN_FIELD, SafeForm, checked_form, text_of, untouched_text_of
from app.http.pages.render import page, safe_path
from app.http.request_scope import limited, open_session_in, process_of, signed_in, visit, write_transaction
from app.http.workplaces import SIGNED_IN, sentence_of
from app.language import N_
from app.language.typography import translated
from app.services.accounts.sessions import NewSession
from app.web.accounts import browser_binding
from app.web.accounts.browser_binding import (
    FromAskingBrowser,
    Waiting,
    browser_of,
    remember_browser,
    same_browser,
)
from app.web.accounts.other_services import leave_for, provider_of, services_of
from app.web.accounts.sign_in import ANSWER, DESK, WRONG_CODE, note_copy, note_failure, write_to

router = APIRouter(prefix="/confirmer", dependencies=[SIGNED_IN])
_WRONG = N_("Ce n’est pas votre mot de passe. Vérifiez-le, ou prenez un autre moyen.")


async def ask_to_prove(request: Request, error: ReauthRequired) -> Response:
    """Replaces the response: the page that asks, with the submitted form; a GET is requested again."""
    if request.method != "POST":
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/confirmer?suite={quote(wanted, safe='')}", status_code=303)
    form = await checked_form(request)
    waiting = await run_in_threadpool(browser_binding.keep, request, form)
    return await run_in_threadpool(prove_page, request, waiting, trouble=sentence_of(error))


@router.get("")
def ask(request: Request, suite: str = "") -> HTMLResponse:
    return prove_page(request, Waiting(safe_path(suite, request)), status=200)


@router.post(
    "/cle/question", dependencies=[limited("passkey question"), Depends(checked_form), FromAskingBrowser]
)
def question(request: Request) -> JSONResponse:
    with write_transaction(request) as services:
        return JSONResponse(services.passkeys.ask(same_browser(request), signed_in(request, services)))


@router.post("/cle", dependencies=[limited("signing in"), FromAskingBrowser])
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


@router.post("/mot-de-passe", dependencies=[limited("signing in"), FromAskingBrowser])
def by_password(request: Request, form: SafeForm) -> Response:
    process, waiting = process_of(request), _waiting_of(request, form)
    with visit(request, reading=True) as services:
        person = signed_in(request, services).person
        known = services.sign_in.password_of(person.id)
    process.limiter.hit("password of somebody", str(person.id))
    typed = untouched_text_of(form, "mot-de-passe")
    good, newer_hash = process.passwords.compare(typed, known.hash if known else None)
    if known is None or not good:
        with write_transaction(request) as services:
            services.sign_in.note_wrong_password(person.id)
        note_failure(request)
        return prove_page(request, waiting, wrong_password=translated(_WRONG))
    with write_transaction(request) as services:
        opened = services.sign_in.by_password(known, browser_of(request, services), newer_hash=newer_hash)
    return go_on(request, waiting, opened)


@router.post("/lien", dependencies=[limited("link from a network"), FromAskingBrowser])
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


@router.post("/code", dependencies=[limited("signing in"), FromAskingBrowser])
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


@router.post("/service/{service}", dependencies=[limited("signing in"), FromAskingBrowser])
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


@router.post("/reprendre")
def resume(request: Request, form: SafeForm) -> Response:
    """For a link opened in another window: the retried request shows whether it was."""
    return go_on(request, _waiting_of(request, form))


def _waiting_of(request: Request, form: FormData) -> Waiting:
    return browser_binding.found(request, untouched_text_of(form, TOKEN_FIELD) or "/")


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
