"""Receiving a badge with the short code of a slip: no account, no password."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.errors import InvalidInput, NotFound
from app.http.held_badges import keep_here
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.policies import public
from app.http.request_scope import AT_ANY_CAMPUS, client_network, deed, limited, process_of
from app.http.workplaces import sentence_of
from app.services.people.people import LinksTurnedOff
from app.web.accounts.asking_browser import same_browser

router = APIRouter(dependencies=[AT_ANY_CAMPUS])


@router.get("/recuperer")
@public
def ask(request: Request) -> HTMLResponse:
    return _page(request)


@router.post("/recuperer", dependencies=[limited("code")])
@public
def claim(request: Request, form: SafeForm) -> Response:
    """Whoever keeps guessing, from one network or from many, is told to wait."""
    typed, limiter = text_of(form, "code"), process_of(request).limiter
    limiter.check("wrong code", client_network(request))
    limiter.check("wrong code of anybody", "")
    try:
        with deed(request) as services:
            opened = services.handing_over.claim_by_code(typed, browser=same_browser(request).name)
    except LinksTurnedOff as error:
        return RedirectResponse(f"/mes-badges/{error.award_id}", status_code=303)
    except InvalidInput as error:
        # A slip of the finger: such a code is nobody's, so nothing was guessed.
        return _page(request, typed, sentence_of(error), status=422)
    except NotFound as error:
        limiter.hit("wrong code", client_network(request))
        limiter.hit("wrong code of anybody", "")
        return _page(request, typed, sentence_of(error), status=404)
    answer = RedirectResponse(f"/mes-badges/{opened.session.award_id}?fait=recu", status_code=303)
    keep_here(answer, request, opened)
    return answer


def _page(request: Request, code: str = "", trouble: str = "", status: int = 200) -> HTMLResponse:
    return page(
        request, "awards/handing/claim.html", private=True, status=status, code=code[:40], trouble=trouble
    )
