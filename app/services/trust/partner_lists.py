"""Status lists of issuers hosted here that are no campus: of what a network gives, and of what an organisation says."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from app.domain.publishing.status import LIST_LIFE, LIST_TTL
from app.domain.trust.organisations import LIST_SIZE
from app.services.publishing.publication import Published
from app.services.publishing.signing import Signers
from sceau_credentials.model import BitstringStatusListEntry
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.proofs.vc_jwt import sign_jwt
from sceau_credentials.status_list import StatusList as Bits
from sceau_credentials.status_list import status_entry, status_list_credential
from sceau_credentials.values.json_text import dump_json

logger = structlog.get_logger(__name__)


class PlaceAnchors(Protocol):
    """The positions of a list that were ever withdrawn, kept apart from the database and its backups."""

    def withdrawn(self, url: str) -> frozenset[int]: ...

    def advance_withdrawn(self, url: str, positions: frozenset[int]) -> None: ...


def anchored_places(anchors: PlaceAnchors, url: str, raised: Iterable[int]) -> frozenset[int]:
    """What the database says is withdrawn and what was ever withdrawn; the anchor knows both from now on."""
    known, stored = anchors.withdrawn(url), frozenset(raised)
    if stored - known:
        try:
            anchors.advance_withdrawn(url, stored)
        except OSError as error:
            logger.error("anchor not moved", kind=type(error).__name__, list=url)
    return known | stored


def signed_list(
    anchors: PlaceAnchors,
    url: str,
    *,
    issuer: str,
    raised: Iterable[int],
    signers: Signers,
    at: datetime,
    form: str = "json",
    final: bool = False,
) -> Published:
    """Signed when it is read, the same for five minutes unless something is withdrawn meanwhile. What was
    withdrawn stays so, even where an older copy of the database was restored.

    `final`: without an end, for a service that stops; what is withdrawn later is not in it.
    """
    at = _beginning_of(at, LIST_TTL)
    bits = Bits(LIST_SIZE)
    for position in anchored_places(anchors, url, raised):
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
    """A random one, which says nothing of how many there are."""
    position = secrets.randbelow(LIST_SIZE)
    while is_taken(position):
        position = secrets.randbelow(LIST_SIZE)
    return position


def entry_at(url: str, position: int) -> BitstringStatusListEntry:
    return BitstringStatusListEntry.from_document(status_entry(url, position))


def _beginning_of(at: datetime, period: timedelta) -> datetime:
    seconds = int(period.total_seconds())
    return at - timedelta(seconds=int(at.timestamp()) % seconds)
