"""A learner's own portfolio: put together, opened and shut, seen as others see it, taken along."""

from __future__ import annotations

import uuid
from enum import StrEnum
from typing import TypeVar

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.learners.portfolios import Grouping, Naming, Portfolio
from app.domain.people.guardians import ParentNeeded
from app.errors import AppError, NotSignedIn
from app.http.held_badges import awards_within_reach, people_here
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.policies import Policy, Who, marked, public
from app.http.request_scope import ReadingServices, WritingServices
from app.http.workplaces import sentence_of
from app.language import N_
from app.services.learners.portfolios import Wishes
from app.web.learners.portfolios.arranging import my_portfolio
from app.web.learners.portfolios.portfolios import show_page

router = APIRouter(prefix="/mes-badges/portfolio")
_DONE = {
    "pret": N_("Votre portfolio est prêt. Il est fermé tant que vous ne l’ouvrez pas."),
    "ouvert": N_("La page est ouverte. Toute personne qui a le lien la voit."),
    "ferme": N_("La page est fermée. Le lien, le cadre et l’image ne montrent plus rien."),
    "note": N_("C’est noté."),
}
Chosen = TypeVar("Chosen", Naming, Grouping)


class CodeForm(StrEnum):
    SVG = "svg"
    PNG = "png"


@marked(Policy(Who.HOLDER))
def _kept(portfolio_id: uuid.UUID, request: Request, services: ReadingServices) -> None:
    portfolio_here(portfolio_id, request, services)


@marked(Policy(Who.HOLDER))
def _changed(portfolio_id: uuid.UUID, request: Request, services: WritingServices) -> None:
    portfolio_here(portfolio_id, request, services)


KEPT = Depends(_kept, scope="function")
"""The policy of what only whose portfolio it is may see, by the badges of theirs that this browser holds."""
CHANGED = Depends(_changed, scope="function")


def portfolio_here(portfolio_id: uuid.UUID, request: Request, services: Services) -> Portfolio:
    portfolio = services.portfolios.get(portfolio_id)
    if portfolio.person_id not in people_here(request, services):
        raise NotSignedIn(
            N_("Pour arranger ce portfolio, ouvrez d’abord un de vos badges avec son lien privé.")
        )
    return portfolio


@router.get("")
@public
def choose(request: Request, services: ReadingServices) -> HTMLResponse:
    """The portfolio itself where this browser holds one person's badges."""
    people = [who.person for who in people_here(request, services).values()]
    found = [(person, services.portfolios.find_of(person)) for person in people]
    if len(found) == 1 and found[0][1] is not None:
        return _editor(request, services, found[0][1].id)
    return _private(
        page(
            request,
            "learners/portfolios/choose.html",
            private=True,
            people=[
                (str(person.id), person.name, f"/mes-badges/portfolio/{kept.id}" if kept else "")
                for person, kept in found
            ],
        )
    )


@router.post("")
@public
def start(request: Request, services: WritingServices, form: SafeForm) -> Response:
    person_id = _id_in(form, "personne")
    who = people_here(request, services).get(person_id) if person_id else None
    if who is None:
        return RedirectResponse("/mes-badges/portfolio", status_code=303)
    reached = awards_within_reach(request, services, who.person.id)
    portfolio = services.portfolios.start(who.person, reached)
    return RedirectResponse(f"/mes-badges/portfolio/{portfolio.id}?fait=pret", status_code=303)


@router.get("/{portfolio_id:uuid}", dependencies=[KEPT])
def show(
    portfolio_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    return _editor(request, services, portfolio_id, done=say(_DONE[fait]) if fait in _DONE else "")


@router.post("/{portfolio_id:uuid}", dependencies=[CHANGED])
def wish(portfolio_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm) -> Response:
    portfolio = services.portfolios.get(portfolio_id)
    wishes = Wishes(
        line=text_of(form, "phrase"),
        naming=_word(portfolio.naming, text_of(form, "nom")),
        grouping=_word(portfolio.grouping, text_of(form, "classement")),
        is_findable=text_of(form, "recherche") == "oui",
    )
    try:
        services.portfolios.wish(portfolio, wishes)
    except ParentNeeded as error:
        return _editor(request, services, portfolio_id, refused=sentence_of(error), wishes=wishes)
    except AppError as error:
        return _editor(request, services, portfolio_id, trouble=sentence_of(error), wishes=wishes)
    return _back(portfolio_id, "note")


@router.post("/{portfolio_id:uuid}/visibilite", dependencies=[CHANGED])
def change_visibility(
    portfolio_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm
) -> Response:
    is_open = text_of(form, "vue") == "ouvert"
    try:
        services.portfolios.set_open(services.portfolios.get(portfolio_id), is_open)
    except AppError as error:
        return _editor(request, services, portfolio_id, refused=sentence_of(error))
    return _back(portfolio_id, "ouvert" if is_open else "ferme", "page")


@router.post("/{portfolio_id:uuid}/badges", dependencies=[CHANGED])
def arrange(portfolio_id: uuid.UUID, services: WritingServices, form: SafeForm) -> Response:
    """One button, one deed: put in, take out, up, down, into a group."""
    kept, portfolio = services.portfolios, services.portfolios.get(portfolio_id)
    award_id, piece_id = _id_in(form, "attribution"), _id_in(form, "badge")
    above, below = _id_in(form, "monter"), _id_in(form, "descendre")
    if award_id:
        kept.put_in(portfolio, award_id)
        return _back(portfolio_id, "note", "badges")
    if piece_id is None:
        return _back(portfolio_id, "", "badges")
    if above or below:
        neighbour = above or below
        assert neighbour is not None
        kept.move(portfolio, piece_id, neighbour, before=above is not None)
    elif text_of(form, "retirer"):
        kept.take_out(portfolio, piece_id)
        return _back(portfolio_id, "note", "badges")
    else:
        kept.put_under(portfolio, piece_id, _id_in(form, "groupe"))
    return _back(portfolio_id, "", f"b-{piece_id}")


@router.post("/{portfolio_id:uuid}/groupes", dependencies=[CHANGED])
def arrange_groups(
    portfolio_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm
) -> Response:
    kept, portfolio = services.portfolios, services.portfolios.get(portfolio_id)
    group_id, title = _id_in(form, "groupe"), text_of(form, "titre")
    above, below = _id_in(form, "monter"), _id_in(form, "descendre")
    try:
        if group_id is None:
            kept.add_group(portfolio, title)
        elif text_of(form, "retirer"):
            kept.remove_group(portfolio, group_id)
        elif above or below:
            neighbour = above or below
            assert neighbour is not None
            kept.move_group(portfolio, group_id, neighbour, before=above is not None)
        else:
            kept.rename_group(portfolio, group_id, title)
    except AppError as error:
        return _editor(request, services, portfolio_id, group_trouble=sentence_of(error), typed=title)
    return _back(portfolio_id, "note", "badges")


@router.get("/{portfolio_id:uuid}/apercu", dependencies=[KEPT])
def preview(portfolio_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    """As others see it, or will once it is open."""
    seen = services.portfolios.page(services.portfolios.get(portfolio_id))
    return _private(
        show_page(request, services, seen, share=None, preview=f"/mes-badges/portfolio/{portfolio_id}")
    )


@router.get("/{portfolio_id:uuid}/code.{form}", dependencies=[KEPT])
def code(portfolio_id: uuid.UUID, form: CodeForm, services: ReadingServices) -> Response:
    drawn = services.papers.portfolio_code(portfolio_id, form.value)
    return Response(
        drawn.body,
        media_type=drawn.media_type,
        headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"},
    )


def _editor(
    request: Request,
    services: Services,
    portfolio_id: uuid.UUID,
    *,
    done: str = "",
    refused: str = "",
    trouble: str = "",
    wishes: Wishes | None = None,
    group_trouble: str = "",
    typed: str = "",
) -> HTMLResponse:
    portfolio = portfolio_here(portfolio_id, request, services)
    view = my_portfolio(request, services, portfolio, wishes)
    return _private(
        page(
            request,
            "learners/portfolios/edit.html",
            private=True,
            status=422 if refused or trouble or group_trouble else 200,
            p=view,
            done=done,
            refused=refused,
            trouble=trouble,
            group_trouble=group_trouble,
            typed=typed,
        )
    )


def _word(otherwise: Chosen, typed: str) -> Chosen:
    try:
        return type(otherwise)(typed)
    except ValueError:
        return otherwise


def _id_in(form: FormData, name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text_of(form, name))
    except ValueError:
        return None


def _back(portfolio_id: uuid.UUID, done: str, place: str = "") -> RedirectResponse:
    query = f"?fait={done}" if done else ""
    return RedirectResponse(
        f"/mes-badges/portfolio/{portfolio_id}{query}{'#' + place if place else ''}", status_code=303
    )


def _private(answer: HTMLResponse) -> HTMLResponse:
    # As on the other pages of a learner: our own forms must not come back with the origin "null".
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer
