"""Portfolios: edited by the badges' owner, public while open; competencies for a campus's programs, with consent."""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, TypeVar

from app.db.awards import AwardRecord, AwardStore
from app.db.learners import PortfolioStore
from app.db.people import PeopleStore
from app.db.people.privacy import ConsentStore
from app.domain.awards import Visibility, is_in_force
from app.domain.awards.open_badges import DisclosedContent
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.signed_terms import day_in_france
from app.domain.core import Clock
from app.domain.learners.portfolios import (
    LONGEST_LINK_DAYS,
    MOST_GROUPS,
    MOST_PIECES,
    Grouping,
    Layout,
    Naming,
    Portfolio,
    PortfolioGroup,
    PortfolioPiece,
    check_line,
    check_room,
    check_title,
    place,
    reader_link_proof,
    shown_name,
)
from app.domain.people import Person
from app.domain.people.consents import (
    About,
    ParentNeeded,
    check_may_show_further,
    consent,
    needs_parent,
    tells_of,
)
from app.errors import InvalidInput, NotAllowed, NotFound
from app.language import N_
from app.services.awards.reissuing import ReissueService
from app.services.badges import BadgeService
from app.services.frameworks import Mastered, overview_of

_AT_A_TIME: Final = 200
Row = TypeVar("Row", PortfolioGroup, PortfolioPiece)


class ShutPortfolio(NotAllowed):
    """The owner set it to private."""


@dataclass(frozen=True)
class PieceOf:
    piece: PortfolioPiece
    record: AwardRecord

    @property
    def is_open(self) -> bool:
        return self.record.award.visibility is Visibility.OPEN


@dataclass(frozen=True)
class Section:
    """Badges under one title; the last section, for ungrouped badges, has none."""

    title: str
    pieces: Sequence[PieceOf]
    group: PortfolioGroup | None = None


@dataclass(frozen=True)
class Wishes:
    """Form: the owner's page settings."""

    line: str
    naming: Naming
    grouping: Grouping
    is_findable: bool
    layout: Layout = Layout.BANDS


@dataclass(frozen=True)
class PortfolioPage:
    """The public view: `name` as the owner chose, and badges with a public page."""

    portfolio: Portfolio
    name: str
    sections: Sequence[Section]

    @property
    def pieces(self) -> list[PieceOf]:
        """Each badge once, even if listed under several competencies."""
        return list({each.piece.id: each for section in self.sections for each in section.pieces}.values())


@dataclass(frozen=True, eq=False)
class PortfolioService:
    store: PortfolioStore
    people: PeopleStore
    consents: ConsentStore
    badges: BadgeService
    reissuing: ReissueService
    secret: bytes
    clock: Clock

    # --- public

    def open_page(self, portfolio_id: uuid.UUID) -> PortfolioPage:
        portfolio = self.store.get(portfolio_id)
        if not portfolio.is_open:
            raise ShutPortfolio(N_("Cette page est fermée par la personne dont elle montre les badges."))
        return self.page(portfolio)

    def open_by_link(self, portfolio_id: uuid.UUID, written: str) -> PortfolioPage:
        """By a link for one reader, until its last day has ended at every campus of its badges; the page itself
        may be closed.

        The reason is a heading, which does not tell whether the page is closed.
        """
        portfolio = self.store.get(portfolio_id)
        last_day = _day_of(written.partition(".")[0])
        if last_day is None or not hmac.compare_digest(
            written.encode(), self.reader_link(portfolio, last_day).encode()
        ):
            raise ShutPortfolio(N_("Ce lien n’ouvre aucun portfolio"))
        if self.today(portfolio) > last_day:
            raise ShutPortfolio(N_("Ce lien a pris fin"))
        try:
            self.check_may_be_shown(portfolio)
            self._check_words_of_child(portfolio)
        except (ParentNeeded, InvalidInput) as error:
            raise ShutPortfolio(N_("Ce lien n’ouvre aucun portfolio")) from error
        return self.page(portfolio)

    def reader_link(self, portfolio: Portfolio, last_day: date) -> str:
        return f"{last_day.isoformat()}.{reader_link_proof(self.secret, portfolio, last_day)}"

    def today(self, portfolio: Portfolio) -> date:
        """Where it is earliest among the campuses of its badges."""
        at = self.clock()
        return min(
            (each.record.campus.day_of(at) for each in self.pieces(portfolio)), default=day_in_france(at)
        )

    def check_last_day(self, portfolio: Portfolio, written: str) -> date:
        """The last day of a new link, as typed in a date field."""
        last_day, today = _day_of(written), self.today(portfolio)
        if last_day is None or not today <= last_day <= today + timedelta(days=LONGEST_LINK_DAYS):
            raise InvalidInput("Choisissez un dernier jour, d’aujourd’hui à dans un an.")
        return last_day

    def end_links(self, portfolio: Portfolio) -> None:
        portfolio.link_generation += 1
        self.store.add(portfolio)

    def shown_activity(self, record: AwardRecord) -> str:
        project = self._project(record)
        return project[1] if project else ""

    def shown_on(self, portfolio_id: uuid.UUID, link: str = "") -> list[AwardRecord]:
        """The awards that an open page shows, or that page by its link for one reader, in its order."""
        page = self.open_by_link(portfolio_id, link) if link else self.open_page(portfolio_id)
        return [each.record for each in page.pieces]

    def page(self, portfolio: Portfolio) -> PortfolioPage:
        """As visitors see it, open or not."""
        person = self.people.get(portfolio.person_id)
        pieces = [each for each in self.pieces(portfolio) if each.is_open]
        sections = [each for each in self._sections(portfolio, pieces) if each.pieces]
        return PortfolioPage(portfolio, shown_name(person, portfolio.naming), sections)

    def open_in(self, campus: Campus) -> Iterator[PortfolioPage]:
        """Every open portfolio with a badge of the campus, complete with badges of other campuses."""
        after = uuid.UUID(int=0)
        while page := self.store.open_in(campus.id, after=after, limit=_AT_A_TIME):
            yield from map(self.open_page, page)
            after = page[-1]

    def overview(self, records: Iterable[AwardRecord]) -> list[Mastered]:
        """The competencies that these awards attest, with their evidence."""
        return overview_of(
            (record, self.badges.competencies_of(record.version), self.shown_hours(record))
            for record in records
        )

    def shown_hours(self, record: AwardRecord) -> float | None:
        """The hours of an award, unless hidden by its holder."""
        disclosed = self.reissuing.disclosed_of(record)
        return None if disclosed.activity is DisclosedContent.EXISTENCE else record.award.hours

    def _project(self, record: AwardRecord) -> tuple[uuid.UUID, str] | None:
        """The activity, if its holder discloses it."""
        if (
            record.activity is None
            or self.reissuing.disclosed_of(record).activity is not DisclosedContent.ALL
        ):
            return None
        activity, _ = self.reissuing.logged_activity(record)
        return record.activity.id, (activity or record.activity).title

    def count_found_by_search(self) -> int:
        return self.store.count_found_by_search()

    def found_by_search(self, *, limit: int, start: int = 0) -> list[uuid.UUID]:
        """Open portfolios with search indexing enabled, newest first."""
        return self.store.found_by_search(limit=limit, start=start)

    # --- for the owner

    def get(self, portfolio_id: uuid.UUID) -> Portfolio:
        return self.store.get(portfolio_id)

    def records_of(self, award_ids: Sequence[uuid.UUID]) -> list[AwardRecord]:
        """In the requested order; omits deleted ones."""
        found = self.store.records(award_ids)
        return [found[each] for each in award_ids if each in found]

    def awards_of(self, person_id: uuid.UUID) -> list[uuid.UUID]:
        return self.store.awards_of(person_id)

    def find_of(self, person: Person) -> Portfolio | None:
        return self.store.find_of(person.id)

    def start(self, person: Person, award_ids: Sequence[uuid.UUID]) -> Portfolio:
        """Create the person's only portfolio, closed, with those of these awards that have a public page.

        It names a person whom one of these badges names: where their name is in none, they chose so.
        """
        portfolio = self.store.find_of(person.id)
        if portfolio is not None:
            return portfolio
        records = self.records_of(award_ids)
        is_named = any(each.award.holder_name for each in records) or (not records and person.allows_name)
        naming = Naming.SHORT if is_named else Naming.NONE
        portfolio = Portfolio(person_id=person.id, naming=naming, created_at=self.clock())
        self.store.add(portfolio)
        for record in records:
            if record.award.visibility is Visibility.OPEN:
                self.put_in(portfolio, record.award.id)
        return portfolio

    def wish(self, portfolio: Portfolio, wishes: Wishes) -> None:
        check_line(wishes.line)
        self._check_of_child(portfolio, wishes.line)
        if wishes.is_findable and not portfolio.is_findable:
            self.check_may_be_shown(portfolio)
        portfolio.line, portfolio.naming = wishes.line, wishes.naming
        portfolio.grouping, portfolio.is_findable = wishes.grouping, wishes.is_findable
        portfolio.layout = wishes.layout.value
        self.store.add(portfolio)

    def _check_of_child(self, portfolio: Portfolio, text: str) -> None:
        person = self.people.get(portfolio.person_id)
        if needs_parent(person) and tells_of(text, person):
            raise InvalidInput("Avant 15 ans, n’écris ici ni nom, ni âge, ni classe, ni école.")

    def _check_words_of_child(self, portfolio: Portfolio) -> None:
        for each in (portfolio.line, *(group.title for group in self.store.groups_of(portfolio.id))):
            self._check_of_child(portfolio, each)

    def check_may_be_shown(self, portfolio: Portfolio) -> None:
        """Raises ParentNeeded for a child under 15 without parental consent."""
        person = self.people.get(portfolio.person_id)
        check_may_show_further(person, self.consents.of_person(person.id))

    def set_open(self, portfolio: Portfolio, is_open: bool) -> None:
        if is_open and not portfolio.is_open:
            self.people.lock_all([portfolio.person_id])
            self.check_may_be_shown(portfolio)
            self._check_words_of_child(portfolio)
        portfolio.is_open = is_open
        self.store.add(portfolio)

    def put_in(self, portfolio: Portfolio, award_id: uuid.UUID) -> None:
        """Raises NotFound for another person's badge."""
        record = self.store.records([award_id]).get(award_id)
        if record is None or record.person.id != portfolio.person_id:
            raise NotFound("Il n’y a pas de badge à cette adresse.")
        held = self.store.pieces_of(portfolio.id)
        if any(each.award_id == award_id for each in held):
            return
        check_room(held, MOST_PIECES)
        piece = PortfolioPiece(portfolio_id=portfolio.id, award_id=award_id)
        place(held, piece, before=None)
        self.store.add(piece, *held)

    def take_out(self, portfolio: Portfolio, piece_id: uuid.UUID) -> None:
        self.store.remove(_among(self.store.pieces_of(portfolio.id), piece_id))

    def move(self, portfolio: Portfolio, piece_id: uuid.UUID, neighbour: uuid.UUID, *, before: bool) -> None:
        """Directly before or after another badge."""
        pieces = self.store.pieces_of(portfolio.id)
        _move(pieces, _among(pieces, piece_id), _among(pieces, neighbour), before=before)
        self.store.add(*pieces)

    def put_under(self, portfolio: Portfolio, piece_id: uuid.UUID, group_id: uuid.UUID | None) -> None:
        piece = _among(self.store.pieces_of(portfolio.id), piece_id)
        if group_id is not None:
            _among(self.store.groups_of(portfolio.id), group_id)
        piece.group_id = group_id
        self.store.add(piece)

    def groups_of(self, portfolio: Portfolio) -> Sequence[PortfolioGroup]:
        return self.store.groups_of(portfolio.id)

    def add_group(self, portfolio: Portfolio, title: str) -> None:
        check_title(title)
        self._check_of_child(portfolio, title)
        self.people.lock_all([portfolio.person_id])
        groups = self.store.groups_of(portfolio.id)
        if any(each.title == title for each in groups):
            return  # sent twice
        check_room(groups, MOST_GROUPS)
        group = PortfolioGroup(portfolio_id=portfolio.id, title=title)
        place(groups, group, before=None)
        portfolio.grouping = Grouping.OWN
        self.store.add(portfolio, group, *groups)

    def rename_group(self, portfolio: Portfolio, group_id: uuid.UUID, title: str) -> None:
        check_title(title)
        self._check_of_child(portfolio, title)
        group = _among(self.store.groups_of(portfolio.id), group_id)
        group.title = title
        self.store.add(group)

    def move_group(
        self, portfolio: Portfolio, group_id: uuid.UUID, neighbour: uuid.UUID, *, before: bool
    ) -> None:
        groups = self.store.groups_of(portfolio.id)
        _move(groups, _among(groups, group_id), _among(groups, neighbour), before=before)
        self.store.add(*groups)

    def remove_group(self, portfolio: Portfolio, group_id: uuid.UUID) -> None:
        """Its badges stay in the portfolio, ungrouped."""
        group = _among(self.store.groups_of(portfolio.id), group_id)
        for piece in self.store.pieces_of(portfolio.id):
            if piece.group_id == group.id:
                piece.group_id = None
                self.store.add(piece)
        self.store.remove(group)

    def sections(self, portfolio: Portfolio) -> list[Section]:
        """Everything in it, public or not, in the owner's order."""
        return list(self._sections(portfolio, self.pieces(portfolio)))

    def pieces(self, portfolio: Portfolio) -> list[PieceOf]:
        pieces = self.store.pieces_of(portfolio.id)
        records = self.store.records([each.award_id for each in pieces])
        return [PieceOf(each, records[each.award_id]) for each in pieces if each.award_id in records]

    def _sections(self, portfolio: Portfolio, pieces: Sequence[PieceOf]) -> Iterator[Section]:
        match portfolio.grouping:
            case Grouping.OWN:
                groups = self.store.groups_of(portfolio.id)
                for group in groups:
                    under = [each for each in pieces if each.piece.group_id == group.id]
                    yield Section(group.title, under, group)
                left = [each for each in pieces if each.piece.group_id is None]
            case Grouping.PROJECT:
                titled = [(each, [self._project(each.record)]) for each in pieces]
                yield from _titled(titled)
                left = [each for each, (title,) in titled if title is None]
            case Grouping.COMPETENCY:
                attested = [(each, self._competencies(each.record)) for each in pieces]
                yield from _titled(attested)
                left = [each for each, titles in attested if not titles]
            case _:
                left = list(pieces)
        if left:
            yield Section("", left)

    def _competencies(self, record: AwardRecord) -> list[tuple[uuid.UUID, str] | None]:
        return [
            (competency.id, competency.statement)
            for _, competency, _ in self.badges.competencies_of(record.version)
        ]


def _titled(
    pieces: Sequence[tuple[PieceOf, Sequence[tuple[uuid.UUID, str] | None]]],
) -> Iterator[Section]:
    """Sections in order of their first badge."""
    titles = {key: title for _, keys in pieces for each in keys if each for key, title in [each]}
    for key, title in titles.items():
        yield Section(
            title, [piece for piece, keys in pieces if any(each and each[0] == key for each in keys)]
        )


def _among(rows: Sequence[Row], wanted: uuid.UUID) -> Row:
    found = next((each for each in rows if each.id == wanted), None)
    if found is None:
        raise NotFound("Ce n’est plus dans votre portfolio.")
    return found


def _move(rows: Sequence[Row], moved: Row, neighbour: Row, *, before: bool) -> None:
    order = [each for each in rows if each is not moved]
    at = order.index(neighbour) + (0 if before else 1) if neighbour in order else len(order)
    place(rows, moved, before=order[at] if at < len(order) else None)


def _day_of(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


@dataclass(frozen=True)
class SharedCompetencies:
    awards: AwardStore
    consents: ConsentStore
    portfolios: PortfolioService
    clock: Clock

    def is_allowed(self, person_id: uuid.UUID, campus_id: uuid.UUID) -> bool:
        """The newest answer counts."""
        for each in self.consents.of_person(person_id):
            if each.about is About.COMPETENCIES and each.campus_id == campus_id:
                return each.given
        return False

    def allow(self, person: Person, campus: Campus, *, allowed: bool, by: Actor) -> None:
        """Idempotent. `by` is the person themself, in a session that may speak for all their badges."""
        if allowed and needs_parent(person):
            raise NotAllowed("Avant 15 ans, aucun logiciel ne lit tes compétences.")
        if by.person_id not in (None, person.id):
            raise NotAllowed("Seule la personne peut donner cet accord.")
        if self.is_allowed(person.id, campus.id) is not allowed:
            self.consents.add(
                consent(About.COMPETENCIES, person.id, given=allowed, at=self.clock(), campus_id=campus.id)
            )

    def read(self, campus: Campus, person_id: uuid.UUID) -> Sequence[Mastered]:
        """From the campus's valid awards alone. A person it does not know is NotFound, before any consent."""
        now = self.clock()
        records = [each for each in self.awards.list_of_person(person_id) if each.campus.id == campus.id]
        if not records:
            raise NotFound("Cette personne n’a aucun badge de ce campus.")
        if needs_parent(records[0].person) or not self.is_allowed(person_id, campus.id):
            raise NotAllowed(
                "Cette personne n’a pas accepté que les logiciels du campus lisent ses compétences."
            )
        return self.portfolios.overview(each for each in records if is_in_force(each.award, at=now))
