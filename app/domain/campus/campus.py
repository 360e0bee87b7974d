"""Networks and campuses: who issues, under which label, in which colours."""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime
from enum import StrEnum

from sqlmodel import CheckConstraint, Field, Index, SQLModel

from app.domain.core.columns import moment, new_id, part_of, points_to, word_of
from app.domain.core.signed_text import check_signed_name
from app.errors import InvalidInput, NotAllowed
from app.language import N_

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

LONGEST_NAME, LONGEST_SHORT_NAME = 200, 20


class LabelCategory(StrEnum):
    STANDARD = "standard"
    EXCELLENCE = "excellence"


class LabelState(StrEnum):
    CURRENT = "current"
    FUTURE = "future"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Network(SQLModel, table=True):
    """Campuses together: a region that labels them, or an inter-campus pole."""

    __tablename__ = "network"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    slug: str = Field(unique=True, max_length=60)
    name: str = Field(max_length=200)
    description: str = Field(default="", max_length=2000)


class Campus(SQLModel, table=True):
    """The issuer. Its `slug` is part of its DID, so it is never changed nor given to another campus."""

    __tablename__ = "campus"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    slug: str = Field(unique=True, max_length=60)
    did: str = Field(unique=True, max_length=300)
    short_name: str = Field(max_length=LONGEST_SHORT_NAME)
    name: str = Field(max_length=LONGEST_NAME)
    sector: str = Field(default="", max_length=200)
    carrier: str = Field(default="", max_length=200)
    site: str = Field(default="", max_length=200)
    description: str = Field(default="", max_length=2000)
    contact_email: str = Field(default="", max_length=254)
    linkedin_id: str = Field(default="", max_length=20)
    """The number of its page on LinkedIn, as it stands in links that fill in their form."""
    time_zone: str = Field(default="Europe/Paris", max_length=60)
    hue: float = Field(default=210.0, ge=0, lt=360)
    liveliness: float = Field(default=0.08, ge=0, le=0.14)
    names_in_credentials: bool = Field(default=True)
    language: str = Field(default="fr", max_length=8)
    sends_reminders: bool = Field(default=True)
    created_at: datetime = Field(sa_column=moment())
    suspended_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class NetworkMember(SQLModel, table=True):
    __tablename__ = "network_member"
    network_id: uuid.UUID = Field(sa_column=part_of("network"))
    campus_id: uuid.UUID = Field(sa_column=part_of("campus"))


class Label(SQLModel, table=True):
    """A mark of trust that a network gives a campus, with a category and dates; signed, it is a credential of its own.

    `issuer` is how the campus's badges name it: a campus of this service, or of any other.
    """

    __tablename__ = "label"
    __table_args__ = (
        CheckConstraint(
            "ends_on IS NULL OR starts_on IS NULL OR ends_on >= starts_on", name="label_dates_in_order"
        ),
        Index("one_label_at_a_place", "network_id", "position", unique=True),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    issuer: str = Field(max_length=600, index=True)
    network_id: uuid.UUID = Field(sa_column=points_to("network"))
    category: LabelCategory = Field(sa_column=word_of(LabelCategory, name="label_category"))
    starts_on: date | None = None
    ends_on: date | None = None
    note: str = Field(default="", max_length=300)
    embedded: bytes = Field(default=b"")
    """The label as the network signed it; empty where it was only written down."""
    signed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    position: int | None = None
    """Its place in the network's status list, for ever; none before it was first signed with one."""
    withdrawn_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


def is_slug(text: str) -> bool:
    return len(text) <= 60 and bool(_SLUG.fullmatch(text))


def check_slug(slug: str) -> None:
    """A slug stands in a DID and in addresses: lower-case letters, digits and single hyphens (L-001)."""
    if not is_slug(slug):
        raise InvalidInput(
            N_("« {slug} » ne peut pas servir d’adresse : lettres minuscules, chiffres et tirets seulement."),
            slug=slug,
        )


def check_names(name: str, short_name: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME:
        raise InvalidInput(N_("Le campus a un nom."))
    if not short_name.strip() or len(short_name) > LONGEST_SHORT_NAME:
        raise InvalidInput(N_("Le campus a un nom court, par exemple « ITIP »."))
    for each in (name, short_name):
        check_signed_name(each)


def check_network_name(name: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME:
        raise InvalidInput(N_("Le réseau a un nom, de 200 signes au plus."))
    check_signed_name(name)


def check_works(campus: Campus) -> None:
    """Nobody works in a suspended campus, nor do its programs; what it signed stays good."""
    if campus.suspended_at is not None:
        raise NotAllowed(
            N_(
                "Ce campus est suspendu : personne n’y travaille pour l’instant. Ses badges se vérifient toujours. Écrivez à la personne qui exploite ce service."
            )
        )


def check_label_dates(label: Label) -> None:
    if label.starts_on and label.ends_on and label.ends_on < label.starts_on:
        raise InvalidInput(N_("Le label finirait le {end}, avant d’avoir commencé."), end=label.ends_on)


def label_state(label: Label, *, on: date) -> LabelState:
    """Whether the label holds on that day; a label without dates holds until told otherwise."""
    if label.withdrawn_at is not None:
        return LabelState.WITHDRAWN
    if label.starts_on and on < label.starts_on:
        return LabelState.FUTURE
    if label.ends_on and on > label.ends_on:
        return LabelState.EXPIRED
    return LabelState.CURRENT
