"""Two records of one person brought together: which is kept, what moves, and how it is put back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Field, SQLModel

from app.domain.core import foreign_key, json_column, new_id, utc_datetime
from app.domain.people.people import Person
from app.errors import Conflict, InvalidInput, NotAllowed
from app.language import N_

UNDONE_WITHIN = timedelta(days=30)
NAMELESS = "—"
"""What stands where the name of a record was that went into another."""


class PersonMerge(SQLModel, table=True):
    """`campus_id`: whose administration did it; None where the person did, who had proved both addresses.

    The name that the other record bore stands here and there no more, so that it goes with the kept one's data.
    `moved` says of each table which rows were the other record's, and what was changed of them: identifiers and
    numbers, never a name or an address.
    """

    __tablename__ = "person_merge"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    kept_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    gone_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    campus_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("campus", nullable=True))
    merged_by: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("person", nullable=True, index=False)
    )
    given_name: str = Field(default="", max_length=120)
    family_name: str = Field(default="", max_length=120)
    reason: str = Field(default="", max_length=300)
    moved: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    at: datetime = Field(sa_column=utc_datetime())
    undone_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


@dataclass(frozen=True)
class Standing:
    """What of a record decides whether and how it may be brought together with another."""

    person_id: uuid.UUID
    has_account: bool
    works: bool
    """Has, or ever had, a role in a campus, or runs the service."""
    campuses: frozenset[uuid.UUID]
    """Where it has an award, an activity or a request."""


def is_gone(person: Person) -> bool:
    """Whether the record went into another one: a list that still names it brings nobody back."""
    return not person.given_name and person.family_name == NAMELESS


def check_merge_reason(reason: str) -> None:
    if len(reason.strip()) < 5:
        raise InvalidInput(N_("Dites en une phrase pourquoi c’est la même personne : l’historique le garde."))
    if len(reason) > 300:
        raise InvalidInput(N_("Le motif tient en 300 signes."))


def kept_and_gone(mine: Standing, other: Standing) -> tuple[Standing, Standing]:
    """Of two records whose addresses one person proved: the one with roles and keys stays as it is."""
    if mine.person_id == other.person_id:
        raise Conflict(N_("C’est la même fiche."))
    if mine.works and other.works:
        raise NotAllowed(
            N_(
                "Les deux fiches ont un rôle dans un campus : leurs droits ne se mélangent pas. Écrivez à "
                "l’administration de votre campus."
            )
        )
    return (other, mine) if other.works else (mine, other)


def check_campus_may_merge(campus_id: uuid.UUID, kept: Standing, gone: Standing) -> None:
    """A campus brings together what is its own: whoever has an account, or is known elsewhere, decides themselves."""
    if kept.person_id == gone.person_id:
        raise Conflict(N_("C’est la même fiche."))
    if gone.has_account or gone.works:
        raise NotAllowed(
            N_(
                "Cette fiche a un compte : seule cette personne peut la fusionner, depuis « Mon compte ». Vous pouvez"
                " garder celle-ci et y fusionner l’autre."
            )
        )
    if gone.campuses - {campus_id}:
        raise NotAllowed(
            N_(
                "Cette fiche a aussi des badges ou des activités d’un autre campus. Seule la personne peut la "
                "fusionner, depuis « Mon compte ». Vous pouvez garder celle-ci et y fusionner l’autre."
            )
        )


def check_may_undo(merge: PersonMerge, *, at: datetime) -> None:
    if merge.undone_at is not None:
        raise Conflict(N_("Ces fiches sont déjà de nouveau séparées."))
    if at > merge.at + UNDONE_WITHIN:
        raise Conflict(N_("Trop de temps a passé : cette réunion ne se défait plus."))
