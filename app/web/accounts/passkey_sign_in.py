"""Signing in with a passkey: the question that the browser hands to the authenticator, and its answer."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from app.domain.accounts.passkeys import CopiedKey
from app.errors import NotSignedIn
from app.http.pages.forms import SafeForm, checked_form, untouched_text_of
from app.http.policies import public
from app.http.request_scope import WritingServices, deed, limited
from app.http.workplaces import sentence_of
from app.web.accounts.asking_browser import FromAskingBrowser, browser_of, same_browser
from app.web.accounts.sign_in import ask_page, entered, note_failure

router = APIRouter(prefix="/connexion/cle")
ANSWER = "reponse"


@router.post(
    "/question", dependencies=[limited("passkey question"), Depends(checked_form), FromAskingBrowser]
)
@public
def question(request: Request, services: WritingServices) -> JSONResponse:
    return JSONResponse(services.passkeys.ask(same_browser(request)))


@router.post("", dependencies=[limited("signing in"), FromAskingBrowser])
@public
def answer(request: Request, form: SafeForm) -> Response:
    try:
        with deed(request) as services:
            opened = services.passkeys.answer(untouched_text_of(form, ANSWER), browser_of(request, services))
    except NotSignedIn as error:
        note_copy(request, error)
        note_failure(request)
        return ask_page(request, status=401, wrong_key=sentence_of(error))
    return entered(request, opened)


def note_copy(request: Request, error: NotSignedIn) -> None:
    """Kept although the answer itself was refused."""
    if isinstance(error, CopiedKey):
        with deed(request) as services:
            services.passkeys.note_copy(error)
