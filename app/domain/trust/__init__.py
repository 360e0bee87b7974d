"""A network's trust registry: its entries, its key, its published list, and the external lists it follows."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
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
from app.domain.trust.organisations import (
    LONGEST_REASON,
    EndorsementRequest,
    RequestKind,
    is_waiting,
)
from app.errors import Conflict, DeadLink, InvalidInput
from app.language import N_, gettext, speaking
from sceau_credentials.issuing.lints.wording import holds_markup
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
        raise InvalidInput("Le campus a un nom.")
    for each in (entry.name, entry.short_name):
        check_signed_name(each)
    if not _ISSUER.fullmatch(entry.issuer):
        raise InvalidInput(
            "L’adresse d’émetteur commence par « did:web: », « did:key: » ou « https:// », sans espace."
        )
    if entry.domain and not _DOMAIN.fullmatch(entry.domain):
        raise InvalidInput("Le site officiel s’écrit sans « https:// » : campus.exemple.fr")
    check_keys(entry.keys)


def check_keys(keys: Sequence[str]) -> None:
    if len(keys) > _MOST_KEYS or not all(_THUMBPRINT.fullmatch(key) for key in keys):
        raise InvalidInput(
            "Une empreinte de clé a 43 signes : c’est ce qui suit le « # » dans le nom de la clé."
        )


def move(entry: Recognition, standing: Standing, reason: str, *, at: datetime) -> None:
    """Suspend, resume or end a recognition; one that resumes holds since then, not through the time between.

    An ended one stays listed: removing it would give less information.
    """
    if len(reason) > 300:
        raise InvalidInput("Le motif tient en 300 signes.")
    if entry.standing is standing:
        raise Conflict("C’est déjà le cas.")
    entry.standing, entry.reason, entry.changed_at = standing, reason.strip(), at
    if standing is Standing.RECOGNISED:
        entry.since = at


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
    last = min(label.ends_on, date.max - timedelta(days=1)) + timedelta(days=1) if label.ends_on else None
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


# --- Two lines by a person who worked with the learner: the address is verified, the identity is not

LONGEST_WORDS: Final = 280
SHORTEST_WORDS: Final = 10
LONGEST_SIGNATURE: Final = 60
MOST_LINES: Final = 2
MOST_WAITING: Final = 5
MOST_SHOWN: Final = 10
WRITTEN_WITHIN: Final = timedelta(days=7)
"""After a learner named the address: the e-mail's link both proves it and lets its reader write."""
LINK_FOR: Final = timedelta(days=30)
"""A link that the learner shares; each reader proves an address first."""
PROOF_FOR: Final = timedelta(hours=24)
"""The link in the e-mail to an address that was typed at a shared link."""
READ_WITHIN: Final = timedelta(days=365)
"""Recommendations that the learner has not accepted are deleted afterwards, and empty rows too."""
PEER_KINDS: Final = frozenset({RequestKind.PEER, RequestKind.PEER_LINK, RequestKind.PEER_PROOF})
PEER_LINK, PEER_WRITE, PEER_WITHDRAW = "peer link", "peer write", "peer withdraw"
"""Purposes of the secrets in links: none opens what another opens."""
_REFERS = re.compile(r"@|://|\bwww\.|\]\(", re.IGNORECASE)
_STACKED = re.compile(r"[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3,}")

PEER_WORDINGS: Final = (
    N_(
        "Si la personne les accepte, ces lignes et la signature seront publiques avec le badge. L’adresse ne l’est "
        "jamais. Je pourrai tout retirer à tout moment."
    ),
)
"""What the author agrees to; the latest last, none is ever changed or removed."""


class PeerRecommendation(SQLModel, table=True):
    """Public from `accepted_at`, unless its author or the campus withdrew it. Never counted anywhere.

    `address`: for the rule that learners do not recommend themselves; shown to the learner alone.
    """

    __tablename__ = "peer_recommendation"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    award_id: uuid.UUID = Field(sa_column=foreign_key("award"))
    address: str = Field(max_length=254)
    language: str = Field(default="fr", max_length=12)
    words: str = Field(max_length=LONGEST_WORDS)
    signature: str = Field(max_length=LONGEST_SIGNATURE)
    wording: int = 1
    written_at: datetime = Field(sa_column=utc_datetime())
    accepted_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    declined_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    """By the learner, for good; the text is erased."""
    withdrawn_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    """By the author, for good; the text is erased."""
    set_aside_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    set_aside_reason: str = Field(default="", max_length=LONGEST_REASON)

    @property
    def is_over(self) -> bool:
        return self.declined_at is not None or self.withdrawn_at is not None

    @property
    def is_shown(self) -> bool:
        return self.accepted_at is not None and self.set_aside_at is None and not self.is_over

    @property
    def waits(self) -> bool:
        """For the learner's decision."""
        return self.accepted_at is None and not self.is_over


@dataclass(frozen=True)
class PeerWords:
    words: str
    signature: str


def checked_peer_words(words: str, signature: str) -> PeerWords:
    """Clean text on at most two lines: no invisible or bidirectional signs, markup, links or addresses."""
    lines = [_clean(each) for each in words[: 8 * LONGEST_WORDS].splitlines()]
    first, *others = [each for each in lines if each] or [""]
    words = "\n".join(filter(None, (first, " ".join(others))))
    signature = _clean(signature[: 8 * LONGEST_SIGNATURE])
    if len(words) < SHORTEST_WORDS:
        raise InvalidInput("Écrivez au moins une phrase : ce que vous avez vu cette personne faire.")
    if len(words) > LONGEST_WORDS:
        raise InvalidInput("Vos lignes tiennent en {most} signes.", most=LONGEST_WORDS)
    if not any(sign.isalpha() for sign in signature):
        raise InvalidInput(
            "Signez : un prénom, et ce que vous faisiez ensemble. Par exemple « Karim, même équipe »."
        )
    if len(signature) > LONGEST_SIGNATURE:
        raise InvalidInput("La signature tient en {most} signes.", most=LONGEST_SIGNATURE)
    for part in (words, signature):
        if holds_markup(part):
            raise InvalidInput("Du texte simple : pas de balise, comme « <b> ».")
        if _REFERS.search(part):
            raise InvalidInput("Ne mettez ni adresse ni lien : ces lignes se lisent seules.")
        if _STACKED.search(part):
            raise InvalidInput("Du texte simple : trop d’accents se suivent.")
    return PeerWords(words, signature)


def _clean(line: str) -> str:
    return " ".join(name_as_signed(line).split())


def check_may_ask_peer(
    before: Collection[EndorsementRequest], address: str, *, refused: bool, at: datetime
) -> None:
    """`before`: earlier requests to people about the same award."""
    if refused:
        raise Conflict("Cette adresse ne veut plus recevoir de demandes. Rien n’a été envoyé.")
    waiting = [each for each in before if each.kind is RequestKind.PEER and is_waiting(each, at=at)]
    if any(each.address == address for each in waiting):
        raise Conflict("Cette personne a déjà reçu votre demande cette semaine : laissez-lui le temps.")
    if len(waiting) >= MOST_WAITING:
        raise Conflict(
            "{most} demandes attendent déjà une réponse. Attendez qu’une d’elles en ait une.",
            most=MOST_WAITING,
        )


def check_peer_open(request: EndorsementRequest, *, at: datetime) -> None:
    """Whether its link still opens something; a link to write works once."""
    if request.refusal:
        raise DeadLink(N_("Vous avez répondu non à cette demande. Rien n’a été publié."))
    if request.answered_at is not None and request.kind is RequestKind.PEER_LINK:
        raise DeadLink(N_("Ce lien a été fermé par la personne qui l’avait partagé."))
    if request.answered_at is not None:
        raise DeadLink(
            N_(
                "Ce lien a déjà servi : vos lignes sont parties. L’e-mail de confirmation permet de les retirer."
            )
        )
    if at >= request.expires_at:
        raise DeadLink(N_("Ce lien n’ouvre plus rien : sa durée est passée. Demandez-en un autre."))
