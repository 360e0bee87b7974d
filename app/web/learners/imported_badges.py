"""Badges from elsewhere, on a learner's pages: imported from a file, text or link, verified, shown,
removed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.learners.portfolios import Belonging, BroughtBadge
from app.errors import AppError, NotFound, NotSignedIn
from app.http.pages.forms import SafeForm, bytes_of, text_of
from app.http.pages.render import page
from app.http.pages.typography import translated
from app.http.pages.words import StateLabel, day, moment, sentence_text
from app.http.policies import Policy, Who, marked, public
from app.http.request_scope import ReadingServices, WritingServices, limited, write_transaction
from app.http.response_cache import people_here
from app.http.workplaces import sentence_of
from app.language import N_
from app.services.learners.imported_badges import NotBrought, heading_of
from app.web.verification.verification_page import AnswerShown, answer_page, shown

router = APIRouter()
_HOME = "/mes-badges/ailleurs"
_DONE = {
    "ajoute": N_("Le badge est ajouté. Il n’est montré à personne tant que vous ne le décidez pas."),
    "note": N_("C’est noté."),
    "retire": N_("Le badge est retiré d’ici. Le fichier que vous avez reste le vôtre."),
}
_BELONGS = {
    Belonging.THEIRS: N_("Il contient l’une de vos adresses vérifiées ici."),
    Belonging.ANOTHERS: N_(
        "Il contient une adresse qui n’est pas l’une des vôtres, vérifiées ici. Si c’est une ancienne "
        "adresse, ajoutez-la à votre compte. En attendant, le badge n’est pas affiché."
    ),
    Belonging.UNSAID: N_(
        "Nous ne pouvons pas dire s’il a été donné à vous : le badge ne nomme personne d’une façon que nous "
        "puissions comparer à vos adresses vérifiées."
    ),
}
_SAID_IN_PUBLIC = {
    Belonging.THEIRS: N_("Au nom d’une adresse que la personne a vérifiée ici."),
    Belonging.ANOTHERS: N_("Au nom de quelqu’un d’autre."),
    Belonging.UNSAID: N_("Rien dans le badge ne permet de dire qu’il a été donné à cette personne."),
}


_NAMES_ANOTHER = N_(
    "Ce badge nomme {name}, et ce n’est pas le nom que vous avez ici : il ne se montre pas. S’il est à vous, ajoutez à "
    "votre compte l’adresse qu’il contient et confirmez-la, ou demandez à son émetteur un badge à votre nom."
)


@dataclass(frozen=True)
class BroughtShown:
    """`state` is the result of the check on the day `checked`; the page at `url` checks again."""

    id: str
    title: str
    issuer: str
    awarded: str
    state: StateLabel
    checked: str
    belongs: str
    url: str
    is_shown: bool
    may_be_shown: bool


def brought_shown(badge: BroughtBadge, url: str, *, in_public: bool = False) -> BroughtShown:
    state, heading = heading_of(badge)
    words = _SAID_IN_PUBLIC if in_public else _BELONGS
    return BroughtShown(
        id=str(badge.id),
        title=badge.title or translated(N_("Badge sans nom")),
        issuer=badge.issuer_name,
        awarded=day(badge.awarded_at) if badge.awarded_at else "",
        state=StateLabel(sentence_text(heading), state),
        checked=day(badge.checked_at),
        belongs=translated(_NAMES_ANOTHER).format(name=badge.holder_name)
        if badge.belongs is Belonging.ANOTHERS and badge.holder_name
        else translated(words[badge.belongs]),
        url=url,
        is_shown=badge.is_shown,
        may_be_shown=badge.may_be_shown,
    )


@marked(Policy(Who.HOLDER))
def _brought(brought_id: uuid.UUID, request: Request, services: ReadingServices) -> None:
    _mine(brought_id, request, services)


@marked(Policy(Who.HOLDER))
def _changed(brought_id: uuid.UUID, request: Request, services: WritingServices) -> None:
    _mine(brought_id, request, services)


def _mine(brought_id: uuid.UUID, request: Request, services: Services) -> BroughtBadge:
    badge = services.brought_badges.get(brought_id)
    if badge.person_id not in people_here(request, services):
        raise NotSignedIn(N_("Pour voir ce badge, ouvrez d’abord un de vos badges avec son lien privé."))
    return badge


@router.get(_HOME)
@public
def show(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _page(request, services, done=translated(_DONE[fait]) if fait in _DONE else "")


@router.post(_HOME, dependencies=[limited("verify")])
@public
def bring(request: Request, services: ReadingServices, form: SafeForm) -> Response:
    """Takes the first of file, text and link; a badge that cannot be stored gets the answer of the public
    checker."""
    presented = bytes_of(form, "fichier") or text_of(form, "texte") or text_of(form, "lien")
    people = {str(key): who.person for key, who in people_here(request, services).items()}
    person = people.get(text_of(form, "personne"))
    if person is None or not presented:
        return RedirectResponse(_HOME, status_code=303)
    try:
        found = services.brought_badges.read(person, presented)
        with write_transaction(request) as writing:
            writing.brought_badges.add(found)
    except NotBrought as refused:
        answer = shown(services, refused.answer)
        return _page(request, services, refused=answer, trouble=answer.word)
    except AppError as error:
        return _page(request, services, trouble=sentence_of(error))
    return RedirectResponse(f"{_HOME}?fait=ajoute", status_code=303)


@router.get(
    f"{_HOME}/{{brought_id:uuid}}", dependencies=[Depends(_brought, scope="function"), limited("verify")]
)
def look(brought_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    """The answer an employer would get, verified now."""
    badge = services.brought_badges.get(brought_id)
    return answer_page(request, services, services.brought_badges.check(badge), again=f"{_HOME}/{brought_id}")


@router.post(f"{_HOME}/{{brought_id:uuid}}", dependencies=[Depends(_changed, scope="function")])
def change(brought_id: uuid.UUID, services: WritingServices, form: SafeForm) -> Response:
    badge, wanted = services.brought_badges.get(brought_id), text_of(form, "geste")
    if wanted == "retirer":
        services.brought_badges.remove(badge)
        return RedirectResponse(f"{_HOME}?fait=retire", status_code=303)
    services.brought_badges.show(badge, wanted == "montrer")
    return RedirectResponse(f"{_HOME}?fait=note#b-{brought_id}", status_code=303)


@router.post(
    f"{_HOME}/{{brought_id:uuid}}/revoir",
    dependencies=[Depends(_brought, scope="function"), limited("verify")],
)
def check_again(
    brought_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    form: SafeForm,  # noqa: ARG001
) -> Response:
    """Checks now instead of next week: an address in the badge may have been proved since."""
    verdict = services.brought_badges.judge(brought_id)
    if verdict is not None:
        with write_transaction(request) as writing:
            writing.brought_badges.note(brought_id, verdict)
    return RedirectResponse(f"{_HOME}?fait=note#b-{brought_id}", status_code=303)


@router.get("/portfolio/{portfolio_id:uuid}/ailleurs/{brought_id:uuid}", dependencies=[limited("verify")])
@public
def show_in_public(
    portfolio_id: uuid.UUID, brought_id: uuid.UUID, request: Request, services: ReadingServices
) -> HTMLResponse:
    """A badge that its holder shows in an open portfolio, verified now."""
    opened = services.portfolios.open_page(portfolio_id)
    shown_there = services.brought_badges.shown_by(opened.portfolio.person_id)
    badge = next((each for each in shown_there if each.id == brought_id), None)
    if badge is None:
        raise NotFound(N_("Ce badge n’est plus ici."))
    answer = answer_page(
        request,
        services,
        services.brought_badges.check(badge),
        again=f"/portfolio/{portfolio_id}/ailleurs/{brought_id}",
    )
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


def in_portfolio(services: Services, person_id: uuid.UUID, portfolio_id: uuid.UUID) -> list[BroughtShown]:
    return [
        brought_shown(each, f"/portfolio/{portfolio_id}/ailleurs/{each.id}", in_public=True)
        for each in services.brought_badges.shown_by(person_id)
    ]


def _page(
    request: Request,
    services: Services,
    *,
    done: str = "",
    trouble: str = "",
    refused: AnswerShown | None = None,
) -> HTMLResponse:
    people = [who.person for who in people_here(request, services).values()]
    held: Sequence[BroughtShown] = [
        brought_shown(each, f"{_HOME}/{each.id}")
        for person in people
        for each in services.brought_badges.of(person.id)
    ]
    answer = page(
        request,
        "learners/elsewhere.html",
        private=True,
        status=422 if trouble else 200,
        badges=held,
        people=[(str(person.id), person.name) for person in people],
        done=done,
        trouble=trouble,
        refused=refused,
        now=moment(services.clock()),
    )
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer
