"""A campus's append-only activity log; personal data is stored apart from the entries that commit to it."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger
from sqlmodel import CheckConstraint, Field, Index, SQLModel, UniqueConstraint

from app.domain.activities import Activity, Participation, hours_of
from app.domain.activities.files import StoredFile
from app.domain.awards import Award
from app.domain.badges import BadgeVersion
from app.domain.campus.campus import SealedKey
from app.domain.core import (
    enum_column,
    foreign_key,
    index_where,
    json_column,
    new_id,
    primary_foreign_key,
    utc_datetime,
)
from app.domain.learners.portfolios import Contribution, ContributionState
from app.domain.people.consents import reference_of
from app.domain.publishing import Addresses
from app.errors import Conflict, InvalidInput
from app.language import N_
from sceau_credentials.evidence.documents import KEY_BYTES, Leaf, Opening, open_entry
from sceau_credentials.evidence.judging import SIGNING_KEY, content_digest
from sceau_credentials.keys import VerificationKey, encode_base64url
from sceau_credentials.values import JsonObject, format_timestamp


class EntryKind(StrEnum):
    """The only content of an entry itself: coarse, so that it identifies no person."""

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
    """One log of one campus, and its size; `edge` is the frontier of its tree.

    Only entries lost with an older backup open the next `epoch`: a log must never fork.
    """

    __tablename__ = "campus_log"
    __table_args__ = (
        UniqueConstraint("campus_id", "epoch", name="one_log_per_epoch"),
        index_where("one_open_log", "campus_id", where="closed_at IS NULL", unique=True),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    epoch: int = 1
    origin: str = Field(unique=True, max_length=300)
    size: int = Field(default=0, sa_type=BigInteger)
    edge: bytes = b""
    opened_at: datetime = Field(sa_column=utc_datetime())
    last_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    """When the last entry was appended, to the second: no later entry has an earlier date."""
    closed_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


CORRECTED_OR_ERASED: Final = "kind IN ('correction', 'erasure')"


class LogEntry(SQLModel, table=True):
    """One leaf of the tree, and its hash when written; never changed, never deleted."""

    __tablename__ = "log_entry"
    __table_args__ = (
        CheckConstraint("number >= 0", name="log_numbers_from_zero"),
        index_where("log_corrections_and_erasures", "log_id", "kind", "number", where=CORRECTED_OR_ERASED),
    )
    log_id: uuid.UUID = Field(sa_column=primary_foreign_key("campus_log"))
    number: int = Field(primary_key=True, sa_type=BigInteger)
    kind: EntryKind = Field(sa_column=enum_column(EntryKind, name="log_entry_kind"))
    at: datetime = Field(sa_column=utc_datetime())
    commitment: bytes
    leaf_hash: bytes


class LogPayload(SQLModel, table=True):
    """An entry's content and its key, erased together; about the row `noun_id`, and the person `about_id`."""

    __tablename__ = "log_payload"
    __table_args__ = (Index("log_payload_of_noun", "noun", "noun_id"), Index("log_payload_about", "about_id"))
    log_id: uuid.UUID = Field(sa_column=primary_foreign_key("campus_log"))
    number: int = Field(primary_key=True, sa_type=BigInteger)
    noun: str = Field(max_length=40)
    noun_id: uuid.UUID
    about_id: uuid.UUID | None = None
    key: bytes
    facts: dict[str, Any] = Field(sa_column=json_column())


class LogTile(SQLModel, table=True):
    """A full tile of 256 hashes, and the hash over all of them, which is stored in the tile above."""

    __tablename__ = "log_tile"
    log_id: uuid.UUID = Field(sa_column=primary_foreign_key("campus_log"))
    level: int = Field(primary_key=True)
    place: int = Field(primary_key=True, sa_type=BigInteger)
    hashes: bytes
    root: bytes


class LogCheckpoint(SQLModel, table=True):
    """The signed checkpoint of the log at one size: one note per size, never replaced."""

    __tablename__ = "log_checkpoint"
    log_id: uuid.UUID = Field(sa_column=primary_foreign_key("campus_log"))
    size: int = Field(primary_key=True, sa_type=BigInteger)
    root: bytes
    note: str
    signed_at: datetime = Field(sa_column=utc_datetime())


class LogCosignature(SQLModel, table=True):
    """A witness's signature line under a checkpoint."""

    __tablename__ = "log_cosignature"
    log_id: uuid.UUID = Field(sa_column=primary_foreign_key("campus_log"))
    size: int = Field(primary_key=True, sa_type=BigInteger)
    witness: str = Field(primary_key=True, max_length=200)
    line: str = Field(max_length=500)
    seen_at: datetime = Field(sa_column=utc_datetime())


@dataclass(frozen=True)
class Fact:
    """A fact to log. `facts` has plain names and JSON values without fractions: minutes, not hours."""

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
    """A logged fact: its leaf, and the key and opening of its commitment."""

    fact: Fact
    log_id: uuid.UUID
    number: int
    leaf: Leaf
    leaf_hash: bytes
    key: bytes
    opening: Opening


def entry_of(fact: Fact, log_id: uuid.UUID, number: int, *, minute: datetime) -> Written:
    """The leaf commits to the fact under a key generated for it alone."""
    key = secrets.token_bytes(KEY_BYTES)
    opening = open_entry(fact.facts, key, fact.facts)
    leaf = Leaf(fact.kind.value, minute, opening.commitment)
    return Written(fact, log_id, number, leaf, leaf.hash(), key, opening)


def leaf_of(entry: LogEntry) -> Leaf:
    return Leaf(entry.kind.value, entry.at, entry.commitment)


def minutes_of(hours: float | None) -> int | None:
    """Hours as stored in the log: whole minutes have one spelling everywhere."""
    return None if hours is None else round(hours * 60)


CONTRIBUTION: Final = "contribution"
ARTEFACT: Final = "artefact"
_LINKS: Final = uuid.UUID("6a3f2f0e-5a0b-4a57-9c2f-6a8a1d6f5b10")


def contribution_fact(
    contribution: Contribution, activity: Activity | None, *, corrects: int | None = None, reason: str = ""
) -> Fact:
    """As a trainer confirmed it; a correction repeats all facts and names the entry it replaces."""
    facts: dict[str, Any] = {
        "title": contribution.title,
        "contribution": contribution.telling,
        "startsOn": contribution.done_on.isoformat(),
        "endsOn": contribution.done_on.isoformat(),
        "minutes": minutes_of(contribution.hours),
        "part": contribution.part.value,
        "confirmed": contribution.state is ContributionState.CONFIRMED,
        "by": str(contribution.decided_by or ""),
        "person": str(contribution.person_id),
    }
    if activity is not None:
        facts |= {"activity": activity.title, "activityKind": activity.kind.value}
    if corrects is not None:
        facts |= {"corrects": corrects, "reason": reason}
    return Fact(EntryKind.CONTRIBUTION, CONTRIBUTION, contribution.id, facts, contribution.person_id)


def file_fact(file: StoredFile, **more: Any) -> Fact:
    """A file by the digest of its bytes; `more` is what it belongs to."""
    return Fact(
        EntryKind.CONTRIBUTION,
        ARTEFACT,
        file.id,
        {**_file_facts(file), **more, **({"person": str(file.person_id)} if file.person_id else {})},
        file.person_id,
    )


def removal_fact(file: StoredFile, *, corrects: int, reason: str) -> Fact:
    """The file was deleted; its digest remains, so that copies elsewhere can still be identified."""
    return Fact(
        EntryKind.CONTRIBUTION,
        ARTEFACT,
        file.id,
        {
            "contentDigest": file.digest,
            "mediaType": file.media_type,
            "removed": True,
            "corrects": corrects,
            "reason": reason,
        },
        file.person_id,
    )


def link_fact(contribution: Contribution, link: str) -> Fact:
    """The link as text: its target is never fetched."""
    facts = {"link": link, "person": str(contribution.person_id)}
    return Fact(EntryKind.CONTRIBUTION, ARTEFACT, link_id(contribution, link), facts, contribution.person_id)


def link_id(contribution: Contribution, link: str) -> uuid.UUID:
    return uuid.uuid5(_LINKS, f"{contribution.id} {link}")


def _file_facts(file: StoredFile) -> dict[str, Any]:
    return {
        "artefact": file.name,
        "words": file.words,
        "mediaType": file.media_type,
        "bytes": file.size,
        "contentDigest": file.digest,
    }


MOST_FAULTS: Final = 200
"""How many faults a check stores in detail; all are counted."""


class IntegrityCheck(SQLModel, table=True):
    """One check of the whole database; `steps` run in order, resuming after `done_steps` if interrupted."""

    __tablename__ = "integrity_check"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    asked_at: datetime = Field(sa_column=utc_datetime())
    asked_by: str = Field(max_length=120)
    done_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    steps: int = 0
    done_steps: int = 0
    checked: dict[str, int] = Field(default_factory=dict, sa_column=json_column())
    fault_count: int = 0
    faults: list[list[str]] = Field(default_factory=list, sa_column=json_column())


class PictureDigest(SQLModel, table=True):
    """SHA-256 of a frozen version's pictures, computed when it was frozen."""

    __tablename__ = "picture_digest"
    version_id: uuid.UUID = Field(sa_column=primary_foreign_key("badge_version"))
    png: str = Field(max_length=64)
    svg: str = Field(max_length=64)


def picture_digests(version: BadgeVersion) -> dict[str, str]:
    """By form, as recorded in the log and in the row beside the version."""
    return {
        "png": hashlib.sha256(version.picture_png).hexdigest(),
        "svg": hashlib.sha256(version.picture_svg.encode()).hexdigest(),
    }


class Damage(StrEnum):
    EMBEDDED_DIGEST = "embedded_digest"
    TOKEN_DIGEST = "token_digest"  # noqa: S105
    EMBEDDED_SIGNATURE = "embedded_signature"
    TOKEN_SIGNATURE = "token_signature"  # noqa: S105
    UNKNOWN_KEY = "unknown_key"
    UNREADABLE = "unreadable"
    FORMS_DIFFER = "forms_differ"
    OTHER_AWARD = "other_award"
    FACT_DIFFERS = "fact_differs"
    NO_DOCUMENT = "no_document"
    NO_SLOT = "no_slot"
    OTHER_SLOT = "other_slot"
    STATE_DIFFERS = "state_differs"
    LOG_DIFFERS = "log_differs"
    LOG_MISSING = "log_missing"
    LIST_SIGNATURE = "list_signature"
    LIST_BIT = "list_bit"
    LIST_OLDER = "list_older"
    PICTURE_CHANGED = "picture_changed"
    DEFINITION_CHANGED = "definition_changed"
    FILE_CHANGED = "file_changed"
    DOCUMENT_SIGNATURE = "document_signature"
    DOCUMENT_DIFFERS = "document_differs"
    PLACE_LOWERED = "place_lowered"
    COUNT_DIFFERS = "count_differs"
    PERSON_GONE = "person_gone"
    LOG = "log"


SENTENCES: Final = {
    Damage.EMBEDDED_DIGEST: N_("Attribution {where} : le badge signé (JSON) a changé depuis sa signature."),
    Damage.TOKEN_DIGEST: N_("Attribution {where} : le badge signé (JWT) a changé depuis sa signature."),
    Damage.EMBEDDED_SIGNATURE: N_("{where} : la signature du JSON ne vaut plus."),
    Damage.TOKEN_SIGNATURE: N_("{where} : la signature du JWT ne vaut plus."),
    Damage.UNKNOWN_KEY: N_("{where} : signé par une clé que le campus n’a jamais publiée."),
    Damage.UNREADABLE: N_("{where} : le document signé ne se lit plus."),
    Damage.FORMS_DIFFER: N_("{where} : le JSON et le JWT ne disent pas la même chose."),
    Damage.OTHER_AWARD: N_("Attribution {where} : le badge signé est celui d’une autre attribution."),
    Damage.FACT_DIFFERS: N_("Attribution {where} : la base ne dit plus ce qui a été signé ({detail})."),
    Damage.NO_DOCUMENT: N_("Attribution {where} : le badge signé manque."),
    Damage.NO_SLOT: N_("Attribution {where} : sa place dans la liste de statuts manque."),
    Damage.OTHER_SLOT: N_(
        "Attribution {where} : sa place dans la liste de statuts n’est pas celle qui a été signée."
    ),
    Damage.STATE_DIFFERS: N_(
        "Attribution {where} : la base et la liste de statuts ne disent pas le même état."
    ),
    Damage.LOG_DIFFERS: N_(
        "Attribution {where} : le journal a décidé un autre badge que celui qui est gardé."
    ),
    Damage.LOG_MISSING: N_("Attribution {where} : la ligne du journal qui la décide manque."),
    Damage.LIST_SIGNATURE: N_(
        "Liste de statuts {where} : sa signature ne vaut plus, ou ses deux formes diffèrent."
    ),
    Damage.LIST_BIT: N_("Liste de statuts {where} : la place {detail} ne dit pas ce que dit la base."),
    Damage.LIST_OLDER: N_("Liste de statuts {where} : une édition plus récente a été publiée."),
    Damage.PICTURE_CHANGED: N_("Badge {where} : l’image {detail} a changé depuis la première attribution."),
    Damage.DEFINITION_CHANGED: N_("Badge {where} : sa définition n’est plus celle que le journal a notée."),
    Damage.FILE_CHANGED: N_("Pièce {where} : le fichier a changé depuis son dépôt."),
    Damage.DOCUMENT_SIGNATURE: N_("{where} : sa signature ne vaut plus."),
    Damage.DOCUMENT_DIFFERS: N_("{where} : la base ne dit plus ce qui a été signé ({detail})."),
    Damage.COUNT_DIFFERS: N_(
        "Comptes du rapport, {where} : ils différaient de la base, et sont comptés de nouveau."
    ),
    Damage.PLACE_LOWERED: N_(
        "{where} : la place {detail} a été publiée comme retirée, et la base ne le dit plus."
    ),
    Damage.PERSON_GONE: N_(
        "Journal {where}, ligne {detail} : elle parle encore d’une personne qui n’existe plus."
    ),
    Damage.LOG: N_("Journal {where} : {detail}"),
}


class FoundLeaf(NamedTuple):
    """One damaged item: `where` is a number, `detail` names the part."""

    damage: Damage
    where: str
    detail: str = ""


def merged(counts: dict[str, int], more: dict[str, int]) -> dict[str, Any]:
    return {name: counts.get(name, 0) + more.get(name, 0) for name in counts.keys() | more.keys()}


PARTICIPATION, AWARD, ASSESSMENT, DEFINITION, KEY, ERASURE = (
    "participation",
    "award",
    "assessment",
    "badge_version",
    "signing_key",
    "erasure",
)
LAST_SIZES = "lastSizes"


def participation_fact(
    activity: Activity, participation: Participation, practised: Sequence[uuid.UUID] = ()
) -> Fact:
    """`practised` are the competencies that the activity practises now."""
    return Fact(
        EntryKind.PARTICIPATION,
        PARTICIPATION,
        participation.id,
        participation_facts(activity, participation, practised),
        participation.person_id,
    )


def correction_fact(
    activity: Activity,
    participation: Participation,
    practised: Sequence[uuid.UUID] = (),
    *,
    corrects: int,
    reason: str,
) -> Fact:
    """Repeats all facts and names the entry it replaces."""
    return Fact(
        EntryKind.CORRECTION,
        PARTICIPATION,
        participation.id,
        {**participation_facts(activity, participation, practised), "corrects": corrects, "reason": reason},
        participation.person_id,
    )


def participation_facts(
    activity: Activity, participation: Participation, practised: Sequence[uuid.UUID]
) -> dict[str, Any]:
    """All facts of an entry about one person's participation."""
    said: dict[str, Any] = {
        "activity": activity.title,
        "activityKind": activity.kind.value,
        "startsOn": activity.starts_on.isoformat(),
        "endsOn": activity.ends_on.isoformat(),
        "place": activity.place,
        "minutes": minutes_of(hours_of(participation, activity)),
        "part": participation.part.value,
        "present": participation.is_present,
        "contribution": participation.contribution,
        "person": str(participation.person_id),
    }
    return said | {"practised": [str(each) for each in practised]} if practised else said


def assessment_fact(award: Award, version: BadgeVersion) -> Fact:
    """The awarder's assessment, in the text that the credential contains."""
    return Fact(
        EntryKind.ASSESSMENT,
        ASSESSMENT,
        award.id,
        {
            "text": award.evidence,
            "badge": version.name,
            "by": str(award.awarded_by or ""),
            "person": str(award.person_id),
        },
        award.person_id,
    )


def award_fact(
    award: Award,
    credential: JsonObject,
    entries: Sequence[int],
    addresses: Addresses,
    signing_key: VerificationKey,
) -> Fact:
    """The decision: the exact credential, the log entries it rests on, and the key that will sign it."""
    return Fact(
        EntryKind.AWARD,
        AWARD,
        award.id,
        {
            "award": addresses.award(award.id),
            "credential": content_digest(credential),
            "entries": list(entries),
            SIGNING_KEY: signing_key.thumbprint(),
        },
        award.person_id,
    )


def revocation_fact(award: Award, reason: str, addresses: Addresses) -> Fact:
    return Fact(
        EntryKind.REVOCATION,
        AWARD,
        award.id,
        {"award": addresses.award(award.id), "reason": reason},
        award.person_id,
    )


def definition_fact(version: BadgeVersion, addresses: Addresses) -> Fact:
    return Fact(
        EntryKind.DEFINITION,
        DEFINITION,
        version.id,
        {
            "definition": addresses.version(version.badge_id, version.number),
            "digest": encode_base64url(hashlib.sha256(version.definition).digest()),
            **picture_digests(version),
        },
    )


def key_fact(key: SealedKey, last_sizes: Mapping[str, int] | None = None) -> Fact:
    """A key's current state; for an ended log key, also the last tree it vouches for, by the log's epoch."""
    return Fact(
        EntryKind.KEY,
        KEY,
        key.id,
        {
            "method": key.method_id,
            "purpose": key.purpose.value,
            "state": key.state.value,
            "thumbprint": VerificationKey.from_jwk(key.public_jwk).thumbprint(),
        }
        | ({"stolenSince": format_timestamp(key.revoked_at)} if key.revoked_at else {})
        | ({LAST_SIZES: dict(last_sizes)} if last_sizes is not None else {}),
    )


def erasure_fact(erasure_id: uuid.UUID, entries: int) -> Fact:
    """Data was erased on request: how many entries, under which reference; the person is not named."""
    facts = {"entries": entries, "reference": reference_of(erasure_id)}
    return Fact(EntryKind.ERASURE, ERASURE, erasure_id, facts)


class LogDispute(SQLModel, table=True):
    """`said` is the person's statement; `answer` is the campus's, once there is one."""

    __tablename__ = "log_dispute"
    __table_args__ = (Index("log_disputes_of_line", "log_id", "number"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    log_id: uuid.UUID = Field(sa_column=foreign_key("campus_log", index=False))
    number: int = Field(sa_type=BigInteger)
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    said: str = Field(max_length=1000)
    made_at: datetime = Field(sa_column=utc_datetime())
    answer: str = Field(default="", max_length=1000)
    answered_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


def check_words(text: str) -> str:
    words = text.strip()
    if not 5 <= len(words) <= 1000:
        raise InvalidInput("Dites en une phrase ce qui ne va pas, en 1 000 signes au plus.")
    return words


def answer_dispute(dispute: LogDispute, text: str, *, at: datetime) -> None:
    if dispute.answered_at is not None:
        raise Conflict("Cette demande a déjà sa réponse.")
    words = text.strip()
    if not 5 <= len(words) <= 1000:
        raise InvalidInput("Répondez en une phrase : la personne la lira.")
    dispute.answer, dispute.answered_at = words, at


class LogWitness(SQLModel, table=True):
    """An external witness of the campus's log; `vkey` is the public key of its cosignatures (C2SP)."""

    __tablename__ = "log_witness"
    __table_args__ = (UniqueConstraint("campus_id", "name", name="one_witness_by_name"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    name: str = Field(max_length=200)
    label: str = Field(max_length=200)
    vkey: str = Field(max_length=400)
    named_at: datetime = Field(sa_column=utc_datetime())
    retired_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


class LogReview(SQLModel, table=True):
    """One recomputation of a log from its rows, from entry `since` on: the request and the result.

    `edge` is the frontier of the tree at `size`, where nothing was wrong; a later review may start there. `kinds`
    counts the entries before `size`; empty in older reviews.
    """

    __tablename__ = "log_review"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    log_id: uuid.UUID = Field(sa_column=foreign_key("campus_log"))
    asked_at: datetime = Field(sa_column=utc_datetime())
    asked_by: str = Field(max_length=120)
    done_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    since: int = Field(default=0, sa_type=BigInteger)
    size: int | None = Field(default=None, sa_type=BigInteger)
    edge: bytes | None = None
    kinds: dict[str, int] = Field(default_factory=dict, sa_column=json_column())
    faults: list[list[str]] = Field(default_factory=list, sa_column=json_column())
