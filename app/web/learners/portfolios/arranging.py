"""What the keeper of a portfolio arranges: every badge in it, open or shut, its neighbours, and what was left out."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request

from app.container import Services
from app.domain.awards.awards import Visibility
from app.domain.learners.portfolios import Grouping, Naming, Portfolio, shown_name
from app.domain.people.guardians import ParentNeeded
from app.domain.people.people import Person
from app.http.held_badges import awards_within_reach, people_here
from app.http.pages.typography import say
from app.http.pages.words import Word
from app.http.workplaces import sentence_of
from app.language import N_
from app.services.learners.portfolios import Section, Wishes
from app.web.learners.portfolios.pieces import BadgeInPortfolio, badge_shown
from app.web.learners.portfolios.portfolios import frame_html

_GROUPINGS = {
    Grouping.NONE: N_("Dans mon ordre, sans titres"),
    Grouping.COMPETENCY: N_("Par compétence"),
    Grouping.PROJECT: N_("Par projet ou activité"),
    Grouping.OWN: N_("Dans mes propres groupes"),
}
_OPEN = Word(N_("Page ouverte"), "ok")
_SHUT = Word(N_("Page fermée"), "shut")


@dataclass(frozen=True)
class PieceShown:
    """`above` and `below` are the neighbours it may change places with, empty at the ends."""

    badge: BadgeInPortfolio
    page: Word
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
    page: Word


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
    names: Sequence[tuple[str, str]]
    groupings: Sequence[tuple[str, str]]
    sections: Sequence[SectionOfMine]
    groups: Sequence[tuple[str, str]]
    left_out: Sequence[BadgeLeftOut]
    shown: int
    parent_words: str
    """Why it does not open yet, for somebody under 15; empty where nothing is in the way."""


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
        groupings=[(value.value, say(words)) for value, words in _GROUPINGS.items()],
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
        groups=[("", say(N_("Sans groupe"))), *((str(each.id), each.title) for each in groups)],
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
    nobody = say(N_("Sans nom"))
    return [(each.value, shown_name(person, each) or nobody) for each in Naming]
