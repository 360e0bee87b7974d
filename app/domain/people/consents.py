"""Consents, erasures, and who accessed personal data."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from sqlmodel import BigInteger, Field, Index, SQLModel, UniqueConstraint

from app.domain.core import enum_column, foreign_key, json_column, new_id, new_row, plain_text, utc_datetime
from app.domain.publishing import short_code
from app.errors import Conflict, InvalidInput
from app.language import N_


class About(StrEnum):
    ROOM = "room"
    PUBLICATION = "publication"
    NAME = "name"
    REMINDERS = "reminders"
    PARENT = "parent"
    COMPETENCIES = "competencies"


class By(StrEnum):
    SELF = "self"
    PARENT = "parent"


class Consent(SQLModel, table=True):
    """Append-only: a withdrawal is one more row. `wording` is the number of the sentence."""

    __tablename__ = "consent"
    __table_args__ = (Index("consents_of_person", "person_id", "at"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    person_id: uuid.UUID = Field(sa_column=foreign_key("person", index=False))
    campus_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("campus", nullable=True))
    award_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("award", nullable=True))
    about: About = Field(sa_column=enum_column(About, name="consent_about"))
    by: By = Field(default=By.SELF, sa_column=enum_column(By, name="consent_by"))
    given: bool
    wording: int
    at: datetime = Field(sa_column=utc_datetime())


WORDINGS: Final[Mapping[About, tuple[str, ...]]] = MappingProxyType(
    {
        About.ROOM: (
            N_(
                "J’accepte que le campus note mon nom et ma présence, pour attribuer les badges de cette activité."
            ),
        ),
        About.PUBLICATION: (
            N_(
                "Ouverte, la page se montre à toute personne qui a le lien. Ce qui en est téléchargé pendant ce temps"
                " ne peut plus être effacé."
            ),
        ),
        About.NAME: (N_("Écrire mon nom dans les badges que je recevrai"),),
        About.REMINDERS: (
            N_(
                "Quand un badge n’a pas été reçu, un campus peut le rappeler deux fois au plus, en un seul e-mail "
                "pour tous vos badges."
            ),
        ),
        About.COMPETENCIES: (
            N_(
                "Les logiciels du campus peuvent lire mes compétences : les énoncés, mes niveaux et les badges du "
                "campus qui les attestent."
            ),
        ),
        About.PARENT: (
            N_(
                "Je suis son parent, et j’accepte que la page de ce badge s’ouvre : toute personne qui a le lien la "
                "verra."
            ),
            N_(
                "Je suis son parent, et j’accepte que la page de ce badge s’ouvre : toute personne qui a le lien la "
                "verra. Mon enfant peut aussi le montrer dans son portfolio, et laisser les moteurs de recherche "
                "trouver ces pages."
            ),
        ),
    }
)
"""All wordings ever used, the latest last: none is ever changed or removed."""


def wording_of(about: About) -> str:
    """The current wording: pages show exactly this text."""
    return WORDINGS[about][-1]


def consent(
    about: About,
    person_id: uuid.UUID,
    *,
    given: bool,
    at: datetime,
    campus_id: uuid.UUID | None = None,
    award_id: uuid.UUID | None = None,
    by: By = By.SELF,
) -> Consent:
    return new_row(
        Consent,
        person_id=person_id,
        campus_id=campus_id,
        award_id=award_id,
        about=about,
        by=by,
        given=given,
        wording=len(WORDINGS[about]),
        at=at,
    )


def sentence_of(row: Consent) -> str:
    return WORDINGS[row.about][row.wording - 1]


_SHORTEST_REASON, _LONGEST_REASON = 5, 300


class Erasure(SQLModel, table=True):
    """One person's erasure by one campus; `request_id` is shared by all campuses of one request.

    `everywhere`: requested of every campus, not of this one alone. `erased` counts rows by matter.
    """

    __tablename__ = "erasure"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    request_id: uuid.UUID = Field(index=True)
    everywhere: bool
    by_person: bool
    reason: str = Field(default="", max_length=_LONGEST_REASON)
    done_at: datetime = Field(sa_column=utc_datetime())
    erased: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    badges: int = 0
    log_id: uuid.UUID = Field(sa_column=foreign_key("campus_log"))
    number: int = Field(sa_type=BigInteger)
    """The log entry that records the erasure."""

    @property
    def reference(self) -> str:
        """Given to the person, and used by a data protection officer to file their request."""
        return reference_of(self.id)


class ErasedAward(SQLModel, table=True):
    """The number of an erased award: visitors of its link read why it is gone."""

    __tablename__ = "erased_award"
    award_id: uuid.UUID = Field(primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    erased_at: datetime = Field(sa_column=utc_datetime())


class ErasedPortfolio(SQLModel, table=True):
    """The number of a portfolio erased with its person: visitors of its link read why it is gone."""

    __tablename__ = "erased_portfolio"
    portfolio_id: uuid.UUID = Field(primary_key=True)
    erased_at: datetime = Field(sa_column=utc_datetime())


class StillWorksHere(Conflict): ...


ERASED = N_("Ce badge a été retiré à la demande de la personne.")
PORTFOLIO_ERASED = N_("Ce portfolio a été retiré à la demande de la personne.")


def reference_of(erasure_id: uuid.UUID) -> str:
    return f"EFF-{short_code(erasure_id)}"


def check_reason(reason: str, names: Collection[str]) -> str:
    """`names`: the person's names and addresses, which must not survive in a reason."""
    reason = " ".join(reason.split())
    if len(reason) < _SHORTEST_REASON:
        raise InvalidInput(N_("Dites en une phrase pourquoi, et comment la personne a été reconnue."))
    if len(reason) > _LONGEST_REASON:
        raise InvalidInput(N_("Le motif tient en {most} signes."), most=_LONGEST_REASON)
    if "@" in reason or any(_words(name) & _words(reason) for name in names):
        raise InvalidInput(
            N_(
                "Ce motif reste après l’effacement : n’y écrivez ni nom ni adresse. La référence suffit à le retrouver."
            )
        )
    return reason


def _words(text: str) -> set[str]:
    """Ignores parts of one or two letters: « d », « le » and « n » occur in many names."""
    return {word for word in re.findall(r"\w+", plain_text(text)) if len(word) > 2}


KEPT_FOR: Final = timedelta(days=365)


class AccessRecord(StrEnum):
    RECORD = "record"
    """The page with everything the campus stores about the person."""
    AWARD = "award"
    REQUEST = "request"
    CONTRIBUTION = "contribution"
    FILE = "file"


class AccessEvent(SQLModel, table=True):
    """At most one per day and kind: enough to ask why, too little to monitor staff."""

    __tablename__ = "private_look"
    __table_args__ = (
        UniqueConstraint("campus_id", "person_id", "viewer_id", "looked_at", "day", name="one_look_a_day"),
        Index("looks_by_day", "day"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    viewer_id: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("person", nullable=True, index=False)
    )
    looked_at: AccessRecord = Field(sa_column=enum_column(AccessRecord, name="private_look_kind"))
    day: date
