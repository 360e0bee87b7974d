"""Signing in with a password."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app.domain.people.people import normal_address
from app.http.pages.forms import SafeForm, text_of, untouched_text_of
from app.http.pages.typography import say
from app.http.policies import public
from app.http.request_scope import deed, limited, process_of
from app.language import N_
from app.web.accounts.asking_browser import FromAskingBrowser, browser_of
from app.web.accounts.sign_in import ask_page, entered, note_failure

router = APIRouter()
_WRONG = N_(
    "Cette adresse et ce mot de passe ne vont pas ensemble. Vérifiez les deux, ou demandez un lien : il marche toujours."
)


@router.post("/connexion/mot-de-passe", dependencies=[limited("signing in"), FromAskingBrowser])
@public
def enter(request: Request, form: SafeForm) -> Response:
    """The same answer, as slowly, whether the address is unknown, has no password or another one (T19)."""
    process, address = process_of(request), text_of(form, "adresse")
    process.limiter.hit("password of an address", normal_address(address))
    with process.visit(reading=True) as services:
        known = services.sign_in.password_at(address)
    # Outside of any transaction: comparing takes a tenth of a second.
    good, newer_hash = process.passwords.compare(
        untouched_text_of(form, "mot-de-passe"), known.hash if known else None
    )
    if known is None or not good:
        if known is not None:
            with process.visit() as services:
                services.sign_in.note_wrong_password(known.person_id)
        note_failure(request)
        return ask_page(request, status=401, address=address, wrong_password=say(_WRONG))
    with deed(request) as services:
        opened = services.sign_in.by_password(known, browser_of(request, services), newer_hash=newer_hash)
    return entered(request, opened)
