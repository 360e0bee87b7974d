"""Portfolios: a person's page of badges, in their own order and groups."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Text
from sqlmodel import CheckConstraint, Field, Index, SQLModel, UniqueConstraint

from app.domain.activities import Activity, PartKind
from app.domain.core import enum_column, foreign_key, json_column, new_id, utc_datetime
from app.domain.learners.requests import read_links
from app.domain.people import Person, family_initial, name_key
from app.errors import Conflict, InvalidInput, NotAllowed

MOST_PIECES: Final = 60
MOST_GROUPS: Final = 12
LONGEST_LINE: Final = 300
LONGEST_TITLE: Final = 80


class Grouping(StrEnum):
    """How badges are grouped; only custom groups fix a badge's position."""

    NONE = "none"
    COMPETENCY = "competency"
    PROJECT = "project"
    OWN = "own"


class Naming(StrEnum):
    """How the person is called at the top of the page."""

    FULL = "full"
    SHORT = "short"
    NONE = "none"


class Layout(StrEnum):
    """How the public page shows the badges."""

    BANDS = "bands"
    GALLERY = "gallery"
    LIST = "list"


LONGEST_LINK_DAYS: Final = 366


def reader_link_proof(secret: bytes, portfolio: Portfolio, last_day: date) -> str:
    """The unguessable part of a link for one reader: derived, never stored."""
    message = f"portfolio-link|{portfolio.id}|{portfolio.link_generation}|{last_day.isoformat()}"
    return hmac.new(secret, message.encode(), hashlib.sha256).hexdigest()[:40]


class Portfolio(SQLModel, table=True):
    """Closed until its owner opens it; `is_findable` allows search engines once it is open."""

    __tablename__ = "portfolio"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    line: str = Field(default="", max_length=LONGEST_LINE)
    naming: Naming = Field(default=Naming.SHORT, sa_column=enum_column(Naming, name="portfolio_naming"))
    grouping: Grouping = Field(
        default=Grouping.NONE, sa_column=enum_column(Grouping, name="portfolio_grouping")
    )
    layout: str = Field(default=Layout.BANDS.value, max_length=16)
    is_open: bool = False
    is_findable: bool = False
    link_generation: int = 0
    """Links for one reader hold for one generation: the next one ends them all."""
    created_at: datetime = Field(sa_column=utc_datetime())


class PortfolioGroup(SQLModel, table=True):
    __tablename__ = "portfolio_group"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    portfolio_id: uuid.UUID = Field(sa_column=foreign_key("portfolio"))
    title: str = Field(max_length=LONGEST_TITLE)
    position: int = 0


class PortfolioPiece(SQLModel, table=True):
    """One badge in a portfolio: shown only while its own page is open."""

    __tablename__ = "portfolio_piece"
    __table_args__ = (UniqueConstraint("portfolio_id", "award_id", name="one_place_in_a_portfolio"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    portfolio_id: uuid.UUID = Field(sa_column=foreign_key("portfolio"))
    award_id: uuid.UUID = Field(sa_column=foreign_key("award"))
    group_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("portfolio_group", nullable=True))
    position: int = 0


def shown_name(person: Person, naming: Naming) -> str:
    """« Zoé N’Diaye », « Zoé N. », or empty; never the name of a child under 15."""
    if naming is Naming.NONE or person.needs_guardian:
        return ""
    if naming is Naming.FULL or not person.given_name:
        return person.name
    return f"{person.given_name} {family_initial(person.family_name)}".strip()


def check_line(line: str) -> None:
    if len(line) > LONGEST_LINE:
        raise InvalidInput("Votre phrase tient en {most} signes.", most=LONGEST_LINE)


def check_title(title: str) -> None:
    if not title:
        raise InvalidInput("Un groupe a un titre.")
    if len(title) > LONGEST_TITLE:
        raise InvalidInput("Le titre d’un groupe tient en {most} signes.", most=LONGEST_TITLE)


def check_room(held: Sequence[object], most: int) -> None:
    if len(held) >= most:
        raise Conflict("Il n’y a plus de place : {most} au plus.", most=most)


PlacedAward = PortfolioPiece | PortfolioGroup


def place(rows: Sequence[PlacedAward], moved: PlacedAward, *, before: PlacedAward | None) -> None:
    """Renumber the ordered `rows` with `moved` just before another one, or at the end."""
    left = [each for each in rows if each is not moved]
    at = left.index(before) if before in left else len(left)
    for position, each in enumerate([*left[:at], moved, *left[at:]]):
        each.position = position


MOST_OF_ONE_PERSON: Final = 40
MOST_BY_APPLICATIONS: Final = 20
"""Of those; only the person fills the rest."""
_AGAIN: Final = timedelta(days=7)
_SOON: Final = timedelta(days=1)
_SPREAD: Final = timedelta(hours=24)


class Belonging(StrEnum):
    """Whether the badge identifies its holder: by an address they verified here, or not at all."""

    THEIRS = "theirs"
    ANOTHERS = "anothers"
    UNSAID = "unsaid"


class ImportedBadge(SQLModel, table=True):
    """`verdict` is a headline and `place` its subject, as of `checked_at`; always shown with that day.

    `content` is the credential, extracted from its container. `is_shown`: in the portfolio, while that is
    open.
    """

    __tablename__ = "brought_badge"
    __table_args__ = (UniqueConstraint("person_id", "digest", name="one_copy_of_a_brought_badge"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    digest: str = Field(max_length=64)
    content: str = Field(sa_type=Text)
    title: str = Field(max_length=250)
    issuer_name: str = Field(default="", max_length=250)
    awarded_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    verdict: str = Field(max_length=40)
    place: str = Field(default="", max_length=200)
    belongs: Belonging = Field(sa_column=enum_column(Belonging, name="brought_badge_belongs"))
    holder_name: str | None = Field(default=None, max_length=250)
    """The name in the badge, empty if it has none; None until it has been read."""
    is_shown: bool = False
    app_id: uuid.UUID | None = None
    """The connected application that added it; it may have been removed since."""
    brought_at: datetime = Field(sa_column=utc_datetime())
    checked_at: datetime = Field(sa_column=utc_datetime())
    check_again_at: datetime = Field(sa_column=utc_datetime(index=True))

    @property
    def may_be_shown(self) -> bool:
        """Withheld if it names another person or address, and until that has been read."""
        return self.holder_name is not None and self.belongs is not Belonging.ANOTHERS


def names_person(holder_name: str, name: str) -> bool:
    """Whether a name in a badge may be this one: same tokens, or all tokens of the shorter name."""
    named = set(name_key(holder_name, "").split())
    known = set(name_key(name, "").split())
    shorter, longer = sorted((named, known), key=len)
    return named == known or (len(shorter) > 1 and shorter <= longer)


def next_check(badge_id: uuid.UUID, *, is_open: bool, at: datetime) -> datetime:
    """A week later, or a day after a failed check; spread over a day, to avoid bursts to one issuer."""
    share = badge_id.int % 1_000 / 1_000
    return at + (_SOON if is_open else _AGAIN) + _SPREAD * share


MAX_CONTRIBUTION_TITLE, LONGEST_TELLING, LONGEST_ANSWER = 200, 1000, 1000
SHORTEST_TELLING, SHORTEST_ANSWER = 20, 5
LATE_AFTER = timedelta(days=7)
MOST_OPEN = 20
"""Per person and campus: longer lists are not read."""


class ContributionState(StrEnum):
    WAITING = "waiting"
    MORE = "more"
    """A trainer asked for more; it is the person's turn."""
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"

    @property
    def is_open(self) -> bool:
        return self in (ContributionState.WAITING, ContributionState.MORE)


class Contribution(SQLModel, table=True):
    """`answer` is the campus's last answer; `badge_id` a badge that it counts for, in the trainer's view."""

    __tablename__ = "contribution"
    __table_args__ = (
        Index("contributions_of_campus", "campus_id", "state", "waiting_since"),
        CheckConstraint("hours IS NULL OR hours > 0", name="contribution_hours_are_positive"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    activity_id: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("activity", nullable=True, index=False)
    )
    badge_id: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("badge", nullable=True, index=False)
    )
    title: str = Field(max_length=MAX_CONTRIBUTION_TITLE)
    telling: str = Field(max_length=LONGEST_TELLING)
    part: PartKind = Field(sa_column=enum_column(PartKind, name="contribution_part"))
    done_on: date
    hours: float | None = None
    links: list[str] = Field(default_factory=list, sa_column=json_column())
    state: ContributionState = Field(
        default=ContributionState.WAITING, sa_column=enum_column(ContributionState, name="contribution_state")
    )
    created_at: datetime = Field(sa_column=utc_datetime())
    waiting_since: datetime = Field(sa_column=utc_datetime())
    answer: str = Field(default="", max_length=LONGEST_ANSWER)
    decided_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    decided_by: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("person", nullable=True, index=False)
    )


@dataclass(frozen=True)
class ContributionStatement:
    """The parsed form of a contribution."""

    title: str
    telling: str
    part: PartKind
    done_on: date
    hours: float | None = None
    links: str = ""


def write(
    contribution: Contribution, statement: ContributionStatement, activity: Activity | None, *, today: date
) -> None:
    """Raises InvalidInput for impossible values; nothing is written then."""
    check_contribution_title(statement.title)
    check_telling(statement.telling)
    check_done_on(statement.done_on, today=today)
    check_hours(statement.hours)
    links = read_links(statement.links)
    contribution.title, contribution.telling = statement.title.strip(), statement.telling.strip()
    contribution.part, contribution.done_on, contribution.hours = (
        statement.part,
        statement.done_on,
        statement.hours,
    )
    contribution.links = links
    contribution.activity_id = activity.id if activity else None


def check_contribution_title(title: str) -> None:
    if not title.strip():
        raise InvalidInput("Donnez un titre à ce que vous avez fait.")
    if len(title) > MAX_CONTRIBUTION_TITLE:
        raise InvalidInput("Le titre tient en {most} signes.", most=MAX_CONTRIBUTION_TITLE)


def check_telling(telling: str) -> None:
    if len(telling.strip()) < SHORTEST_TELLING:
        raise InvalidInput("Racontez ce que vous avez fait : au moins une phrase.")
    if len(telling) > LONGEST_TELLING:
        raise InvalidInput("Le récit tient en {most} signes.", most=LONGEST_TELLING)


def check_done_on(done_on: date, *, today: date) -> None:
    if done_on > today:
        raise InvalidInput("Ce jour n’est pas encore venu.")


def check_hours(hours: float | None) -> None:
    if hours is not None and not 0 < hours <= 1000:
        raise InvalidInput("Le nombre d’heures est compris entre 0 et 1 000.")


def check_may_complete(contribution: Contribution) -> None:
    if not contribution.state.is_open:
        raise Conflict("Cette contribution est décidée : elle ne change plus.")


def completed(contribution: Contribution, *, at: datetime) -> None:
    if contribution.state is ContributionState.MORE:
        contribution.state, contribution.waiting_since = ContributionState.WAITING, at


def withdraw(contribution: Contribution, *, at: datetime) -> None:
    """Idempotent."""
    if contribution.state is ContributionState.WITHDRAWN:
        return
    check_may_complete(contribution)
    contribution.state, contribution.decided_at = ContributionState.WITHDRAWN, at


# --- by the campus


def check_may_decide(contribution: Contribution, trainer_id: uuid.UUID | None) -> None:
    if trainer_id is None:
        raise NotAllowed("Une contribution est confirmée par une personne.")
    if contribution.person_id == trainer_id:
        raise NotAllowed("C’est votre propre contribution : une autre personne la confirme.")


def decide(
    contribution: Contribution,
    state: ContributionState,
    answer: str,
    *,
    trainer_id: uuid.UUID | None,
    at: datetime,
) -> None:
    """Confirm, decline or return with a question; a text is required except for a confirmation."""
    check_may_decide(contribution, trainer_id)
    check_may_complete(contribution)
    if contribution.state is ContributionState.MORE and state is ContributionState.MORE:
        raise Conflict("La personne a été invitée à compléter : attendez sa réponse.")
    if state is not ContributionState.CONFIRMED:
        check_answer(answer)
    elif len(answer) > LONGEST_ANSWER:
        raise InvalidInput("La réponse tient en {most} signes.", most=LONGEST_ANSWER)
    contribution.state, contribution.answer, contribution.waiting_since = state, answer.strip(), at
    if not state.is_open:
        contribution.decided_at, contribution.decided_by = at, trainer_id


def check_answer(answer: str) -> None:
    if len(answer.strip()) < SHORTEST_ANSWER:
        raise InvalidInput("Dites pourquoi, en une phrase : la personne la lira.")
    if len(answer) > LONGEST_ANSWER:
        raise InvalidInput("La réponse tient en {most} signes.", most=LONGEST_ANSWER)


def check_may_correct(contribution: Contribution, trainer_id: uuid.UUID | None) -> None:
    check_may_decide(contribution, trainer_id)
    if contribution.state is not ContributionState.CONFIRMED:
        raise Conflict("Seule une contribution confirmée se corrige : les autres ne sont pas au journal.")


def reopen(contribution: Contribution, *, at: datetime) -> None:
    """Clears the decision so that another person can make it."""
    contribution.state, contribution.waiting_since = ContributionState.WAITING, at
    contribution.decided_at = contribution.decided_by = None


def counts_for(contribution: Contribution, *, activity_id: uuid.UUID | None, badge_id: uuid.UUID) -> bool:
    """Whether an award of that badge for that activity may rest on it."""
    return contribution.state is ContributionState.CONFIRMED and (
        contribution.badge_id == badge_id
        or (contribution.activity_id is not None and contribution.activity_id == activity_id)
    )


def open_ones(contributions: Sequence[Contribution]) -> int:
    return sum(1 for each in contributions if each.state.is_open)
