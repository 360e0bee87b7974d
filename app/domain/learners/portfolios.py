"""Portfolios: the page on which one person shows badges together, in an order and in groups of their own."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlmodel import Field, SQLModel, UniqueConstraint

from app.domain.core.columns import moment, new_id, points_to, word_of
from app.domain.people.people import Person
from app.errors import Conflict, InvalidInput
from app.language import N_

MOST_PIECES: Final = 60
MOST_GROUPS: Final = 12
LONGEST_LINE: Final = 300
LONGEST_TITLE: Final = 80


class Grouping(StrEnum):
    """What puts badges together on the page; only in groups of one's own does a badge stay where it was put."""

    NONE = "none"
    COMPETENCY = "competency"
    PROJECT = "project"
    OWN = "own"


class Naming(StrEnum):
    """How the person is called at the top of the page."""

    FULL = "full"
    SHORT = "short"
    NONE = "none"


class Portfolio(SQLModel, table=True):
    """Shut until its keeper opens it; `is_findable` lets search engines in once it is open."""

    __tablename__ = "portfolio"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    person_id: uuid.UUID = Field(sa_column=points_to("person"))
    line: str = Field(default="", max_length=LONGEST_LINE)
    naming: Naming = Field(default=Naming.SHORT, sa_column=word_of(Naming, name="portfolio_naming"))
    grouping: Grouping = Field(default=Grouping.NONE, sa_column=word_of(Grouping, name="portfolio_grouping"))
    is_open: bool = False
    is_findable: bool = False
    created_at: datetime = Field(sa_column=moment())


class PortfolioGroup(SQLModel, table=True):
    __tablename__ = "portfolio_group"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    portfolio_id: uuid.UUID = Field(sa_column=points_to("portfolio"))
    title: str = Field(max_length=LONGEST_TITLE)
    position: int = 0


class PortfolioPiece(SQLModel, table=True):
    """One badge in a portfolio: shown while its own page is open, whatever stands here."""

    __tablename__ = "portfolio_piece"
    __table_args__ = (UniqueConstraint("portfolio_id", "award_id", name="one_place_in_a_portfolio"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    portfolio_id: uuid.UUID = Field(sa_column=points_to("portfolio"))
    award_id: uuid.UUID = Field(sa_column=points_to("award"))
    group_id: uuid.UUID | None = Field(default=None, sa_column=points_to("portfolio_group", nullable=True))
    position: int = 0


def shown_name(person: Person, naming: Naming) -> str:
    """« Zoé N’Diaye », « Zoé N. », or nothing; never the name of a child under 15."""
    if naming is Naming.NONE or person.needs_guardian:
        return ""
    if naming is Naming.FULL or not person.given_name:
        return person.name
    return f"{person.given_name} {person.family_name[:1]}."


def check_line(line: str) -> None:
    if len(line) > LONGEST_LINE:
        raise InvalidInput(N_("Votre phrase tient en {most} signes."), most=LONGEST_LINE)


def check_title(title: str) -> None:
    if not title:
        raise InvalidInput(N_("Un groupe a un titre."))
    if len(title) > LONGEST_TITLE:
        raise InvalidInput(N_("Le titre d’un groupe tient en {most} signes."), most=LONGEST_TITLE)


def check_room(held: Sequence[object], most: int) -> None:
    if len(held) >= most:
        raise Conflict(N_("Il n’y a plus de place : {most} au plus."), most=most)


Placed = PortfolioPiece | PortfolioGroup


def place(rows: Sequence[Placed], moved: Placed, *, before: Placed | None) -> None:
    """Number `rows`, which stand in their order, anew with `moved` just before another one, or at the end."""
    left = [each for each in rows if each is not moved]
    at = left.index(before) if before in left else len(left)
    for position, each in enumerate([*left[:at], moved, *left[at:]]):
        each.position = position
