"""Rate limits per endpoint, counted by e-mail address or by client network."""

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


@dataclass(frozen=True)
class Allowance:
    """What is left of the limit LIMITS[name]. `reset`: seconds until its window ends; with nothing left, until the
    next request is accepted."""

    name: str
    remaining: int
    reset: int


_FIVE_MINUTES = timedelta(minutes=5)
# A whole school shares one network address: network limits must allow for all its staff, and for a class of
# phones scanning one code.
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
    "sender of a campus": Limit(10, timedelta(hours=24)),
    "code of a sender": Limit(10, timedelta(hours=24)),
    "look-ups of a campus": Limit(60, timedelta(hours=1)),
    # Drawing one takes up to five seconds of a processor.
    "pictures of a campus": Limit(120, timedelta(hours=1)),
    "webhooks of a campus": Limit(60, timedelta(hours=1)),
    "calendars of a campus": Limit(60, timedelta(hours=1)),
    "failed token": Limit(30, _FIVE_MINUTES),
    # Two thousand lines take seconds of a processor.
    "lists of a token": Limit(30, timedelta(minutes=1)),
    # Sixty thousand content lines take about a second.
    "calendars of a token": Limit(20, timedelta(minutes=1)),
    # A campus of a hundred thousand people is read within a minute.
    "requests of a token": Limit(3_000, timedelta(minutes=1)),
    # A program may award badges to thousands of learners in one request, but not to the same few repeatedly.
    "awards of a token": Limit(300, timedelta(minutes=1)),
    "short address": Limit(600, timedelta(minutes=10)),
    # A recruiter may check an afternoon's candidates from the address of a whole company.
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
    # A whole school signs in at ten o'clock; so few tries do not suffice to guess a code.
    "request from a network": Limit(40, timedelta(hours=1)),
    "request to an address": Limit(3, timedelta(minutes=15)),
    "request file": Limit(60, timedelta(hours=1)),
    # Enough for a class that writes to its companies, too few to harass strangers.
    "endorsement from a network": Limit(40, timedelta(hours=1)),
    "endorsement of somebody": Limit(5, timedelta(hours=24)),
    "endorsement of a campus": Limit(40, timedelta(hours=24)),
    "endorsement to an address": Limit(3, timedelta(hours=24)),
    "endorsing": Limit(60, timedelta(hours=1)),
    "peers of somebody": Limit(10, timedelta(hours=24)),
    # E-mails to readers of a shared link, apart from the requests of the learner.
    "proofs at a link": Limit(10, timedelta(hours=24)),
    "peers from a network": Limit(40, timedelta(hours=1)),
    "contribution": Limit(300, timedelta(hours=1)),
    "parent": Limit(20, timedelta(hours=1)),
    "archive": Limit(20, timedelta(hours=1)),
    "erasure": Limit(10, timedelta(hours=1)),
    "presence": Limit(3_000, _FIVE_MINUTES),
    "survey": Limit(1_500, _FIVE_MINUTES),
    # A lecture hall behind one address answers over some minutes; a script stuffs no survey.
    "survey answer": Limit(100, _FIVE_MINUTES),
    # A class adds its badges from one address: four requests each.
    "wallet": Limit(1_200, _FIVE_MINUTES),
    "wrong wallet code": Limit(30, _FIVE_MINUTES),
    "wallet offers of a badge": Limit(20, timedelta(hours=1)),
    # A company that recruits asks its candidates one after the other; each request makes a key.
    "badge request": Limit(60, timedelta(hours=1)),
    # Several pages wait for their answers, and reload every few seconds without a script.
    "badge request read": Limit(2_400, _FIVE_MINUTES),
    # A wallet that is refused tries again; each answer may read documents of other issuers.
    "answers to a badge request": Limit(20, timedelta(minutes=10)),
    "parts of a badge": Limit(60, timedelta(hours=1)),
    "registration of an application": Limit(10, timedelta(hours=1)),
    # Apart from the school's own programs: a page full of images of this API does not cut them off.
    "failed application token": Limit(30, _FIVE_MINUTES),
    # By application: one server stands for many learners, who disconnect it as they like.
    "refused grant of an application": Limit(300, _FIVE_MINUTES),
    "connected application": Limit(1_200, _FIVE_MINUTES),
    "added by an application": Limit(120, timedelta(hours=1)),
    # A school's calendars are read by one address, each every few hours.
    "public calendar": Limit(600, _FIVE_MINUTES),
    # A class opens a course at once, from one address: a login and a launch each.
    "launch": Limit(1_200, _FIVE_MINUTES),
    "requests to a platform": Limit(60, timedelta(hours=1)),
    "cosignature": Limit(600, _FIVE_MINUTES),
}


class RateCount(SQLModel, table=True):
    """The count of one time window; `key` does not reveal the address it derives from."""

    __tablename__ = "rate_count"
    key: str = Field(primary_key=True, max_length=160)
    window: int = Field(primary_key=True, sa_type=BigInteger)
    count: int
    expires_at: datetime = Field(sa_column=utc_datetime(index=True))


class Limiter(Protocol):
    def hit(self, name: str, who: str) -> Allowance | None:
        """Count one more; raises TooMany without counting. None without a limit, or without its counts."""

    def check(self, name: str, who: str) -> None:
        """Raises TooMany if one more would exceed the limit."""


def network_of(host: str) -> str:
    """The network of one client: an IPv4 address, or an IPv6 /64."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host[:100]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
