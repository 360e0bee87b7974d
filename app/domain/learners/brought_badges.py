"""Badges that people bring from elsewhere: kept as they were signed, judged again now and then, shown by their choice."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Text
from sqlmodel import Field, SQLModel, UniqueConstraint

from app.domain.core.columns import moment, new_id, points_to, word_of
from app.domain.people.people import Person, name_key

MOST_OF_ONE_PERSON: Final = 40
_AGAIN: Final = timedelta(days=7)
_SOON: Final = timedelta(days=1)
_SPREAD: Final = timedelta(hours=24)


class Belonging(StrEnum):
    """Whether the badge names the person: by an address of theirs that was verified here, or by nobody's."""

    THEIRS = "theirs"
    ANOTHERS = "anothers"
    UNSAID = "unsaid"


class BroughtBadge(SQLModel, table=True):
    """`verdict` is a kind of headline and `place` what it names, both as of `checked_at`: never shown without that day.

    `content` is the credential out of whatever it came in. `is_shown`: in the portfolio, while that is open.
    """

    __tablename__ = "brought_badge"
    __table_args__ = (UniqueConstraint("person_id", "digest", name="one_copy_of_a_brought_badge"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    person_id: uuid.UUID = Field(sa_column=points_to("person"))
    digest: str = Field(max_length=64)
    content: str = Field(sa_type=Text)
    title: str = Field(max_length=250)
    issuer_name: str = Field(default="", max_length=250)
    awarded_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    verdict: str = Field(max_length=40)
    place: str = Field(default="", max_length=200)
    belongs: Belonging = Field(sa_column=word_of(Belonging, name="brought_badge_belongs"))
    holder_name: str | None = Field(default=None, max_length=250)
    """The name in the badge, empty where it has none; None until that was read."""
    is_shown: bool = False
    brought_at: datetime = Field(sa_column=moment())
    checked_at: datetime = Field(sa_column=moment())
    check_again_at: datetime = Field(sa_column=moment(index=True))

    @property
    def may_be_shown(self) -> bool:
        """Held back where it names another person by name or by address, and until that was read."""
        return self.holder_name is not None and self.belongs is not Belonging.ANOTHERS


def names_person(holder_name: str, person: Person) -> bool:
    """Whether a name in a badge can be the person's: the same words, or all the words of the shorter of both."""
    named = set(name_key(holder_name, "").split())
    known = set(name_key(person.given_name, person.family_name).split())
    shorter, longer = sorted((named, known), key=len)
    return named == known or (len(shorter) > 1 and shorter <= longer)


def next_check(badge_id: uuid.UUID, *, is_open: bool, at: datetime) -> datetime:
    """A week later, a day where nothing could be said; spread over a day, so that no issuer is asked about all at once."""
    share = badge_id.int % 1_000 / 1_000
    return at + (_SOON if is_open else _AGAIN) + _SPREAD * share
