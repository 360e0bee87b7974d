"""The public catalogue: its entries, and what a visitor asks of it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Text
from sqlmodel import Field, Index, SQLModel

from app.domain.core import enum_column, plain_text, primary_foreign_key, utc_datetime


class EntryKind(StrEnum):
    """What the public catalogue lists."""

    BADGE = "badge"
    COMPETENCY = "competency"
    ACTIVITY = "activity"
    CAMPUS = "campus"
    PATHWAY = "pathway"
    NETWORK = "network"
    LABEL = "label"


class CatalogueEntry(SQLModel, table=True):
    """One public page as the catalogue lists and searches it; derived from the rows of its campus.

    `subject_id` is the badge, competency, activity, campus, pathway, network or label; a network's entry has the
    network as its `campus_id`. On SQLite, triggers copy the terms to a full-text
    table.
    """

    __tablename__ = "catalogue_entry"
    __table_args__ = (
        Index("catalogue_of_campus", "campus_id", "kind"),
        Index("catalogue_facets", "kind", "campus_id", "badge_kind", "level", "place", "audiences"),
        Index("catalogue_by_holders", "kind", "holders", "title"),
        Index("catalogue_by_title", "kind", "title", "number"),
        Index("catalogue_by_day", "kind", "starts_on"),
    )
    number: int | None = Field(default=None, primary_key=True)
    subject_id: uuid.UUID = Field(unique=True)
    kind: EntryKind = Field(sa_column=enum_column(EntryKind, name="catalogue_kind"))
    campus_id: uuid.UUID
    path: str = Field(max_length=120)
    title: str = Field(max_length=2000)
    summary: str = Field(default="", max_length=2000)
    language: str = Field(default="fr", max_length=12)
    badge_kind: str = Field(default="", max_length=20)
    level: int | None = None
    """The highest level that the badge attests, from 1; of a competency, how many it has; of a pathway, stages."""
    audiences: str = Field(default="", max_length=200)
    """Keys of `AUDIENCES` between spaces."""
    place: str = Field(default="", max_length=200)
    competencies: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    """Of a badge, those it attests; of an activity, those it works on: numbers between spaces."""
    holders: int = 0
    starts_on: date | None = None
    """Of an activity; of a badge, its next announced activity."""
    version: int = 0
    """Of the badge: its picture."""
    label_terms: str = Field(default="", sa_type=Text)
    other_terms: str = Field(default="", sa_type=Text)
    size: int = 0

    def differs(self, other: CatalogueEntry, names: Iterable[str]) -> bool:
        return any(getattr(self, name) != getattr(other, name) for name in names)


class CatalogueTerm(SQLModel, table=True):
    """The vocabulary of the catalogue, to correct typing slips."""

    __tablename__ = "catalogue_term"
    term: str = Field(primary_key=True, max_length=40)


class CatalogueRefresh(SQLModel, table=True):
    """When the entries of a campus were last derived."""

    __tablename__ = "catalogue_refresh"
    campus_id: uuid.UUID = Field(sa_column=primary_foreign_key("campus"))
    refreshed_at: datetime = Field(sa_column=utc_datetime())
    version: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """Another one whenever facets of an entry changed."""


CATALOGUE_LIFE: Final = timedelta(hours=6)
"""An unchanged campus is derived again: activities pass."""

AUDIENCES: Final = {
    "collegiens": r"colleg\w*|[3-6] ?(?:e|eme)s?(?! age)|(?:six|cinqu|quatr|trois)iemes?",
    "lyceens": r"lyce\w*|secondes?|premieres?|terminales?|bac(?: pro)?|cap",
    "apprentis": r"apprenti\w*|alternan\w*",
    "etudiants": r"etudiant\w*|bts|but|universit\w*|licence|master|ingenieur\w*",
    "salaries": r"salarie\w*|professionnel\w*|entreprises?",
    "demandeurs": r"demandeu\w* d.emploi|recherche d.emploi|chomeu\w*|reconversion",
    "enseignants": r"enseignant\w*|professeur\w*|formateur\w*|formatrice\w*",
    "tous": r"tous publics|tout public|grand public|familles?|ouvert a tous",
}
"""Groups of people by what campuses write of an activity's audience."""
_AUDIENCES: Final = {key: re.compile(rf"\b(?:{written})\b") for key, written in AUDIENCES.items()}


def audience_groups(written: str) -> list[str]:
    """Keys of `AUDIENCES` that match an audience as a campus wrote it."""
    folded = plain_text(written)
    return [key for key, pattern in _AUDIENCES.items() if pattern.search(folded)]


class CatalogueOrder(StrEnum):
    RELEVANCE = "pertinence"
    HOLDERS = "detenteurs"
    TITLE = "titre"
    DAY = "date"


@dataclass(frozen=True)
class CatalogueQuery:
    """What a visitor asks of the catalogue; several values of one facet are alternatives."""

    text: str = ""
    kinds: Sequence[EntryKind] = ()
    campuses: Sequence[uuid.UUID] = ()
    badge_kinds: Sequence[str] = ()
    levels: Sequence[int] = ()
    audiences: Sequence[str] = ()
    places: Sequence[str] = ()
    competencies: Sequence[str] = ()
    order: CatalogueOrder = CatalogueOrder.RELEVANCE
    page: int = 1


@dataclass(frozen=True)
class PublicMeeting:
    """One entry of a campus's public calendar; without times it lasts whole days."""

    uid: str
    title: str
    starts_on: date
    ends_on: date
    announced_at: datetime
    url: str
    start_time: time | None = None
    end_time: time | None = None
    place: str = ""
    description: str = ""
    cancelled_at: datetime | None = None
