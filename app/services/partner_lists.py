"""Status lists of issuers hosted here that are no campus: of what a network gives, and of what an organisation says."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from app.credentials.json_text import dump_json
from app.credentials.model import BitstringStatusListEntry
from app.credentials.proofs.data_integrity import add_proof
from app.credentials.proofs.vc_jwt import sign_jwt
from app.credentials.status_list import StatusList as Bits
from app.credentials.status_list import status_entry, status_list_credential
from app.domain.organisations import LIST_SIZE
from app.domain.status import LIST_LIFE, LIST_TTL
from app.services.publication import Published
from app.services.signing import Signers


def signed_list(
    url: str,
    *,
    issuer: str,
    raised: Iterable[int],
    signers: Signers,
    at: datetime,
    form: str = "json",
    final: bool = False,
) -> Published:
    """Signed when it is read, the same for five minutes unless something is withdrawn meanwhile.

    `final`: without an end, for a service that stops; what is withdrawn later is not in it.
    """
    at = _beginning_of(at, LIST_TTL)
    bits = Bits(LIST_SIZE)
    for position in raised:
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
