"""Six digits that a badge's holder reads out: who holds the mailbox is told from who holds the file.

Nothing is stored: the ticket that the asking page keeps says what the digits are, to us alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Final

LIFE: Final = timedelta(minutes=10)
_NONCE: Final = 12
_SEAL: Final = 16
_LONGEST: Final = 200


def new_ticket(secret: bytes, award_id: uuid.UUID, *, at: datetime) -> str:
    """Good for ten minutes and that award."""
    until = int((at + LIFE).timestamp()).to_bytes(8, "big")
    told = award_id.bytes + until + secrets.token_bytes(_NONCE)
    return base64.urlsafe_b64encode(told + _seal(secret, told)).decode("ascii").rstrip("=")


def is_living_ticket(secret: bytes, ticket: str, award_id: uuid.UUID, *, at: datetime) -> bool:
    told = _told_by(secret, ticket)
    if told is None or told[:16] != award_id.bytes:
        return False
    return at < datetime.fromtimestamp(int.from_bytes(told[16:24], "big"), UTC)


def digits_of(secret: bytes, ticket: str) -> str:
    """What the letter says, as « 042 917 »; known only with the secret."""
    number = int.from_bytes(
        hmac.digest(secret, b"identity-code|" + ticket.encode(), hashlib.sha256)[:8], "big"
    )
    digits = f"{number % 1_000_000:06d}"
    return f"{digits[:3]} {digits[3:]}"


def are_digits(secret: bytes, ticket: str, typed: str) -> bool:
    """However they were spaced. Whoever guesses is stopped by the limits of the page."""
    plain = "".join(sign for sign in typed[:40] if sign.isdecimal())
    return hmac.compare_digest(plain.encode(), digits_of(secret, ticket).replace(" ", "").encode())


def _told_by(secret: bytes, ticket: str) -> bytes | None:
    if len(ticket) > _LONGEST:
        return None
    try:
        raw = base64.urlsafe_b64decode(ticket + "=" * (-len(ticket) % 4))
    except (ValueError, binascii.Error):
        return None
    told, seal = raw[:-_SEAL], raw[-_SEAL:]
    if len(told) != 24 + _NONCE or not hmac.compare_digest(seal, _seal(secret, told)):
        return None
    return told


def _seal(secret: bytes, told: bytes) -> bytes:
    return hmac.digest(secret, b"identity-ticket|" + told, hashlib.sha256)[:_SEAL]
