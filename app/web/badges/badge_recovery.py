"""« Retrouver tous mes badges »: an e-mail opens all badges of an address, without a password."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.background import BackgroundTask

from app.container import Services
from app.domain.people import normal_address
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.policies import public
from app.http.request_scope import ReadingServices, limited, process_of
from app.http.response_cache import held_here
from app.web.accounts.browser_binding import FromAskingBrowser, remember_browser, same_browser
from app.web.accounts.sign_in import go_on_to, write_to

router = APIRouter(prefix="/mes-badges/retrouver")


@router.get("")
@public
def ask(request: Request, services: ReadingServices, badge: str = "") -> HTMLResponse:
    return _page(request, badge=_held(request, services, badge))


@router.post("", dependencies=[limited("link from a network"), FromAskingBrowser])
@public
def send_link(request: Request, services: ReadingServices, form: SafeForm) -> HTMLResponse:
    """Same answer for every address, known or not: never reveals who holds a badge."""
    address, process = text_of(form, "adresse"), process_of(request)
    badge = _held(request, services, text_of(form, "badge"))
    if address:
        process.limiter.hit("link to an address", normal_address(address))
    holder = held_here(request, services)[badge].person if badge else None
    answer = _page(request, badge=badge, asked=bool(address), address=address)
    # Runs after the response: the duration of the search must not reveal anything either.
    answer.background = BackgroundTask(write_to, process, address, same_browser(request), holder)
    return answer


def _held(request: Request, services: Services, badge: str) -> uuid.UUID | None:
    """The badge that the reader came from, if this browser was shown its private link."""
    try:
        award_id = uuid.UUID(badge)
    except ValueError:
        return None
    return award_id if award_id in held_here(request, services) else None


def _page(
    request: Request, *, badge: uuid.UUID | None, asked: bool = False, address: str = ""
) -> HTMLResponse:
    process = process_of(request)
    answer = page(
        request,
        "learners/find.html",
        private=True,
        badge=badge or "",
        asked=asked,
        address=address,
        letters_leave=process.mailer is not None,
        on_this_machine=process.settings.is_local and not process.settings.smtp_url,
    )
    remember_browser(answer, request)
    go_on_to(answer, request, "/mes-badges")
    return answer
