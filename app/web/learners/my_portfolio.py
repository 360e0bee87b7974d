"""A learner's own portfolio: edit, open and close, preview, export."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.awards import Visibility
from app.domain.learners.portfolios import Grouping, Layout, Naming, Portfolio, shown_name
from app.domain.people import Person
from app.domain.people.consents import ParentNeeded
from app.errors import AppError, InvalidInput, NotSignedIn
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.words import StateLabel, day, listing, number
from app.http.request_scope import (
    Policy,
    ReadingServices,
    Who,
    WritingServices,
    marked,
    public,
    sentence_of,
    status_for,
)
from app.http.response_cache import awards_within_reach, people_here
from app.language import N_, current_locale, translated
from app.services.awards.papers import PortfolioWords
from app.services.learners.portfolio_files import PortfolioCopy
from app.services.learners.portfolios import PortfolioPage, Section, Wishes
from app.services.publishing import Published
from app.web.learners.portfolios import (
    BadgeInPortfolio,
    CompetencyShown,
    PortfolioShown,
    badge_shown,
    frame_html,
    portfolio_shown,
    show_page,
    title_of,
)
from sceau_credentials.values import dump_json

_GROUPINGS = {
    Grouping.NONE: N_("Dans mon ordre, sans titres"),
    Grouping.COMPETENCY: N_("Par compétence"),
    Grouping.PROJECT: N_("Par projet ou activité"),
    Grouping.OWN: N_("Dans mes propres groupes"),
}
_LAYOUTS = {
    Layout.BANDS: N_("En grand, un badge après l’autre"),
    Layout.GALLERY: N_("En galerie, les images d’abord"),
    Layout.LIST: N_("En liste, une ligne par badge"),
}
_OPEN = StateLabel("Page ouverte", "ok")
_SHUT = StateLabel("Page fermée", "shut")


@dataclass(frozen=True)
class PieceShown:
    """`above` and `below` are the neighbours it may be swapped with, empty at the ends."""

    badge: BadgeInPortfolio
    page: StateLabel
    mine: str
    group: str
    above: str
    below: str


@dataclass(frozen=True)
class SectionOfMine:
    id: str
    title: str
    pieces: Sequence[PieceShown]
    above: str = ""
    below: str = ""


@dataclass(frozen=True)
class BadgeLeftOut:
    id: str
    title: str
    campus: str
    page: StateLabel


@dataclass(frozen=True)
class MyPortfolio:
    url: str
    address: str
    frame: str
    is_open: bool
    is_findable: bool
    line: str
    naming: str
    grouping: str
    layout: str
    layouts: Sequence[tuple[str, str]]
    names: Sequence[tuple[str, str]]
    groupings: Sequence[tuple[str, str]]
    sections: Sequence[SectionOfMine]
    groups: Sequence[tuple[str, str]]
    left_out: Sequence[BadgeLeftOut]
    shown: int
    parent_words: str
    """For a learner under 15, why it does not open yet; empty where nothing prevents it."""


def my_portfolio(
    request: Request, services: Services, portfolio: Portfolio, wishes: Wishes | None
) -> MyPortfolio:
    person = people_here(request, services)[portfolio.person_id].person
    sections = services.portfolios.sections(portfolio)
    groups = services.portfolios.groups_of(portfolio)
    held = {each.piece.award_id for section in sections for each in section.pieces}
    opened = {each.piece.id for section in sections for each in section.pieces if each.is_open}
    around = [""] + [str(each.id) for each in groups] + [""]
    places = {each.id: at for at, each in enumerate(groups, start=1)}
    return MyPortfolio(
        url=f"/mes-badges/portfolio/{portfolio.id}",
        address=services.addresses.portfolio(portfolio.id),
        frame=frame_html(services, portfolio.id),
        is_open=portfolio.is_open,
        is_findable=wishes.is_findable if wishes else portfolio.is_findable,
        line=wishes.line if wishes else portfolio.line,
        naming=wishes.naming if wishes else portfolio.naming,
        grouping=portfolio.grouping,
        names=_names(person),
        layout=wishes.layout.value if wishes else portfolio.layout,
        layouts=[(value.value, translated(words)) for value, words in _LAYOUTS.items()],
        groupings=[(value.value, translated(words)) for value, words in _GROUPINGS.items()],
        sections=[
            SectionOfMine(
                str(each.group.id) if each.group else "",
                each.title,
                _pieces(services, each),
                above=around[places[each.group.id] - 1] if each.group else "",
                below=around[places[each.group.id] + 1] if each.group else "",
            )
            for each in sections
        ],
        groups=[("", translated("Sans groupe")), *((str(each.id), each.title) for each in groups)],
        left_out=_left_out(request, services, portfolio, held),
        shown=len(opened),
        parent_words=_parent_words(services, portfolio),
    )


def _parent_words(services: Services, portfolio: Portfolio) -> str:
    try:
        services.portfolios.check_may_be_shown(portfolio)
    except ParentNeeded as error:
        return sentence_of(error)
    return ""


def _pieces(services: Services, section: Section) -> list[PieceShown]:
    around = ["", *(str(each.piece.id) for each in section.pieces), ""]
    return [
        PieceShown(
            badge_shown(services, each),
            _OPEN if each.is_open else _SHUT,
            f"/mes-badges/{each.record.award.id}",
            str(each.piece.group_id or ""),
            above=around[at - 1],
            below=around[at + 1],
        )
        for at, each in enumerate(section.pieces, start=1)
    ]


def _left_out(
    request: Request, services: Services, portfolio: Portfolio, held: set[uuid.UUID]
) -> list[BadgeLeftOut]:
    reached = awards_within_reach(request, services, portfolio.person_id)
    records = services.portfolios.records_of([each for each in reached if each not in held])
    return [
        BadgeLeftOut(
            str(each.award.id),
            each.version.name,
            each.campus.short_name,
            _OPEN if each.award.visibility is Visibility.OPEN else _SHUT,
        )
        for each in records
    ]


def _names(person: Person) -> list[tuple[str, str]]:
    nobody = translated("Sans nom")
    return [(each.value, shown_name(person, each) or nobody) for each in Naming]


router = APIRouter(prefix="/mes-badges/portfolio")
_DONE = {
    "pret": N_("Votre portfolio est prêt. Il est fermé tant que vous ne l’ouvrez pas."),
    "ouvert": N_("La page est ouverte. Toute personne qui a le lien la voit."),
    "ferme": N_(
        "La page est fermée. Son adresse, le cadre et l’image ne montrent plus rien. Si vous avez donné un lien à un employeur, il ouvre encore ce portfolio jusqu’à son dernier jour. Vous pouvez l’arrêter plus bas."
    ),
    "note": N_("C’est noté."),
    "liens": N_("C’est fait : aucun lien donné avant n’ouvre plus ce portfolio."),
}
_LINK_DAYS = (7, 30, 90, 365)
"""How long a link for one employer may last; the second is the usual one."""
Chosen = TypeVar("Chosen", Naming, Grouping, Layout)


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
"""Policy of the portfolio's owner, identified by their badges in this browser."""
CHANGED = Depends(_changed, scope="function")


def portfolio_here(portfolio_id: uuid.UUID, request: Request, services: Services) -> Portfolio:
    portfolio = services.portfolios.get(portfolio_id)
    if portfolio.person_id not in people_here(request, services):
        raise NotSignedIn("Pour arranger ce portfolio, ouvrez d’abord un de vos badges avec son lien privé.")
    return portfolio


@router.get("")
@public
def choose(request: Request, services: ReadingServices) -> HTMLResponse:
    """The portfolio itself where this browser has the badges of one person only."""
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
    portfolio_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    fait: str = "",
    jusque: date | None = None,
) -> HTMLResponse:
    done = translated(_DONE[fait]) if fait in _DONE else ""
    return _editor(request, services, portfolio_id, done=done, last_day=jusque)


@router.post("/{portfolio_id:uuid}", dependencies=[CHANGED])
def wish(portfolio_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm) -> Response:
    portfolio = services.portfolios.get(portfolio_id)
    wishes = Wishes(
        line=text_of(form, "phrase"),
        naming=_word(portfolio.naming, text_of(form, "nom")),
        grouping=_word(portfolio.grouping, text_of(form, "classement")),
        is_findable=text_of(form, "recherche") == "oui",
        layout=_word(Layout(portfolio.layout), text_of(form, "mise-en-page")),
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


@router.post("/{portfolio_id:uuid}/liens", dependencies=[CHANGED])
def give_link(
    portfolio_id: uuid.UUID, request: Request, services: WritingServices, form: SafeForm
) -> Response:
    """A link for one reader, until a day; or the end of all such links."""
    portfolio = services.portfolios.get(portfolio_id)
    if text_of(form, "arreter"):
        services.portfolios.end_links(portfolio)
        return _back(portfolio_id, "liens", "liens")
    until = text_of(form, "jusque")
    try:
        services.portfolios.check_may_be_shown(portfolio)
        last_day = services.portfolios.check_last_day(portfolio, until)
    except InvalidInput as error:
        return _editor(request, services, portfolio_id, until_trouble=sentence_of(error), until=until)
    except AppError as error:
        return _editor(request, services, portfolio_id, refused=sentence_of(error), until=until)
    return RedirectResponse(
        f"/mes-badges/portfolio/{portfolio_id}?jusque={last_day.isoformat()}#liens", status_code=303
    )


@router.post("/{portfolio_id:uuid}/badges", dependencies=[CHANGED])
def arrange(portfolio_id: uuid.UUID, services: WritingServices, form: SafeForm) -> Response:
    """One action per button: add, remove, up, down, group."""
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
    """The public view, current or future."""
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
    until: str = "",
    until_trouble: str = "",
    last_day: date | None = None,
) -> HTMLResponse:
    portfolio = portfolio_here(portfolio_id, request, services)
    view = my_portfolio(request, services, portfolio, wishes)
    return _private(
        page(
            request,
            "learners/portfolios/edit.html",
            private=True,
            status=status_for(refused, trouble, group_trouble, until_trouble),
            p=view,
            done=done,
            refused=refused,
            trouble=trouble,
            group_trouble=group_trouble,
            typed=typed,
            link=f"{view.address}/pour/{services.portfolios.reader_link(portfolio, last_day)}"
            if last_day
            else "",
            last_day=last_day,
            until=until,
            until_trouble=until_trouble,
            ends=[
                (each.isoformat(), day(each))
                for days in _LINK_DAYS
                for each in [services.portfolios.today(portfolio) + timedelta(days=days)]
            ],
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
    # As on the learner's other pages: our own forms must not be sent with the origin "null".
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


exports_router = APIRouter(prefix="/mes-badges/portfolio")
_JSON = "application/json"


class TakenAs(StrEnum):
    RESUME = "cv.json"
    EUROPASS = "europass.json"
    PDF = "portfolio.pdf"


@exports_router.get("/{portfolio_id:uuid}/fichiers/{taken}", dependencies=[KEPT])
def take(portfolio_id: uuid.UUID, taken: TakenAs, request: Request, services: ReadingServices) -> Response:  # noqa: ARG001
    """Only badges with an open page are included: it contains no more than the page would."""
    file = _file(services, services.portfolios.page(services.portfolios.get(portfolio_id)), taken)
    return Response(
        file.body,
        media_type=file.media_type,
        headers={"Content-Disposition": f'attachment; filename="{taken.value}"'},
    )


def _file(services: Services, page: PortfolioPage, taken: TakenAs) -> Published:
    shown = portfolio_shown(services, page)
    if taken is TakenAs.PDF:
        records = [each.record for each in page.pieces]
        return services.papers.portfolio(page.portfolio.id, _words(services, shown), records)
    counting = {badge.id for badge in shown.badges if badge.counts}
    records = [each.record for each in page.pieces if str(each.piece.id) in counting]
    hours = {each.award.id: services.portfolios.shown_hours(each) for each in records}
    shown_hours = {award_id: found for award_id, found in hours.items() if found is not None}
    what = PortfolioCopy(page, records, services.portfolios.overview(records), shown_hours)
    if taken is TakenAs.RESUME:
        return Published.of(dump_json(services.portfolio_documents.resume(what)), _JSON)
    note = translated(
        "Ces lignes ont la forme du modèle européen d’apprentissage (ELM 3). Personne ne les a scellées : ce "
        "n’est pas un certificat Europass, et Europass ne l’importe pas de lui-même. Ce qui prouve est le badge "
        "signé, à l’adresse de chaque ligne."
    )
    return Published.of(dump_json(services.portfolio_documents.europass(what, note)), _JSON)


def _clinging(title: str, name: str) -> str:
    """The name in the title, from the last space before it."""
    before, found, _ = title.partition(name)
    return before[before.rfind(" ") + 1 :] + found if name else ""


def _words(services: Services, shown: PortfolioShown) -> PortfolioWords:
    numbers = {badge.id: number for number, badge in enumerate(shown.badges)}
    return PortfolioWords(
        lang=current_locale(),
        title=title_of(shown),
        name=_clinging(title_of(shown), shown.name),
        author="Sceau",
        line=shown.line,
        intro=translated(
            "Imprimé le {day}. Photographiez le code : la page vérifie chaque badge quand elle s’ouvre."
        ).format(day=shown.when),
        code_words=translated("Code QR : {address}").format(address=shown.url),
        where=shown.url.partition("://")[2],
        pictures=[badge.picture_words for badge in shown.badges],
        sections=[
            (
                section.title,
                [
                    (
                        numbers[badge.id],
                        badge.title,
                        badge.kind,
                        translated("Campus {campus}, le {day}").format(campus=badge.campus, day=badge.when),
                        translated("À vérifier :"),
                        badge.short,
                    )
                    for badge in section.badges
                ],
            )
            for section in shown.sections
        ],
        competencies_title=translated("Compétences attestées"),
        competencies_words=translated(
            "D’après les badges en cours le jour de l’impression. Une activité compte une fois, même si "
            "plusieurs badges reposent sur elle. Cette page n’est pas signée : ouvrez l’adresse du code."
        ),
        competencies=[
            (each.statement, _level(each), _rests(each), each.rank, len(each.levels))
            for each in shown.competencies
        ],
        peers_title=translated("Lignes de personnes qui ont travaillé avec la personne titulaire"),
        peers_words=translated(
            "Ces lignes ne sont pas une évaluation : la personne titulaire les a acceptées. Elles ne comptent dans aucune vérification."
        ),
        peers=[
            (
                list(each.lines),
                each.language,
                f"{each.signature}, {each.on}. {translated('Adresse vérifiée, identité non vérifiée')}",
                translated("Au sujet de « {title} »").format(title=about),
            )
            for about, each in shown.peers
        ],
        fine=translated(
            "Un badge atteste et reconnaît. Il n’est ni un diplôme ni une certification professionnelle."
        ),
        foot=services.addresses.host,
    )


def _level(each: CompetencyShown) -> str:
    if not each.level:
        return translated("Sans niveau")
    return translated("{level} ({rank} sur {of})").format(
        level=each.level, rank=each.rank, of=len(each.levels)
    )


def _rests(each: CompetencyShown) -> str:
    on = translated("Repose sur : {badges}").format(badges=listing([name for name, _ in each.badges]))
    if each.hours is None:
        return on
    return translated("{on} ({hours} h)").format(on=on, hours=number(each.hours))
