"""Check-in: participants sign in by themselves with a projected code that changes every minute; one entry per
phone.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import segno
from sqlmodel import CheckConstraint, Field, SQLModel, UniqueConstraint

from app.domain.core import ALPHABET, foreign_key, new_id, utc_datetime
from app.errors import Conflict, InvalidInput, NotFound
from app.language import N_

TURN = timedelta(minutes=1)
GRACE = timedelta(seconds=30)
"""How long the previous code stays valid: a phone takes its time."""
TICKET_LIFE = timedelta(minutes=15)
"""How long the form may be filled in after a valid code was scanned, whatever code is projected by then."""
CHECK_IN_LIFETIME = timedelta(hours=4)
"""An open check-in closes automatically after this."""
LATE = timedelta(hours=6)
"""How long after it was made a signature that a phone stored without network may still arrive."""
PROMPT = timedelta(minutes=2)
"""Below this a signature is not marked as late."""
REMEMBERED_FOR = timedelta(days=180)
MOST_REMEMBERED = 8
"""Campuses that one phone's cookie may hold."""
MOST_PEOPLE = 2_000
SIGN_LENGTH, TURNING_LENGTH = 3, 4
_MEANT = str.maketrans({"O": "0", "I": "1", "L": "1"})
_BETWEEN = " -–—._/\u00a0\u202f"


class CheckIn(SQLModel, table=True):
    """One per activity or session, reopened any number of times; phones that signed stay known.

    `sign` is the prefix of its codes while it is open, unique among open check-ins.
    """

    __tablename__ = "room"
    __table_args__ = (CheckConstraint("capacity IS NULL OR capacity > 0", name="room_holds_somebody"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    activity_id: uuid.UUID = Field(sa_column=foreign_key("activity"))
    session_id: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("activity_session", nullable=True)
    )
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    sign: str | None = Field(default=None, max_length=SIGN_LENGTH, unique=True)
    capacity: int | None = None
    opened_at: datetime = Field(sa_column=utc_datetime())
    closes_at: datetime = Field(sa_column=utc_datetime())
    closed_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


class CheckInEntry(SQLModel, table=True):
    """What one phone signed.

    Its digest differs in every check-in, so that phones cannot be tracked between them.
    """

    __tablename__ = "room_entry"
    __table_args__ = (UniqueConstraint("room_id", "phone_digest", name="one_entry_per_phone"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    room_id: uuid.UUID = Field(sa_column=foreign_key("room"))
    participation_id: uuid.UUID = Field(sa_column=foreign_key("participation"))
    phone_digest: str = Field(max_length=64)
    signed_at: datetime = Field(sa_column=utc_datetime())
    received_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    """Only if it arrived late: the phone had no network."""


class WaitingSignature(SQLModel, table=True):
    """An entry under a name that several people have; linked to no person until a trainer chooses one."""

    __tablename__ = "waiting_signature"
    __table_args__ = (UniqueConstraint("room_id", "phone_digest", name="one_waiting_per_phone"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    room_id: uuid.UUID = Field(sa_column=foreign_key("room"))
    phone_digest: str = Field(max_length=64)
    given_name: str = Field(max_length=120)
    family_name: str = Field(max_length=120)
    address: str = Field(default="", max_length=254)
    under_15: bool = False
    declared: str = Field(default="", max_length=32, sa_column_kwargs={"server_default": ""})
    """The age group that the person gave; empty for one of before it was stored."""
    signed_at: datetime = Field(sa_column=utc_datetime())
    received_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


class RememberedPhone(SQLModel, table=True):
    """A phone that proposes a person's name at the check-ins of one campus, with their consent.

    Its secret gives access to nothing else: never use for sign-in.
    """

    __tablename__ = "remembered_phone"
    __table_args__ = (UniqueConstraint("secret_digest", name="one_remembered_phone_per_secret"),)
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    secret_digest: str = Field(max_length=64)
    remembered_at: datetime = Field(sa_column=utc_datetime())
    expires_at: datetime = Field(sa_column=utc_datetime())


class CheckInClosed(Conflict): ...


class CheckInFull(Conflict): ...


class OldTicket(Conflict): ...


class NoSuchCode(NotFound): ...


@dataclass(frozen=True)
class Ticket:
    """Issued to a phone that scanned a valid code: gives access to one check-in for `TICKET_LIFE`."""

    room_id: uuid.UUID
    phone: str
    given_at: datetime


def is_open(room: CheckIn, *, at: datetime) -> bool:
    return room.closed_at is None and at < room.closes_at


def check_open(room: CheckIn, *, at: datetime) -> None:
    if not is_open(room, at=at):
        raise CheckInClosed(
            N_("La liste est fermée. Dites votre nom à la personne qui anime, elle vous ajoute.")
        )


def check_place_left(room: CheckIn, signed: int) -> None:
    if room.capacity is not None and signed >= room.capacity:
        raise CheckInFull(
            N_(
                "La liste est complète : toutes les places sont prises. Dites votre nom à la personne qui anime, elle vous ajoute."
            )
        )


def check_capacity(capacity: int | None) -> None:
    if capacity is not None and not 1 <= capacity <= MOST_PEOPLE:
        raise InvalidInput("Un émargement accepte de 1 à 2 000 personnes.")


def open_check_in(room: CheckIn, *, sign: str, capacity: int | None, at: datetime) -> None:
    check_capacity(capacity)
    room.sign, room.capacity = sign, capacity
    room.opened_at, room.closes_at, room.closed_at = at, at + CHECK_IN_LIFETIME, None


def close_check_in(room: CheckIn, *, at: datetime) -> None:
    room.sign, room.closed_at = None, min(at, room.closes_at)


def new_sign() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(SIGN_LENGTH))


def code_at(secret: bytes, room: CheckIn, at: datetime) -> str:
    """The code projected at that time, without its hyphen; empty if the check-in is closed."""
    if room.sign is None or not is_open(room, at=at):
        return ""
    return room.sign + _turning(secret, room, _turn_of(at))


def is_code_of(secret: bytes, room: CheckIn, code: str, *, at: datetime) -> bool:
    """Whether that code is the current one, or was within the last `GRACE`."""
    turns = {_turn_of(at), _turn_of(at - GRACE)}
    return any(
        hmac.compare_digest(code[SIGN_LENGTH:], _turning(secret, room, turn)) for turn in sorted(turns)
    )


def seconds_left(at: datetime) -> int:
    """Until the code changes."""
    length = int(TURN.total_seconds())
    return length - int(at.timestamp()) % length


def _turn_of(at: datetime) -> int:
    return int(at.timestamp()) // int(TURN.total_seconds())


def _turning(secret: bytes, room: CheckIn, turn: int) -> str:
    signed = b"room-code|" + room.id.bytes + turn.to_bytes(8, "big")
    number = int.from_bytes(hmac.digest(secret, signed, hashlib.sha256)[:4], "big")
    return "".join(ALPHABET[(number >> 5 * place) & 31] for place in range(TURNING_LENGTH))


def shown_check_in_code(code: str) -> str:
    """7KQ-M4XD"""
    return f"{code[:SIGN_LENGTH]}-{code[SIGN_LENGTH:]}" if code else ""


def read_check_in_code(typed: str) -> str:
    """The code that was typed, normalised; raises NoSuchCode if it cannot be one."""
    signs = "".join(sign for sign in typed.upper() if sign not in _BETWEEN).translate(_MEANT)
    if len(signs) != SIGN_LENGTH + TURNING_LENGTH or any(sign not in ALPHABET for sign in signs):
        raise NoSuchCode(N_("Ce code n’est pas entier. Il a sept signes, par exemple 7KQ-M4XD."))
    return signs


def phone_digest(secret: bytes, room: CheckIn, phone: str) -> str:
    return hmac.new(secret, b"phone|" + room.id.bytes + phone.encode(), hashlib.sha256).hexdigest()


def new_phone() -> str:
    return secrets.token_hex(16)


def sealed_phone(secret: bytes, phone: str) -> str:
    """The phone's identifier for its cookie, signed against forgery."""
    return f"{phone}.{_mac(secret, b'phone-cookie|' + phone.encode())}"


def phone_in(secret: bytes, cookie: str) -> str | None:
    phone, _, mac = cookie.partition(".")
    signed = phone.encode("utf-8", "surrogateescape")
    good = hmac.compare_digest(
        mac.encode("utf-8", "surrogateescape"), _mac(secret, b"phone-cookie|" + signed).encode()
    )
    return phone if good and phone else None


def sealed_ticket(secret: bytes, ticket: Ticket) -> str:
    signed = f"{ticket.room_id.hex}.{ticket.phone}.{int(ticket.given_at.timestamp())}"
    return f"{signed}.{_mac(secret, b'room-ticket|' + signed.encode())}"


def read_ticket(secret: bytes, text: str) -> Ticket:
    """The ticket, even if expired, so that the check-in can still report why it is too late."""
    signed, _, mac = text.rpartition(".")
    expected = _mac(secret, b"room-ticket|" + signed.encode("utf-8", "surrogateescape"))
    if not hmac.compare_digest(mac.encode("utf-8", "surrogateescape"), expected.encode()):
        raise OldTicket(_SCAN_AGAIN)
    room, phone, given_at = signed.split(".")
    return Ticket(uuid.UUID(room), phone, datetime.fromtimestamp(int(given_at), UTC))


def check_ticket(ticket: Ticket, *, at: datetime) -> None:
    if at - ticket.given_at > TICKET_LIFE:
        raise OldTicket(_SCAN_AGAIN)


def time_made(ticket: Ticket, elapsed: timedelta | None, *, at: datetime) -> datetime:
    """When the phone's owner signed: `elapsed` after the code was scanned, as the phone counts.

    Never before the scan, which this service dated itself, nor after arrival.
    """
    return at if elapsed is None or elapsed < timedelta(0) else min(ticket.given_at + elapsed, at)


def is_late(room: CheckIn, made: datetime, *, at: datetime) -> bool:
    """Whether a signature needs its time of arrival beside it."""
    return at - made >= PROMPT or (made < at and not is_open(room, at=at))


def check_in_time(room: CheckIn, ticket: Ticket, made: datetime, *, at: datetime) -> None:
    """Whether a signature made then may be recorded now. `made` is `at` unless the phone had no network."""
    if not is_late(room, made, at=at):
        check_open(room, at=at)
    elif made >= (room.closed_at or room.closes_at) or at - made > LATE:
        raise CheckInClosed(_TOO_LATE)
    check_ticket(ticket, at=made)


_TOO_LATE = N_(
    "Votre signature est arrivée trop tard. Dites votre nom à la personne qui anime, elle vous ajoute."
)
_SCAN_AGAIN = N_("Vous avez lu le code il y a trop longtemps. Lisez celui qui est à l’écran, puis renvoyez.")


def _mac(secret: bytes, signed: bytes) -> str:
    return hmac.new(secret, signed, hashlib.sha256).hexdigest()[:40]


def remembered_digest(secret: bytes, phone_secret: str) -> str:
    signed = b"remembered-phone|" + phone_secret.encode("utf-8", "surrogateescape")
    return hmac.new(secret, signed, hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class ScanCode:
    """`stretches` are (column, row, length) of dark modules; `size` is how many modules a side has."""

    size: int
    stretches: tuple[tuple[int, int, int], ...]

    @classmethod
    def of(cls, text: str, *, error: str) -> ScanCode:
        """`error`: error correction level, from « l » to « h ». The smallest code that fits the text."""
        made = segno.make(text, error=error, micro=False)
        stretches = (
            (column, row, length)
            for row, modules in enumerate(made.matrix)
            for column, length in _dark_in(modules)
        )
        return cls(len(made.matrix), tuple(stretches))


def _dark_in(modules: bytearray) -> Iterator[tuple[int, int]]:
    """(first column, length) of each run of dark modules."""
    first = None
    for column, is_dark in enumerate([*modules, 0]):
        if is_dark and first is None:
            first = column
        if not is_dark and first is not None:
            yield first, column - first
            first = None
