"""People with the same name: the user's choice of whom a list line refers to."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlmodel import Field, SQLModel

from app.domain.activities.activities import Participation
from app.domain.core import foreign_key, primary_foreign_key, utc_datetime
from app.domain.people.people import Person
from app.language import N_

OTHER = "autre"
"""The answer that it is another person of that name."""
ALREADY_KNOWN = N_(
    "Ce nom ou cette adresse e-mail est déjà connu du campus : dites si c’est la même personne."
)
SEVERAL_OF_NAME = N_(
    "Plusieurs personnes de ce nom sont inscrites à cette activité : dites laquelle, dans la lecture de la liste ou parmi les inscrits, ou ajoutez son adresse."
)


class ListAnswer(SQLModel, table=True):
    """The person chosen for one line of a list with an ambiguous name."""

    __tablename__ = "list_answer"
    activity_id: uuid.UUID = Field(sa_column=primary_foreign_key("activity"))
    list_digest: str = Field(primary_key=True, max_length=64)
    line: int = Field(primary_key=True)
    participation_id: uuid.UUID = Field(sa_column=foreign_key("participation"))
    answered_at: datetime = Field(sa_column=utc_datetime())


@dataclass(frozen=True)
class ListAnswers:
    """The choices for the lines of one list, by line number: a person's id, or OTHER."""

    list_digest: str = ""
    by_line: Mapping[int, str] = field(default_factory=dict)


NO_ANSWERS = ListAnswers()


@dataclass(frozen=True)
class VisibleName:
    """An activity in which the person took part."""

    title: str
    on: date
    number: int = 1
    """Among the people of that name in the activity."""


@dataclass(frozen=True)
class Namesake:
    """A person with that name; `participation` is theirs in the current activity, if any."""

    person: Person
    participation: Participation | None = None
    address: str = ""
    seen: VisibleName | None = None
    """The latest activity elsewhere in the campus."""


@dataclass(frozen=True)
class Question:
    """Which of them is meant? Unanswered: writes nothing if `must_be_answered`, else a new person."""

    namesakes: tuple[Namesake, ...]
    must_be_answered: bool
    answer: str = ""

    @property
    def is_open(self) -> bool:
        return self.must_be_answered and not self.answer

    def meant(self, answer: str) -> Namesake | None:
        return next((each for each in self.namesakes if str(each.person.id) == answer), None)


def digest_of_list(text: str) -> str:
    """The same whether a list is uploaded, pasted or returned by a form."""
    lines = [line.rstrip() for line in text.lstrip("\ufeff").splitlines()]
    return hashlib.sha256("\n".join(line for line in lines if line).encode()).hexdigest()
