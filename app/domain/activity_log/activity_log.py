"""The activity log of a campus: what happened, in an order nobody can change, and apart from it what it says of whom."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import CheckConstraint, Field, Index, SQLModel, UniqueConstraint, text

from app.domain.core.columns import moment, new_id, part_of, points_to, word_of, words
from sceau_credentials.evidence.commitments import KEY_BYTES, Opening, open_entry
from sceau_credentials.evidence.leaves import Leaf


class EntryKind(StrEnum):
    """All that an entry tells of itself: coarse, so that nobody is known by it."""

    PARTICIPATION = "participation"
    CORRECTION = "correction"
    CONTRIBUTION = "contribution"
    ASSESSMENT = "assessment"
    AWARD = "award"
    REVOCATION = "revocation"
    DEFINITION = "definition"
    KEY = "key"
    ERASURE = "erasure"


class CampusLog(SQLModel, table=True):
    """One log of one campus, and how far it has grown; `edge` is the frontier of its tree.

    A campus has one open log. It gets a new one, of the next `epoch`, only when a copy was restored that is
    older than what was signed, and the entries in between are lost: a log may never take another course.
    """

    __tablename__ = "campus_log"
    __table_args__ = (
        UniqueConstraint("campus_id", "epoch", name="one_log_per_epoch"),
        Index(
            "one_open_log",
            "campus_id",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
            sqlite_where=text("closed_at IS NULL"),
        ),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=points_to("campus", index=False))
    epoch: int = 1
    origin: str = Field(unique=True, max_length=300)
    size: int = Field(default=0, sa_type=BigInteger)
    edge: bytes = b""
    opened_at: datetime = Field(sa_column=moment())
    last_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    """When the last line was appended, to the second: no later line is dated before it."""
    closed_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class LogEntry(SQLModel, table=True):
    """One leaf of the tree, and its hash as it was when written; never changed, never deleted."""

    __tablename__ = "log_entry"
    __table_args__ = (CheckConstraint("number >= 0", name="log_numbers_from_zero"),)
    log_id: uuid.UUID = Field(sa_column=part_of("campus_log"))
    number: int = Field(primary_key=True, sa_type=BigInteger)
    kind: EntryKind = Field(sa_column=word_of(EntryKind, name="log_entry_kind"))
    at: datetime = Field(sa_column=moment())
    commitment: bytes
    leaf_hash: bytes


class LogPayload(SQLModel, table=True):
    """What an entry says, and the key without which its commitment tells nothing: erased together.

    `noun` and `noun_id` name the row it speaks of, `about_id` the person whose data it is.
    """

    __tablename__ = "log_payload"
    __table_args__ = (
        Index("log_payload_of_noun", "noun", "noun_id"),
        Index("log_payload_about", "about_id"),
    )
    log_id: uuid.UUID = Field(sa_column=part_of("campus_log"))
    number: int = Field(primary_key=True, sa_type=BigInteger)
    noun: str = Field(max_length=40)
    noun_id: uuid.UUID
    about_id: uuid.UUID | None = None
    key: bytes
    facts: dict[str, Any] = Field(sa_column=words())


class LogTile(SQLModel, table=True):
    """A full tile of 256 hashes, and the hash over all of them, which stands in the tile above."""

    __tablename__ = "log_tile"
    log_id: uuid.UUID = Field(sa_column=part_of("campus_log"))
    level: int = Field(primary_key=True)
    place: int = Field(primary_key=True, sa_type=BigInteger)
    hashes: bytes
    root: bytes


class LogCheckpoint(SQLModel, table=True):
    """What was signed of the log at one size: one note for one size, for ever."""

    __tablename__ = "log_checkpoint"
    log_id: uuid.UUID = Field(sa_column=part_of("campus_log"))
    size: int = Field(primary_key=True, sa_type=BigInteger)
    root: bytes
    note: str
    signed_at: datetime = Field(sa_column=moment())


class LogCosignature(SQLModel, table=True):
    """A witness's line under a checkpoint."""

    __tablename__ = "log_cosignature"
    log_id: uuid.UUID = Field(sa_column=part_of("campus_log"))
    size: int = Field(primary_key=True, sa_type=BigInteger)
    witness: str = Field(primary_key=True, max_length=200)
    line: str = Field(max_length=500)
    seen_at: datetime = Field(sa_column=moment())


@dataclass(frozen=True)
class Fact:
    """Something to be logged. `facts` has plain names and JSON values without fractions; minutes, not hours."""

    kind: EntryKind
    noun: str
    noun_id: uuid.UUID
    facts: Mapping[str, Any]
    about_id: uuid.UUID | None = None


def later_of(at: datetime, last: datetime | None) -> datetime:
    return at if last is None else max(at, last)


def to_the_minute(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Written:
    """A fact as it stands in the log: its leaf, and the key and the opening of what it commits to."""

    fact: Fact
    log_id: uuid.UUID
    number: int
    leaf: Leaf
    leaf_hash: bytes
    key: bytes
    opening: Opening


def entry_of(fact: Fact, log_id: uuid.UUID, number: int, *, minute: datetime) -> Written:
    """The leaf commits to the fact under a key made for it alone."""
    key = secrets.token_bytes(KEY_BYTES)
    opening = open_entry(fact.facts, key, fact.facts)
    leaf = Leaf(fact.kind.value, minute, opening.commitment)
    return Written(fact, log_id, number, leaf, leaf.hash(), key, opening)


def leaf_of(entry: LogEntry) -> Leaf:
    return Leaf(entry.kind.value, entry.at, entry.commitment)


def minutes_of(hours: float | None) -> int | None:
    """Hours as the log keeps them: a whole number has one spelling everywhere."""
    return None if hours is None else round(hours * 60)
