"""A network's trust registry: its entries, its key, its published list, and the external lists it follows."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlmodel import Field, Index, SQLModel, UniqueConstraint, text

from app.domain.campus.campus import Label, Network
from app.domain.campus.signed_terms import LABEL_NAMES
from app.domain.core import (
    as_signed,
    check_signed_name,
    enum_column,
    foreign_key,
    json_column,
    name_as_listed,
    name_as_signed,
    new_id,
    primary_foreign_key,
    utc_datetime,
)
from app.domain.publishing import Addresses
from app.errors import Conflict, InvalidInput
from app.language import N_, gettext, speaking
from sceau_credentials.model import BitstringStatusListEntry, EndorsementCredential, Profile
from sceau_credentials.model.achievement import EndorsementSubject
from sceau_credentials.trust import Entry, GivenLabel, Standing

LIST_LIFE: Final = timedelta(days=7)
RENEWED_AFTER: Final = timedelta(days=1)
FOLLOWED_EVERY: Final = timedelta(hours=1)
ANNOUNCED_FOR: Final = timedelta(days=90)
"""How long a retired key also signs the list, so that those who know it learn its successor."""
TRUST_CONTEXT_PATH: Final = "/contextes/confiance-v1.jsonld"
_ZONE: Final = ZoneInfo("Europe/Paris")
_ISSUER: Final = re.compile(r"(?:did:(?:web|key):|https://)[!-~]{3,580}")
_DOMAIN: Final = re.compile(
    r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_MOST_KEYS: Final = 10
_IN_SERVICE = text("retired_at IS NULL")


class NetworkKey(SQLModel, table=True):
    """A network's key for its list and its labels; encrypted like those of campuses."""

    __tablename__ = "network_key"
    __table_args__ = (
        Index(
            "one_network_key",
            "network_id",
            unique=True,
            postgresql_where=_IN_SERVICE,
            sqlite_where=_IN_SERVICE,
        ),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    network_id: uuid.UUID = Field(sa_column=foreign_key("network"))
    method_id: str = Field(unique=True, max_length=400)
    public_jwk: dict[str, Any] = Field(sa_column=json_column())
    sealed: bytes
    kek_id: str = Field(max_length=60)
    kek_version: int = Field(default=1)
    created_at: datetime = Field(sa_column=utc_datetime())
    retired_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    revoked_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))

    @property
    def did(self) -> str:
        return self.method_id.partition("#")[0]


class Recognition(SQLModel, table=True):
    """One campus in a network's register; `issuer` is its badges' issuer identifier, here or elsewhere."""

    __tablename__ = "recognition"
    __table_args__ = (UniqueConstraint("network_id", "issuer", name="recognised_once"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    network_id: uuid.UUID = Field(sa_column=foreign_key("network"))
    issuer: str = Field(max_length=600, index=True)
    name: str = Field(max_length=200)
    short_name: str = Field(default="", max_length=20)
    domain: str = Field(default="", max_length=253)
    keys: list[str] = Field(default_factory=list, sa_column=json_column())
    """Thumbprints (RFC 7638, SHA-256) of its only valid keys; empty: those that its URL publishes."""
    standing: Standing = Field(
        default=Standing.RECOGNISED, sa_column=enum_column(Standing, name="recognition_standing")
    )
    reason: str = Field(default="", max_length=300)
    since: datetime = Field(sa_column=utc_datetime())
    changed_at: datetime = Field(sa_column=utc_datetime())


class TrustEdition(SQLModel, table=True):
    """The newest edition of a network's list, as it was signed; `content` is the digest of its content."""

    __tablename__ = "trust_edition"
    network_id: uuid.UUID = Field(sa_column=primary_foreign_key("network"))
    sequence: int
    signed_at: datetime = Field(sa_column=utc_datetime())
    valid_until: datetime = Field(sa_column=utc_datetime())
    content: str = Field(max_length=64)
    body: bytes


class FollowedList(SQLModel, table=True):
    """A list that another service publishes, as last read; `sequence` only grows, even if reading fails."""

    __tablename__ = "followed_list"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    url: str = Field(unique=True, max_length=600)
    key: str = Field(max_length=400)
    """The network's key as configured by the operator (Multikey)."""
    issuer: str = Field(default="", max_length=600)
    name: str = Field(default="", max_length=300)
    sequence: int = Field(default=0)
    body: bytes = Field(default=b"")
    valid_until: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    read_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    tried_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    trouble: str = Field(default="", max_length=60)
    """A stable code for why the last reading failed; empty after a success."""
    added_at: datetime = Field(sa_column=utc_datetime())


def check_recognition(entry: Recognition) -> None:
    """Limits on the content of a register entry; each fault is reported on its own field."""
    if not entry.name.strip() or len(entry.name) > 200:
        raise InvalidInput(N_("Le campus a un nom."))
    for each in (entry.name, entry.short_name):
        check_signed_name(each)
    if not _ISSUER.fullmatch(entry.issuer):
        raise InvalidInput(
            N_("L’adresse d’émetteur commence par « did:web: », « did:key: » ou « https:// », sans espace.")
        )
    if entry.domain and not _DOMAIN.fullmatch(entry.domain):
        raise InvalidInput(N_("Le site officiel s’écrit sans « https:// » : campus.exemple.fr"))
    check_keys(entry.keys)


def check_keys(keys: Sequence[str]) -> None:
    if len(keys) > _MOST_KEYS or not all(_THUMBPRINT.fullmatch(key) for key in keys):
        raise InvalidInput(
            N_("Une empreinte de clé a 43 signes : c’est ce qui suit le « # » dans le nom de la clé.")
        )


def move(entry: Recognition, standing: Standing, reason: str, *, at: datetime) -> None:
    """Suspend, resume or end a recognition.

    An ended one stays listed: removing it would give less information.
    """
    if len(reason) > 300:
        raise InvalidInput(N_("Le motif tient en 300 signes."))
    if entry.standing is standing:
        raise Conflict(N_("C’est déjà le cas."))
    entry.standing, entry.reason, entry.changed_at = standing, reason.strip(), at


def entry_of(row: Recognition, labels: Sequence[Label], addresses: Addresses) -> Entry:
    """The entry as published; unsigned labels are not included."""
    return Entry(
        id=row.issuer,
        name=name_as_listed(row.name),
        standing=row.standing,
        short_name=name_as_listed(row.short_name),
        domain=row.domain,
        keys=tuple(row.keys),
        since=row.since,
        until=row.changed_at if row.standing is not Standing.RECOGNISED else None,
        labels=tuple(
            GivenLabel(addresses.label(label.id), label.category.value, *label_period(label))
            for label in labels
            if label.signed_at is not None and label.withdrawn_at is None
        ),
    )


def label_period(label: Label) -> tuple[datetime | None, datetime | None]:
    """From the start of the first day to the end of the last, in French local time."""
    last = label.ends_on + timedelta(days=1) if label.ends_on else None
    return _midnight(label.starts_on), _midnight(last)


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), _ZONE) if day else None


_LANGUAGE: Final = "fr"
_SAYS: Final = N_("{network} donne à « {campus} » le {label}.")


def label_credential_of(
    label: Label,
    campus_name: str,
    network: Network,
    did: str,
    addresses: Addresses,
    *,
    status: BitstringStatusListEntry,
    at: datetime,
) -> EndorsementCredential:
    """`did` is the network's. Without a first day, the label is valid from its signing."""
    valid_from, valid_until = label_period(label)
    with speaking(_LANGUAGE):
        name = gettext(LABEL_NAMES[label.category])
        comment = gettext(_SAYS).format(
            network=network.name, campus=campus_name, label=name[:1].lower() + name[1:]
        )
    return EndorsementCredential(
        id=addresses.label(label.id),
        name=name_as_signed(name),
        description=as_signed(label.note) or None,
        issuer=Profile(id=did, name=name_as_listed(network.name), url=addresses.network(network.slug)),
        valid_from=valid_from or at,
        valid_until=valid_until,
        credential_subject=EndorsementSubject(id=label.issuer, endorsement_comment=as_signed(comment)),
        credential_status=status,
    )
