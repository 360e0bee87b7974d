"""Audit log: who did what to which noun, written in the same transaction as the change."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlmodel import Field, Index, SQLModel

from app.domain.core import foreign_key, json_column, utc_datetime


@dataclass(frozen=True)
class Actor:
    """The author of a change: a person, or a program or command named by `label`."""

    person_id: uuid.UUID | None = None
    label: str = ""

    @staticmethod
    def command(name: str) -> Actor:
        return Actor(label=f"command {name}")


DEMO: Final = Actor.command("demo")
"""Who created the campuses of the demo."""


class HistoryEntry(SQLModel, table=True):
    """`facts` contains no name and no address: the audit log outlives an erasure."""

    __tablename__ = "history_entry"
    __table_args__ = (
        Index("history_of_campus", "campus_id", "at", "id"),
        Index("history_of_noun", "noun", "noun_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    campus_id: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("campus", nullable=True, index=False)
    )
    at: datetime = Field(sa_column=utc_datetime())
    actor_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("person", nullable=True))
    actor_label: str = Field(default="", max_length=120)
    action: str = Field(max_length=60)
    noun: str = Field(max_length=40)
    noun_id: uuid.UUID
    facts: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())


class Subject(StrEnum):
    """Topics by which the audit log can be filtered."""

    TEAM = "equipe"
    AWARDS = "attributions"
    REQUESTS = "demandes"
    CONTRIBUTIONS = "contributions"
    BADGES = "badges"
    ACTIVITIES = "activites"
    ACCESS = "acces"
    CAMPUS = "campus"
    EXPORTS = "exports"


NOUNS_OF: Final[dict[Subject, tuple[str, ...]]] = {
    Subject.TEAM: ("membership", "invitation"),
    Subject.AWARDS: ("award", "award_batch", "withdrawal"),
    Subject.REQUESTS: ("request",),
    Subject.CONTRIBUTIONS: ("contribution",),
    Subject.BADGES: ("badge", "module_set", "framework", "competency", "pathway", "endorsement"),
    Subject.ACTIVITIES: ("activity", "participation", "import", "calendar"),
    Subject.ACCESS: (
        "session",
        "person",
        "password",
        "passkey",
        "federated_account",
        "account",
        "address",
        "token",
    ),
    Subject.CAMPUS: (
        "campus",
        "campus_log",
        "log_witness",
        "key",
        "reminders",
        "erasure",
        "report",
        "webhook",
    ),
    Subject.EXPORTS: ("table",),
}
PERSONAL: Final = ("session", "password", "passkey", "federated_account", "account", "address", "person")
"""Changes to a person's own account: of no campus, but listed in each campus where they work."""

OF_THE_SERVICE: Final = (
    "operator",
    "network",
    "network_key",
    "organisation_key",
    "recognition",
    "label",
    "followed_list",
    "sign_in_link",
    "signing_clock",
    "secret",
)
"""Nouns of the service operator, which belong to no campus."""
DONE_TO_CAMPUSES: Final = (
    ("campus", "create"),
    ("campus", "invite_administrator"),
    ("campus", "suspend"),
    ("campus", "resume"),
    ("campus", "label"),
    ("campus", "withdraw_label"),
    ("person", "hand_link"),
)
"""Changes to a campus by the operator or a network, which its own members can also read."""


def subject_of(entry: HistoryEntry) -> tuple[str, uuid.UUID]:
    """What an entry is about, as (noun, id): for a role or an opening, the person concerned."""
    person = entry.facts.get("person")
    if entry.noun == "membership" and isinstance(person, str):
        return "person", uuid.UUID(person)
    return ("person" if entry.noun == "password" else entry.noun), entry.noun_id


def service_subject_of(entry: HistoryEntry) -> tuple[str, uuid.UUID]:
    """The operator's view of an entry's subject: a campus only, never one of its people."""
    if entry.campus_id is not None:
        return "campus", entry.campus_id
    return entry.noun, entry.noun_id
