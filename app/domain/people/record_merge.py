"""Merging two records of one person: which one survives, what moves, and how to undo it."""

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
"""The name of a record that was merged into another."""


class PersonMerge(SQLModel, table=True):
    """`campus_id`: the campus that merged them; None if the person did, having proved both addresses.

    The merged record's name is stored here alone, so that it is erased with the surviving record's data.
    `moved` lists, by table, the moved rows and what changed in them: identifiers and numbers, never a name or
    an address.
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
    """The facts about a record that decide whether and how it may be merged."""

    person_id: uuid.UUID
    has_account: bool
    works: bool
    """Has, or ever had, a role in a campus, or operates the service."""
    campuses: frozenset[uuid.UUID]
    """Where it has an award, an activity, a request, or a number of the campus's own system."""
    meets: frozenset[uuid.UUID] = frozenset()
    """The same without those that only gave it a number, which any campus may do by name and address."""

    def others_than(self, campus_id: uuid.UUID) -> frozenset[uuid.UUID]:
        """The other campuses that know the person; for a campus that met them, those that did too."""
        return (self.meets if campus_id in self.meets else self.campuses) - {campus_id}


def is_gone(person: Person) -> bool:
    """Whether the record was merged into another: lists that still name it do not restore it."""
    return not person.given_name and person.family_name == NAMELESS


def check_merge_reason(reason: str) -> None:
    if len(reason.strip()) < 5:
        raise InvalidInput(N_("Dites en une phrase pourquoi c’est la même personne : l’historique le garde."))
    if len(reason) > 300:
        raise InvalidInput(N_("Le motif tient en 300 signes."))


def kept_and_gone(mine: Standing, other: Standing) -> tuple[Standing, Standing]:
    """Of two records with addresses proved by one person, the one with roles and keys survives."""
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
    """Only records this campus alone knows, without an account; other people merge their own."""
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
        raise Conflict(N_("Le délai est passé : cette fusion ne peut plus être annulée."))
