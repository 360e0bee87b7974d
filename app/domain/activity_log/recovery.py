"""What one transaction adds to the recovery journal: log entries with their rows, and people's choices."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from app.domain.activity_log import CampusLog, EntryKind, Fact
from sceau_credentials.evidence.documents import Leaf

KEYS, PEOPLE, BADGES, VERSIONS = "signing_key", "person", "badge", "badge_version"
AWARDS, DOCUMENTS, SLOTS, EVIDENCE, NEWER = (
    "award",
    "signed_credential",
    "status_slot",
    "award_evidence",
    "newer_credential",
)
IN_ORDER: Final = (KEYS, PEOPLE, BADGES, VERSIONS, AWARDS, DOCUMENTS, SLOTS, EVIDENCE, NEWER)
"""The tables of journaled rows, each after those that it refers to."""
ERASED: Final = "erased"
"""The people with erased data, each with their erasure."""
ERASURES: Final = "erasure"
"""The rows of those erasures."""

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Choices:
    """The columns of a table that people choose.

    `with_new`: a new row is a choice; then all of it is journaled. `stays`: columns that a restore leaves as they are
    in a row that the copy has.
    """

    columns: tuple[str, ...] = ()
    with_new: bool = False
    stays: tuple[str, ...] = ()

    @property
    def with_changes(self) -> bool:
        """If false, only the deletion of a row is a choice."""
        return self.with_new or bool(self.columns)


CHOICES: Final[Mapping[str, Choices]] = {
    "campus": Choices(("suspended_at", "names_in_credentials", "selective_disclosure", "sends_reminders")),
    "person": Choices(
        (
            "given_name",
            "family_name",
            "listed_as",
            "allows_name",
            "wants_reminders",
            "accepts_links",
            "under_15_on",
            "age_group",
            "language",
        )
    ),
    "award": Choices(
        (
            "visibility",
            "is_findable",
            "answers_checks",
            "counts_views",
            "older_recipient",
            "link_generation",
            "disclosures",
            "edition",
        )
    ),
    "evidence_disclosure": Choices(with_new=True),
    "consent": Choices(with_new=True),
    "parent_agreement": Choices(with_new=True),
    "portfolio": Choices(("is_open", "is_findable", "naming", "grouping", "line", "link_generation")),
    "portfolio_group": Choices(),
    "portfolio_piece": Choices(with_new=True),
    "brought_badge": Choices(("is_shown", "belongs")),
    "endorsement": Choices(("withdrawn_at", "hidden_at", "set_aside_at", "set_aside_reason", "changes")),
    "endorsement_place": Choices(("raised_at",)),
    "peer_recommendation": Choices(
        ("accepted_at", "declined_at", "withdrawn_at", "set_aside_at", "set_aside_reason")
    ),
    "endorsement_request": Choices(with_new=True),
    "label": Choices(("withdrawn_at",)),
    "recognition": Choices(("standing", "reason", "changed_at")),
    "contribution": Choices(("state", "answer", "decided_at", "waiting_since")),
    "stored_file": Choices(),
    "activity_file": Choices(("agreed", "removed_at")),
    "api_token": Choices(("revoked_at",)),
    "session": Choices(),
    "claim_code": Choices(),
    "connected_app": Choices(),
    "app_grant": Choices(),
    "webhook": Choices(("state", "url", "kinds", "secret_version", "previous_until")),
    "calendar_subscription": Choices(("state",)),
    "membership": Choices(("until",)),
    "operator": Choices(),
    "network_administrator": Choices(),
    "invitation": Choices(("generation", "expires_at", "accepted_at", "withdrawn_at")),
    "badge": Choices(("archived_at", "accepts_requests", "for_every_trainer")),
    "competency": Choices(("archived_at",)),
    "pathway": Choices(("archived_at",)),
    "module_set": Choices(("archived_at",)),
    "training_module": Choices(("removed_at",)),
    "activity_announcement": Choices(),
    "activity_session": Choices(("cancelled_at",)),
    "activity_facts": Choices(("cancelled_at",), with_new=True),
    "badge_request": Choices(
        (
            "state",
            "address",
            "decided_at",
            "waiting_since",
            "first_reviewer_id",
            "agreed_content",
            "award_id",
            "link_generation",
        )
    ),
    "badge_opening": Choices(),
    "award_batch": Choices(("state",)),
    "network_key": Choices(("retired_at", "revoked_at"), with_new=True),
    "organisation_key": Choices(("retired_at", "revoked_at"), with_new=True),
    "followed_list": Choices(),
    "log_witness": Choices(("retired_at",)),
    # The copy may have apart what was merged since.
    "person_address": Choices(("verified_at", "is_main"), with_new=True, stays=("person_id",)),
    "passkey": Choices(),
    "federated_account": Choices(),
    "lti_platform": Choices(("removed_at",)),
    "lti_account": Choices(),
    "password": Choices(("hash", "set_at")),
    "badge_rating": Choices(("sentence", "sentence_state")),
    "pathway_enrolment": Choices(),
    "pathway_stage_state": Choices(),
    "pathway_decision": Choices(),
    "campus_picture": Choices(),
    "report_picture": Choices(),
    "report_sharing": Choices(with_new=True),
    "shared_badge": Choices(("withdrawn_at",)),
    "definition_adoption": Choices(),
    "campus_sender": Choices(("address", "asked_at", "verified_at", "in_use_since")),
    "survey_link": Choices(("closed_at", "closes_on")),
    "survey_answer": Choices(("sentence_state",)),
}
"""The tables of choices, in dependency order. Deleting a row is a choice in all but the first three (`NEVER_DELETED`)."""
NEVER_DELETED: Final = frozenset({"campus", "person", "award"})
DELETED_WITH: Final[Mapping[str, tuple[str, str]]] = {
    "webhook": ("webhook_delivery", "webhook_id"),
    "stored_file": ("stored_file_content", "file_id"),
    "badge_request": ("request_step", "request_id"),
}
"""The rows that refer to a deleted row and go with it, by table: their table and column."""
ENDED: Final = (
    "app_secret",
    "app_grant",
    "claim_code",
    "wallet_offer",
    "lti_launch",
    "presentation_request",
    "remembered_phone",
    "set_aside",
    "challenge",
    "sign_in_link",
    "session",
)
"""The tables of secrets that a restore empties, each after those that refer to it: a copy has secrets that
were used or ended since."""
SWEPT: Final = "swept"
"""The execution option of a statement that deletes what has expired: that is no choice."""
CHOSEN: Final = "choices"
CHOICES_ORIGIN: Final = "choices"
NO_CAMPUS: Final = uuid.UUID(int=0)
"""Choices belong to people: their frames have no campus, and are numbered by commit."""


class ChoiceChange(SQLModel, table=True):
    """The choices changed by one commit, until the recovery journal has stored them.

    The newest row is never deleted: its number shows how recent this database is.
    """

    __tablename__ = "choice_change"
    sequence: int = Field(primary_key=True, sa_type=BigInteger)
    content: bytes = b""


def as_json(value: object) -> object:
    """For orjson: column types that JSON lacks."""
    if isinstance(value, bytes):
        try:
            return {"text": value.decode()}
        except UnicodeDecodeError:
            return {"hex": value.hex()}
    raise TypeError(type(value).__name__)


@dataclass(frozen=True)
class Frame:
    """`start` and `stop` are numbers of the log named `origin`, as a half-open range."""

    campus_id: uuid.UUID
    origin: str
    start: int
    stop: int
    at: datetime
    content: Mapping[str, Any]

    @property
    def lines(self) -> list[JournaledLine]:
        return [JournaledLine.read(each) for each in self.content.get("lines", ())]

    def rows(self, table: str) -> Sequence[Values]:
        found: Sequence[Values] = self.content.get("rows", {}).get(table, ())
        return found

    @property
    def erasures(self) -> list[JournaledErasure]:
        """In the order of their lines. Older frames have the people alone, in that order, or no merged records."""
        named = self.content.get(ERASED, ())
        if not named:
            return []
        numbers = {
            line.fact.noun_id: line.number for line in self.lines if line.fact.kind is EntryKind.ERASURE
        }
        whole = zip(named, numbers, strict=False) if isinstance(named[0], str) else named
        found = []
        for one, other, *merged in whole:
            erasure_id, records = uuid.UUID(str(other)), [*map(uuid.UUID, merged[0])] if merged else None
            number = numbers.get(erasure_id, self.start)
            found.append(JournaledErasure(uuid.UUID(one), erasure_id, self.origin, number, self.at, records))
        return found


@dataclass(frozen=True)
class JournaledErasure:
    """`number`: its line in the log of that origin. `merged`: the records that were merged into the person by then;
    None where an older frame has no such list."""

    person_id: uuid.UUID
    erasure_id: uuid.UUID
    origin: str
    number: int
    at: datetime
    merged: Sequence[uuid.UUID] | None = None

    @property
    def records(self) -> list[uuid.UUID]:
        """All records of the person; an older copy may have them apart."""
        return [self.person_id, *(self.merged or ())]

    def is_in(self, log: CampusLog) -> bool:
        return self.origin == log.origin and self.number < log.size


@dataclass(frozen=True)
class JournaledLine:
    """A log entry with its committed content; after an erasure the key and the fact are empty."""

    number: int
    fact: Fact
    leaf: Leaf
    key: bytes

    def without_payload(self) -> JournaledLine:
        """The same entry after an erasure."""
        return JournaledLine(self.number, Fact(self.fact.kind, "", uuid.UUID(int=0), {}), self.leaf, b"")

    def written(self) -> list[Any]:
        fact = self.fact
        return [
            self.number,
            fact.kind.value,
            self.leaf.at,
            self.leaf.commitment.hex(),
            fact.noun,
            fact.noun_id,
            fact.about_id,
            self.key.hex(),
            fact.facts,
        ]

    @staticmethod
    def read(values: Sequence[Any]) -> JournaledLine:
        number, kind, at, commitment, noun, noun_id, about_id, key, facts = values
        about = uuid.UUID(about_id) if about_id else None
        fact = Fact(EntryKind(kind), noun, uuid.UUID(noun_id), facts, about)
        leaf = Leaf(kind, datetime.fromisoformat(at), bytes.fromhex(commitment))
        return JournaledLine(number, fact, leaf, bytes.fromhex(key))
