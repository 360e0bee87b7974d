"""« Confirmez que c'est bien vous »: a newer or a stronger proof, after which one goes on where one was."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from app.domain.sessions import ProofNeeded
from app.errors import NotSignedIn
from app.language import N_
from app.request_scope import (
    deed,
    limited,
    open_session_in,
    process_of,
    signed_in,
    visit,
)
from app.services.sessions import NewSession
from app.web.asking_browser import FromAskingBrowser, browser_of, remember_browser, same_browser
from app.web.forms import FIELD, SafeForm, checked_form, text_of, untouched_text_of
from app.web.locale import safe_path
from app.web.passkey_sign_in import ANSWER, note_copy
from app.web.render import page
from app.web.sign_in import DESK, note_failure, write_to
from app.web.typography import say
from app.web.workplaces import SIGNED_IN, sentence_of

router = APIRouter(prefix="/confirmer", dependencies=[SIGNED_IN])
# Typed again rather than written into a page.
_NEVER_REPEATED = (FIELD, "mot-de-passe")
_WRONG = N_("Ce n’est pas votre mot de passe. Vérifiez-le, ou prenez un autre moyen.")
_MOST_WAITING = 5 * 1024 * 1024


@dataclass(frozen=True)
class Waiting:
    """What was asked for when the proof was missing: an address to look at, or a form as it was filled in."""

    path: str
    fields: Sequence[tuple[str, str]] = ()
    is_form: bool = False

    @property
    def typed(self) -> str:
        return json.dumps(self.fields) if self.is_form else ""

    @staticmethod
    def of_form(request: Request, form: FormData) -> Waiting:
        """As the confirming page carries it; whatever is no address of ours leads to the desk."""
        typed = untouched_text_of(form, "reprise")
        path = safe_path(text_of(form, "vers"), request, method="POST" if typed else "GET")
        if path == "/" or len(typed) > _MOST_WAITING:
            return Waiting(DESK)
        try:
            fields = [(str(name), str(value)) for name, value in json.loads(typed)] if typed else []
        except (ValueError, TypeError):
            return Waiting(DESK)
        return Waiting(path, fields, is_form=bool(typed))


async def ask_to_prove(request: Request, error: ProofNeeded) -> Response:
    """Instead of the answer: the page that asks, with all that was typed; a page to look at is asked for again."""
    if request.method != "POST":
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/confirmer?suite={quote(wanted, safe='')}", status_code=303)
    form = await checked_form(request)
    typed = [
        (name, value)
        for name, value in form.multi_items()
        if isinstance(value, str) and name not in _NEVER_REPEATED
    ]
    waiting = Waiting(request.url.path, typed, is_form=True)
    return await run_in_threadpool(_page, request, waiting, trouble=sentence_of(error))


@router.get("")
def ask(request: Request, suite: str = "") -> HTMLResponse:
    return _page(request, Waiting(safe_path(suite, request)), status=200)


@router.post(
    "/cle/question", dependencies=[limited("passkey question"), Depends(checked_form), FromAskingBrowser]
)
def question(request: Request) -> JSONResponse:
    with deed(request) as services:
        return JSONResponse(services.passkeys.ask(same_browser(request), signed_in(request, services)))


@router.post("/cle", dependencies=[limited("signing in"), FromAskingBrowser])
def by_key(request: Request, form: SafeForm) -> Response:
    waiting = Waiting.of_form(request, form)
    try:
        with deed(request) as services:
            opened = services.passkeys.answer(
                untouched_text_of(form, ANSWER), browser_of(request, services), signed_in(request, services)
            )
    except NotSignedIn as error:
        note_copy(request, error)
        note_failure(request)
        return _page(request, waiting, wrong_key=sentence_of(error))
    return _go_on(request, waiting, opened)


@router.post("/mot-de-passe", dependencies=[limited("signing in"), FromAskingBrowser])
def by_password(request: Request, form: SafeForm) -> Response:
    process, waiting = process_of(request), Waiting.of_form(request, form)
    with visit(request, reading=True) as services:
        person = signed_in(request, services).person
        known = services.sign_in.password_of(person.id)
    process.limiter.hit("password of somebody", str(person.id))
    typed = untouched_text_of(form, "mot-de-passe")
    good, newer_hash = process.passwords.compare(typed, known.hash if known else None)
    if known is None or not good:
        with deed(request) as services:
            services.sign_in.note_wrong_password(person.id)
        note_failure(request)
        return _page(request, waiting, wrong_password=say(_WRONG))
    with deed(request) as services:
        opened = services.sign_in.by_password(known, browser_of(request, services), newer_hash=newer_hash)
    return _go_on(request, waiting, opened)


@router.post("/lien", dependencies=[limited("link from a network"), FromAskingBrowser])
def by_link(request: Request, form: SafeForm) -> HTMLResponse:
    """A letter to one's own address; once its link was opened in this browser, this page goes on."""
    process, waiting = process_of(request), Waiting.of_form(request, form)
    with visit(request, reading=True) as services:
        address = services.sign_in.own_address(signed_in(request, services))
    if address:
        process.limiter.hit("link to an address", address)
    answer = _page(request, waiting, status=200, sent=True)
    answer.background = BackgroundTask(write_to, process, address, same_browser(request))
    return answer


@router.post("/reprendre")
def resume(request: Request, form: SafeForm) -> Response:
    """After the link was opened in another window: whether it was is seen by what was asked for."""
    return _go_on(request, Waiting.of_form(request, form))


def _go_on(request: Request, waiting: Waiting, opened: NewSession | None = None) -> Response:
    answer: Response
    if waiting.is_form:
        answer = page(
            request, "signing_in/resume.html", private=True, path=waiting.path, fields=waiting.fields
        )
    else:
        answer = RedirectResponse(waiting.path if waiting.path != "/" else DESK, status_code=303)
    if opened is not None:
        open_session_in(answer, request, opened)
    return answer


def _page(
    request: Request,
    waiting: Waiting,
    *,
    trouble: str = "",
    wrong_key: str = "",
    wrong_password: str = "",
    sent: bool = False,
    status: int = 403,
) -> HTMLResponse:
    with visit(request, reading=True) as services:
        who = signed_in(request, services)
        has_passkey = bool(services.passkeys.list_of(who.person.id))
        has_password = services.sign_in.has_password(who.person.id)
        address = services.sign_in.own_address(who)
    answer = page(
        request,
        "signing_in/prove.html",
        private=True,
        status=status,
        waiting=waiting,
        trouble=trouble,
        has_passkey=has_passkey,
        has_password=has_password,
        address=address,
        letters_leave=process_of(request).mailer is not None,
        wrong_key=wrong_key,
        wrong_password=wrong_password,
        sent=sent,
    )
    remember_browser(answer, request)
    return answer
