"""An invitation as whoever got the letter sees it: what it offers, and one button."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.campus.team import DeadInvitation
from app.domain.people.people import masked_address
from app.errors import AppError, InvalidInput, NotFound
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.words import ROLE_HINTS, ROLES
from app.http.policies import public
from app.http.request_scope import (
    AT_ANY_CAMPUS,
    ReadingServices,
    deed,
    find_signed_in,
    limited,
    open_session_in,
)
from app.http.workplaces import look_of, sentence_of
from app.services.accounts.invitations import SignInFirst
from app.web.accounts.asking_browser import FromAskingBrowser, browser_of, remember_browser
from app.web.accounts.sign_in import note_failure

router = APIRouter(dependencies=[AT_ANY_CAMPUS])


@router.get("/invitation/{invitation}")
@public
def show_invitation(invitation: str, request: Request, services: ReadingServices) -> HTMLResponse:
    """A page and nothing more: programs that follow links in letters must not accept for anybody."""
    return _page(request, services, invitation)


@router.post("/invitation/{invitation}", dependencies=[limited("signing in"), FromAskingBrowser])
@public
def accept_invitation(
    invitation: str, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    given, family = text_of(form, "prenom"), text_of(form, "nom")
    try:
        with deed(request) as writing:
            slug = writing.invitations.open(invitation).campus.slug
            opened = writing.invitations.accept(
                invitation, browser_of(request, writing), given_name=given, family_name=family
            )
    except (InvalidInput, SignInFirst, DeadInvitation, NotFound) as error:
        return _page(request, services, invitation, given=given, family=family, trouble=error)
    answer = RedirectResponse(f"/gestion/{slug}", status_code=303)
    if opened is not None:
        open_session_in(answer, request, opened)
    return answer


def _page(
    request: Request,
    services: Services,
    token: str,
    *,
    given: str = "",
    family: str = "",
    trouble: AppError | None = None,
) -> HTMLResponse:
    try:
        found = services.invitations.open(token)
    except NotFound as error:
        note_failure(request)
        return page(
            request, "accounts/dead_invitation.html", private=True, status=404, trouble=sentence_of(error)
        )
    here = find_signed_in(request, services)
    answer = page(
        request,
        "accounts/invitation.html",
        campus=look_of(found.campus),
        private=True,
        status=422 if trouble else 200,
        href=f"/invitation/{token}",
        zone=found.campus.time_zone,
        address=found.invitation.address,
        inviter=found.inviter.name if found.inviter else "",
        roles=[(say(ROLES[role]), say(ROLE_HINTS[role])) for role in found.invitation.offered],
        expires_at=found.invitation.expires_at,
        here=here.person.name if here else "",
        sent_elsewhere=masked_address(found.invitation.address)
        if here and not services.invitations.is_for(found.invitation, here.person)
        else "",
        is_known=found.is_known,
        given=given,
        family=family,
        trouble=sentence_of(trouble) if trouble else "",
    )
    remember_browser(answer, request)
    return answer
