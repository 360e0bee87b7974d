"""What people and companies say in the demo: requests, portfolios, contributions, recommendations."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from app.domain.activities.activities import PartKind
from app.domain.learners.portfolios import Grouping, Naming
from demo.sections import Prose, Reference, Section, Slug


class Request(Section):
    """A badge that somebody asked for, so many days before the demo is loaded."""

    person: Slug
    badge: Reference
    days_ago: int = Field(ge=0)
    narrative: Prose
    links: tuple[Prose, ...] = ()


class Portfolio(Section):
    person: Slug
    line: Prose
    naming: Naming
    grouping: Grouping
    findable: bool


class Contribution(Section):
    """What somebody of an activity says they did; `person` is their place in its list, counted from one."""

    activity: Reference
    person: int = Field(ge=1)
    days_ago: int = Field(ge=0)
    title: Prose
    telling: Prose
    part: PartKind
    hours: float
    note: Prose = ""
    """The text of a file that goes with it."""
    links: tuple[Prose, ...] = ()
    confirmed: bool = False


class Endorsement(Section):
    """What a company says of a badge, or of the campus; one without words was asked and has not answered."""

    about: Slug | Reference
    organisation: Prose
    address: Annotated[str, StringConstraints(pattern=r"^[a-z.]+@[a-z0-9-]+\.exemple\.fr$")]
    role: str = ""
    words: str = ""
    days_ago: int = Field(ge=0)
