"""What the page of a portfolio shows: badges verified just now, and the competencies that they attest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.container import Services
from app.http.pages.saying import said
from app.http.pages.typography import say
from app.http.pages.wording import day
from app.http.pages.words import Word
from app.language import N_
from app.services.badges.pictures import kind_words, picture_words
from app.services.frameworks.overview import Mastered
from app.services.learners.portfolios import PieceOf, PortfolioPage
from app.services.verification.verdicts import HeadlineKind, headline


@dataclass(frozen=True)
class BadgeInPortfolio:
    """`state` is the answer that the badge's own page gives, found just now."""

    id: str
    title: str
    language: str
    url: str
    short: str
    picture: str
    picture_words: str
    kind: str
    campus: str
    when: str
    state: Word
    counts: bool


@dataclass(frozen=True)
class SectionShown:
    title: str
    badges: Sequence[BadgeInPortfolio]


@dataclass(frozen=True)
class CompetencyShown:
    """`level` in words, empty where no badge names one; `hours` None where none were noted."""

    statement: str
    framework: str
    level: str
    rank: int
    levels: Sequence[str]
    badges: Sequence[tuple[str, str]]
    hours: float | None


@dataclass(frozen=True)
class PortfolioShown:
    name: str
    line: str
    sections: Sequence[SectionShown]
    competencies: Sequence[CompetencyShown]
    when: str
    url: str

    @property
    def badges(self) -> list[BadgeInPortfolio]:
        return list({each.id: each for section in self.sections for each in section.badges}.values())


def portfolio_shown(services: Services, page: PortfolioPage) -> PortfolioShown:
    badges = {each.piece.id: badge_shown(services, each) for each in page.pieces}
    counted = [each.record for each in page.pieces if badges[each.piece.id].counts]
    return PortfolioShown(
        name=page.name,
        line=page.portfolio.line,
        sections=[
            SectionShown(section.title, [badges[each.piece.id] for each in section.pieces])
            for section in page.sections
        ],
        competencies=[_competency(services, each) for each in services.portfolios.overview(counted)],
        when=day(services.clock()),
        url=services.addresses.portfolio(page.portfolio.id),
    )


def badge_shown(services: Services, piece: PieceOf) -> BadgeInPortfolio:
    record = piece.record
    zone = record.campus.time_zone
    answer = services.verification.verify_award(record)
    head = headline(answer)
    competencies = services.badges.competencies_of(record.version)
    return BadgeInPortfolio(
        id=str(piece.piece.id),
        title=record.version.name,
        language=record.version.language,
        url=services.addresses.award(record.award.id),
        short=services.addresses.short_in_print(record.award.id),
        picture=f"/badges/{record.badge.id}/v{record.version.number}/image.svg",
        picture_words=said(picture_words(record.campus, record.version, competencies)),
        kind=said(kind_words(record.campus, record.version, competencies)),
        campus=record.campus.name,
        when=day(record.award.awarded_at, zone),
        state=Word(said(head.heading, zone), head.state),
        counts=head.kind is HeadlineKind.VALID,
    )


def _competency(services: Services, mastered: Mastered) -> CompetencyShown:
    levels, rank = mastered.competency.levels, mastered.level or 0
    return CompetencyShown(
        statement=mastered.competency.statement,
        framework=mastered.framework.name,
        level=levels[rank - 1] if 0 < rank <= len(levels) else "",
        rank=rank,
        levels=levels,
        badges=[(each.version.name, services.addresses.award(each.award.id)) for each in mastered.records],
        hours=mastered.hours,
    )


def title_of(shown: PortfolioShown) -> str:
    if shown.name:
        return say(N_("Les badges de {name}")).format(name=shown.name)
    return say(N_("Un portfolio de badges"))
