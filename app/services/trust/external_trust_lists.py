"""Trust lists of external networks: verified with a pinned key, read hourly, never rolled back."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from app.db.campus import HistoryStore
from app.db.trust import RecognitionStore
from app.domain.campus.audit_log import Actor
from app.domain.core import Clock
from app.domain.publishing import LIST_LIFE, LIST_TTL
from app.domain.trust import FOLLOWED_EVERY, FollowedList
from app.domain.trust.organisations import LIST_SIZE
from app.errors import Conflict, InvalidInput, NotFound
from app.language import N_
from app.services.publishing import Published
from app.services.publishing.status import Signers
from sceau_credentials.errors import CredentialError, DocumentUnavailable
from sceau_credentials.keys import VerificationKey
from sceau_credentials.model import BitstringStatusListEntry
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.proofs.vc_jwt import sign_jwt
from sceau_credentials.status_list import StatusList as Bits
from sceau_credentials.status_list import status_entry, status_list_credential
from sceau_credentials.trust import PinnedNetwork, TrustList, TrustListRefused, read_trust_list
from sceau_credentials.values import DocumentSource, dump_json

logger = structlog.get_logger(__name__)
_ACCEPT: Final = "application/vc+ld+json, application/vc, application/json"
_ADDRESS: Final = re.compile(r"https?://[!-~]{4,590}")

FOLLOWING_TROUBLES: Final = {
    "other_network": N_("elle est d’un autre réseau qu’avant."),
    "not_signed_by_the_network": N_("elle n’est pas signée par la clé confiée pour ce réseau."),
    "older_than_known": N_("elle est plus ancienne que l’édition déjà lue."),
    "from_the_future": N_("elle est datée d’un moment à venir."),
    "too_large": N_("elle est trop grande."),
    "too_many": N_("elle nomme trop de campus."),
    "named_twice": N_("elle nomme deux fois le même campus."),
    "malformed": N_("ce n’est pas une liste de campus reconnus."),
}
"""Why a list was rejected, by reason; any other reason is a transport error."""


@dataclass(frozen=True)
class Fetched:
    """Result of one read: a list with its bytes, or an error code."""

    listed: TrustList | None
    body: bytes = b""
    trouble: str = ""


@dataclass(frozen=True, eq=False)
class FollowedLists:
    store: RecognitionStore
    history: HistoryStore
    documents: DocumentSource
    anchors: TrustAnchors
    clock: Clock

    def list_all(self) -> Sequence[FollowedList]:
        return self.store.followed()

    def follow(self, url: str, key: str, *, by: Actor) -> FollowedList:
        """`key` must come from the network out of band; the worker reads the list immediately."""
        if not _ADDRESS.fullmatch(url):
            raise InvalidInput(N_("L’adresse de la liste commence par « https:// »."))
        pinned = _key(key)
        if self.store.find_followed(url) is not None:
            raise Conflict(
                N_("Cette liste est déjà suivie. Cessez d’abord de la suivre pour changer sa clé.")
            )
        row = FollowedList(url=url, key=pinned.to_multikey(), added_at=self.clock())
        self.store.add(row)
        self.history.write(by, "follow", "followed_list", row.id, at=self.clock())
        return row

    def unfollow(self, url: str, *, by: Actor) -> None:
        row = self.store.find_followed(url)
        if row is None:
            raise NotFound(N_("Cette liste n’est pas suivie."))
        self.store.remove(row)
        self.history.write(by, "unfollow", "followed_list", row.id, at=self.clock())

    def due(self) -> Sequence[uuid.UUID]:
        return self.store.followed_due(tried_before=self.clock() - FOLLOWED_EVERY)

    def fetch(self, list_id: uuid.UUID) -> Fetched:
        """Request the external service; use a transaction that blocks nothing."""
        row = self.store.followed_by_id(list_id)
        pinned = PinnedNetwork(_key(row.key), row.issuer)
        try:
            body = self.documents.fetch(row.url, accept=_ACCEPT).body
            known = max(row.sequence, self.anchors.edition(_followed(row))[0])
            listed = read_trust_list(body, pinned, at=self.clock(), not_below=known)
        except DocumentUnavailable as error:
            return Fetched(None, trouble=error.reason[:60])
        except TrustListRefused as error:
            logger.warning("a followed list was refused", url=row.url, reason=error.reason)
            return Fetched(None, trouble=error.reason)
        note_edition(self.anchors, _followed(row), listed.sequence)
        return Fetched(listed, body)

    def note(self, list_id: uuid.UUID, fetched: Fetched) -> None:
        """Store a newer edition; after a failed read the known edition stays and the fault is reported."""
        row, at = self.store.followed_by_id(list_id), self.clock()
        row.tried_at, row.trouble = at, fetched.trouble
        listed = fetched.listed
        if listed is not None and listed.sequence >= row.sequence:
            row.issuer, row.name, row.sequence = listed.issuer, listed.name, listed.sequence
            row.body, row.valid_until, row.read_at = fetched.body, listed.valid_until, at
            if listed.key not in ("", row.key) and self._is_signed_by(listed.key, fetched.body):
                # The pinned key signed this list, which names the next key.
                logger.warning("a followed network has another key", url=row.url, before=row.key)
                row.key = listed.key
        self.store.add(row)

    def _is_signed_by(self, key: str, body: bytes) -> bool:
        try:
            read_trust_list(body, PinnedNetwork(_key(key)), at=self.clock())
        except TrustListRefused:
            return False
        return True


def _followed(row: FollowedList) -> str:
    return f"followed {row.id}"


def _key(written: str) -> VerificationKey:
    try:
        return VerificationKey.from_multikey(written.strip())
    except CredentialError as error:
        raise InvalidInput(
            N_("Ce n’est pas une clé de réseau : elle commence par « z6Mk » et sa page la donne.")
        ) from error


class TrustAnchors(Protocol):
    """What networks published last, stored apart from the database and its backups: the ever-revoked positions
    of a list, and the highest edition of a numbered document."""

    def withdrawn(self, url: str) -> frozenset[int]: ...

    def advance_withdrawn(self, url: str, positions: frozenset[int]) -> None: ...

    def edition(self, name: str) -> tuple[int, bytes]: ...

    def advance_edition(self, name: str, number: int, body: bytes = b"") -> None: ...


def next_edition(anchors: TrustAnchors, name: str, newest: int) -> int:
    """After the newest in the database and the highest ever given, and noted: no number is given twice."""
    number = max(newest, anchors.edition(name)[0]) + 1
    note_edition(anchors, name, number)
    return number


def note_edition(anchors: TrustAnchors, name: str, number: int, body: bytes = b"") -> None:
    if anchors.edition(name)[0] < number:
        try:
            anchors.advance_edition(name, number, body)
        except OSError as error:
            logger.error("anchor not moved", kind=type(error).__name__, edition=name)


def trust_anchors(anchors: TrustAnchors, url: str, raised: Iterable[int]) -> frozenset[int]:
    """Union of the revoked positions in the database and in the anchor; stored in the anchor."""
    known, stored = anchors.withdrawn(url), frozenset(raised)
    if stored - known:
        try:
            anchors.advance_withdrawn(url, stored)
        except OSError as error:
            logger.error("anchor not moved", kind=type(error).__name__, list=url)
    return known | stored


def signed_list(
    anchors: TrustAnchors,
    url: str,
    *,
    issuer: str,
    raised: Iterable[int],
    signers: Signers,
    at: datetime,
    form: str = "json",
    final: bool = False,
) -> Published:
    """Signed when read, identical for five minutes unless something is revoked meanwhile.

    Revocations persist even after a restore of an older database copy.
    `final`: without expiry, for a service that shuts down; later revocations are not in it.
    """
    at = _beginning_of(at, LIST_TTL)
    bits = Bits(LIST_SIZE)
    for position in trust_anchors(anchors, url, raised):
        bits.set(position)
    document = status_list_credential(
        url,
        issuer=issuer,
        status_list=bits,
        purpose="revocation",
        valid_from=at,
        valid_until=None if final else at + LIST_LIFE,
        ttl=LIST_TTL,
    )
    if form == "jwt":
        token = sign_jwt(document, signer=signers.jwt, kind="vc+jwt")
        return Published.of(token.encode(), "application/vc+jwt")
    return Published.of(dump_json(add_proof(document, signer=signers.embedded, created=at)), "application/vc")


def free_place(is_taken: Callable[[int], bool]) -> int:
    """A random free slot, which does not reveal how many are used."""
    position = secrets.randbelow(LIST_SIZE)
    while is_taken(position):
        position = secrets.randbelow(LIST_SIZE)
    return position


def entry_at(url: str, position: int) -> BitstringStatusListEntry:
    return BitstringStatusListEntry.from_document(status_entry(url, position))


def _beginning_of(at: datetime, period: timedelta) -> datetime:
    seconds = int(period.total_seconds())
    return at - timedelta(seconds=int(at.timestamp()) % seconds)
