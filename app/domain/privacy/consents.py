"""Consents: what somebody agreed to or took back, when, and the very sentence they read."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from sqlmodel import Field, Index, SQLModel

from app.domain.core.columns import moment, new_id, new_row, points_to, word_of
from app.language import N_


class About(StrEnum):
    """What was agreed to."""

    ROOM = "room"
    PUBLICATION = "publication"
    NAME = "name"
    REMINDERS = "reminders"
    PARENT = "parent"


class By(StrEnum):
    SELF = "self"
    PARENT = "parent"


class Consent(SQLModel, table=True):
    """Added to and never changed: what was taken back is one more row. `wording` is the number of the sentence."""

    __tablename__ = "consent"
    __table_args__ = (Index("consents_of_person", "person_id", "at"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    person_id: uuid.UUID = Field(sa_column=points_to("person", index=False))
    campus_id: uuid.UUID | None = Field(default=None, sa_column=points_to("campus", nullable=True))
    award_id: uuid.UUID | None = Field(default=None, sa_column=points_to("award", nullable=True))
    about: About = Field(sa_column=word_of(About, name="consent_about"))
    by: By = Field(default=By.SELF, sa_column=word_of(By, name="consent_by"))
    given: bool
    wording: int
    at: datetime = Field(sa_column=moment())


WORDINGS: Final[Mapping[About, tuple[str, ...]]] = MappingProxyType(
    {
        About.ROOM: (
            N_(
                "J’accepte que le campus note mon nom et ma présence, pour attribuer les badges de cette activité."
            ),
        ),
        About.PUBLICATION: (
            N_(
                "Ouverte, la page se montre à toute personne qui a le lien. Ce qui en est téléchargé pendant ce temps "
                "ne peut plus être repris."
            ),
        ),
        About.NAME: (N_("Écrire mon nom dans les badges que je recevrai"),),
        About.REMINDERS: (
            N_(
                "Quand un badge n’a pas été reçu, un campus peut le rappeler deux fois au plus, en une seule lettre "
                "pour tous vos badges."
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
"""Every wording there ever was, the latest last: none is ever changed or taken out."""


def wording_of(about: About) -> str:
    """What is read today: pages show these very words."""
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
    """To the sentence that is read today."""
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
    """What they read, in French."""
    return WORDINGS[row.about][row.wording - 1]
