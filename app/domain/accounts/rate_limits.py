"""How often one may knock at each door, counted by address or by the network one comes from."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlmodel import BigInteger, Field, SQLModel

from app.domain.core import utc_datetime


@dataclass(frozen=True)
class Limit:
    amount: int
    per: timedelta


_FIVE_MINUTES = timedelta(minutes=5)
# A whole school stands behind one network address: limits by network leave room for a staff room, and for a
# class of phones in front of a code to scan.
LIMITS = {
    "password of an address": Limit(10, _FIVE_MINUTES),
    "link to an address": Limit(3, timedelta(minutes=15)),
    "link from a network": Limit(60, timedelta(hours=1)),
    "signing in": Limit(60, _FIVE_MINUTES),
    "address letter": Limit(60, timedelta(hours=1)),
    "address letter of somebody": Limit(10, timedelta(hours=1)),
    "code of an address": Limit(5, timedelta(hours=24)),
    "passkey question": Limit(120, _FIVE_MINUTES),
    "password of somebody": Limit(10, _FIVE_MINUTES),
    "failed sign-in": Limit(30, _FIVE_MINUTES),
    "invitations of a campus": Limit(60, timedelta(hours=1)),
    "failed token": Limit(30, _FIVE_MINUTES),
    # A program may give badges to a school of thousands, in one request; not to the same few again and again.
    "awards of a token": Limit(300, timedelta(minutes=1)),
    "short address": Limit(600, timedelta(minutes=10)),
    # A recruiter goes through an afternoon's candidates, from behind the address of a whole company.
    "verify": Limit(300, timedelta(minutes=10)),
    "verify several": Limit(30, timedelta(minutes=10)),
    "unknown code": Limit(60, timedelta(minutes=10)),
    "whose address": Limit(20, timedelta(hours=1)),
    "whose address of an award": Limit(30, timedelta(hours=1)),
    "identity letter": Limit(20, timedelta(hours=1)),
    "identity letter of an award": Limit(3, timedelta(hours=1)),
    "identity code": Limit(60, _FIVE_MINUTES),
    "identity code of a letter": Limit(5, timedelta(hours=1)),
    "question to a campus": Limit(10, timedelta(hours=1)),
    "verify by program": Limit(600, timedelta(minutes=10)),
    "form kept": Limit(60, _FIVE_MINUTES),
    "code": Limit(600, _FIVE_MINUTES),
    "wrong code": Limit(20, _FIVE_MINUTES),
    "wrong code of anybody": Limit(1_000, timedelta(hours=1)),
    # A whole school signs in at ten o'clock; a code is not guessed in so few tries.
    "request from a network": Limit(40, timedelta(hours=1)),
    "request to an address": Limit(3, timedelta(minutes=15)),
    "request file": Limit(60, timedelta(hours=1)),
    # One letter to one stranger: enough for a class that asks its companies, too little to pester anybody.
    "endorsement from a network": Limit(40, timedelta(hours=1)),
    "endorsement of somebody": Limit(5, timedelta(hours=24)),
    "endorsement of a campus": Limit(40, timedelta(hours=24)),
    "endorsement to an address": Limit(3, timedelta(hours=24)),
    "endorsing": Limit(60, timedelta(hours=1)),
    "contribution": Limit(300, timedelta(hours=1)),
    "parent": Limit(20, timedelta(hours=1)),
    "archive": Limit(20, timedelta(hours=1)),
    "erasure": Limit(10, timedelta(hours=1)),
    "presence": Limit(3_000, _FIVE_MINUTES),
    "cosignature": Limit(600, _FIVE_MINUTES),
}


class RateCount(SQLModel, table=True):
    """One count of one window; `key` says nothing of the address that it was made from."""

    __tablename__ = "rate_count"
    key: str = Field(primary_key=True, max_length=160)
    window: int = Field(primary_key=True, sa_type=BigInteger)
    count: int
    expires_at: datetime = Field(sa_column=utc_datetime(index=True))


class Limiter(Protocol):
    def hit(self, name: str, who: str) -> None:
        """Count one more; raises TooMany, and then counts nothing."""

    def check(self, name: str, who: str) -> None:
        """Raises TooMany when one more would be."""


def network_of(host: str) -> str:
    """The network that one client has to itself: an IPv4 address, or an IPv6 /64."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host[:100]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
