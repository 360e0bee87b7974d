"""Survey of participants: opened for an activity, answered once per device or participant, closed at a date.

Answers are stored apart from who answered, without a time. While the survey is open, the database keeps digests
of who has answered: their order of storage could be compared with that of the answers. Closing deletes them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlmodel import CheckConstraint, Field, SQLModel

from app.domain.core import ALPHABET, enum_column, foreign_key, primary_foreign_key, utc_datetime
from app.errors import Conflict, InvalidInput, NotFound
from app.language import N_

CODE_LENGTH: Final = 6
LONGEST_SENTENCE: Final = 140
MOST_ANSWERS: Final = 5_000
FEWEST_ACCEPTED: Final = 30
"""Answers taken whatever the number of people present, which may be unknown yet."""
FEWEST_FOR_PERCENT: Final = 10
FEWEST_FOR_SPLIT: Final = 5
"""Fewer answers could be attributed to persons, and so could fewer than these between two readings."""
OPEN_FOR: Final = timedelta(days=7)
LONGEST_OPEN: Final = timedelta(days=90)
RATINGS: Final = {
    4: N_("Oui, tout à fait"),
    3: N_("Plutôt oui"),
    2: N_("Plutôt non"),
    1: N_("Non, pas du tout"),
}
_MEANT = str.maketrans({"O": "0", "I": "1", "L": "1"})


class SentenceState(StrEnum):
    """A sentence is quoted only once staff have approved it."""

    NONE = "none"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class SurveyLink(SQLModel, table=True):
    """The survey of an activity: `code` is in its QR code. Open until the end of `closes_on`, or `closed_at`."""

    __tablename__ = "survey_link"
    activity_id: uuid.UUID = Field(sa_column=primary_foreign_key("activity"))
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    code: str = Field(max_length=CODE_LENGTH, unique=True)
    opened_at: datetime = Field(sa_column=utc_datetime())
    closes_on: date
    closed_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    mailed_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


class SurveyTurnout(SQLModel, table=True):
    """A device or a participant that has answered, as a keyed digest that differs for each activity.

    Deleted when the survey closes.
    """

    __tablename__ = "survey_turnout"
    activity_id: uuid.UUID = Field(sa_column=primary_foreign_key("activity"))
    digest: str = Field(primary_key=True, max_length=64)


class SurveyAnswer(SQLModel, table=True):
    __tablename__ = "survey_answer"
    __table_args__ = (CheckConstraint("rating BETWEEN 1 AND 4", name="rating_is_of_four"),)
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    """Random, unlike other keys: it must not order answers by time."""
    activity_id: uuid.UUID = Field(sa_column=foreign_key("activity"))
    rating: int
    recommends: bool
    sentence: str = Field(default="", max_length=LONGEST_SENTENCE)
    sentence_state: SentenceState = Field(
        default=SentenceState.NONE, sa_column=enum_column(SentenceState, name="survey_sentence_state")
    )
    is_counted: bool = False
    """In what is shown, which grows by five: one answer more would be that of the last to answer."""


OF_SURVEY: Final = (SurveyTurnout, SurveyAnswer, SurveyLink)
"""Tables of the survey of one activity."""


class NoSuchSurvey(NotFound): ...


class SurveyClosed(Conflict): ...


class AlreadyAnswered(Conflict): ...


@dataclass(frozen=True)
class Answer:
    rating: int
    recommends: bool
    sentence: str = ""


@dataclass(frozen=True)
class SurveyResults:
    """`answers`: not at all, rather not, rather, fully, of those that are counted. `asked`: people present.
    `received`: with those that wait until there are five more."""

    asked: int = 0
    answers: tuple[int, int, int, int] = (0, 0, 0, 0)
    recommends: int = 0
    recommends_not: int = 0
    received: int = 0

    @property
    def answered(self) -> int:
        return sum(self.answers)

    @property
    def are_five_waiting(self) -> bool:
        return self.received - self.answered >= FEWEST_FOR_SPLIT

    @property
    def shows_split(self) -> bool:
        return self.answered >= FEWEST_FOR_SPLIT

    @property
    def has_too_many(self) -> bool:
        """More answers than people present."""
        return self.received > self.asked

    @property
    def favourable(self) -> int | None:
        """Per cent of favourable answers; None below 10 answers."""
        return self._percent(self.answers[2] + self.answers[3], self.answered)

    @property
    def recommendation(self) -> int | None:
        return self._percent(self.recommends, self.recommends + self.recommends_not)

    def _percent(self, part: int, total: int) -> int | None:
        return (200 * part + total) // (2 * total) if total >= FEWEST_FOR_PERCENT else None


def new_survey_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def read_survey_code(typed: str) -> str:
    signs = typed.upper().replace("-", "").translate(_MEANT)
    if len(signs) != CODE_LENGTH or any(sign not in ALPHABET for sign in signs):
        raise NoSuchSurvey(N_("Cette enquête n’existe pas. Lisez le code à nouveau."))
    return signs


def check_closing_day(day: date, *, today: date) -> None:
    if not today <= day <= today + LONGEST_OPEN:
        raise InvalidInput("L’enquête se ferme aujourd’hui ou plus tard, dans 90 jours au plus.")


def is_survey_open(survey: SurveyLink, *, today: date) -> bool:
    return survey.closed_at is None and today <= survey.closes_on


def check_survey_open(survey: SurveyLink, *, today: date) -> None:
    if not is_survey_open(survey, today=today):
        raise SurveyClosed(N_("L’enquête est fermée. Merci d’avoir voulu répondre."))


def most_answers(present: int) -> int:
    return min(MOST_ANSWERS, max(FEWEST_ACCEPTED, 2 * present))


def check_answer(answer: Answer, *, asks_sentence: bool) -> None:
    if answer.rating not in RATINGS:
        raise InvalidInput("Choisissez un visage.")
    if answer.sentence and not asks_sentence:
        raise InvalidInput("Aucune phrase n’est demandée dans cette enquête.")
    if len(answer.sentence) > LONGEST_SENTENCE:
        raise InvalidInput("Votre phrase est trop longue : 140 signes au plus.")


def device_digest(secret: bytes, activity_id: uuid.UUID, phone: str) -> str:
    return _mac(secret, b"survey-device|" + activity_id.bytes + phone.encode())


def participant_digest(secret: bytes, mark: str) -> str:
    return _mac(secret, b"survey-participant|" + mark.encode("utf-8", "surrogateescape"))


def participant_mark(secret: bytes, activity_id: uuid.UUID, participation_id: uuid.UUID) -> str:
    """In the link sent to one participant: reveals nothing and opens only this survey."""
    return _mac(secret, b"survey-mark|" + activity_id.bytes + participation_id.bytes)[:24]


def _mac(secret: bytes, content: bytes) -> str:
    return hmac.new(secret, content, hashlib.sha256).hexdigest()
