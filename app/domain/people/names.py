"""The name somebody goes by: corrected by themselves where only its spelling changes, else with a campus's agreement."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlmodel import Field, SQLModel

from app.domain.core.columns import moment, new_id, points_to
from app.domain.people.people import Person, check_name, name_key
from app.errors import Conflict, InvalidInput
from app.language import N_
from sceau_credentials.values.json_text import JsonObject


class NameWish(SQLModel, table=True):
    """Another name that a person asks one campus to write in the badges it gave; decided once."""

    __tablename__ = "name_wish"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=points_to("campus"))
    person_id: uuid.UUID = Field(sa_column=points_to("person"))
    given_name: str = Field(default="", max_length=120)
    family_name: str = Field(max_length=120)
    reason: str = Field(default="", max_length=300)
    answer: str = Field(default="", max_length=300)
    """Why the campus said no."""
    asked_at: datetime = Field(sa_column=moment())
    decided_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    accepted: bool = False
    decided_by: uuid.UUID | None = Field(
        default=None, sa_column=points_to("person", nullable=True, index=False)
    )

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


def read_name(given_name: str, family_name: str) -> tuple[str, str]:
    """As it shall appear: kept to the letter, but for spaces; raises where it is none."""
    given, family = (" ".join(part.split()) for part in (given_name, family_name))
    check_name(given, family)
    if not family:
        raise InvalidInput(N_("Il manque un nom."))
    return given, family


def is_same_but_for_spelling(person: Person, given_name: str, family_name: str) -> bool:
    """Accents, capitals, hyphens, the order of its parts: nobody becomes somebody else by these."""
    return name_key(person.given_name, person.family_name) == name_key(given_name, family_name)


def check_wish_reason(reason: str) -> None:
    if len(reason.strip()) < 5:
        raise InvalidInput(
            N_(
                "Dites en une phrase pourquoi : nom d’usage, mariage, erreur d’inscription… Le campus le lira."
            )
        )
    if len(reason) > 300:
        raise InvalidInput(N_("Le motif tient en 300 signes."))


def accept(wish: NameWish, *, by: uuid.UUID | None, at: datetime) -> None:
    _check_waits(wish)
    wish.decided_at, wish.accepted, wish.decided_by = at, True, by


def refuse(wish: NameWish, reason: str, *, by: uuid.UUID | None, at: datetime) -> None:
    _check_waits(wish)
    if len(reason.strip()) < 5:
        raise InvalidInput(N_("Dites pourquoi, en une phrase : la personne la lira, et elle seule."))
    if len(reason) > 300:
        raise InvalidInput(N_("La raison tient en {most} signes."), most=300)
    wish.decided_at, wish.decided_by, wish.answer = at, by, reason.strip()


def _check_waits(wish: NameWish) -> None:
    if wish.decided_at is not None:
        raise Conflict(N_("Cette demande a déjà sa réponse."))


def name_said_of(subject: JsonObject) -> str | None:
    """The name in clear of a badge's holder; a hashed one could only be compared, not shown."""
    identifiers = subject.get("identifier")
    for entry in identifiers if isinstance(identifiers, list) else [identifiers]:
        if not isinstance(entry, dict) or entry.get("identityType") != "name":
            continue
        named = entry.get("identityHash")
        if entry.get("hashed") is False and isinstance(named, str):
            return named
    return None
