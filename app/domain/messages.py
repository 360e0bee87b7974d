"""E-mail messages: the queued notice to one address, and the port to the mail server."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from sqlmodel import Field, Index, SQLModel

from app.domain.activities import Activity
from app.domain.awards import Award, AwardState
from app.domain.campus.campus import Campus
from app.domain.core import enum_column, foreign_key, index_where, new_id, new_row, utc_datetime
from app.domain.people import Person, family_initial


@dataclass(frozen=True)
class LetterPicture:
    """An inline image, referenced in the HTML as `cid:name`."""

    name: str
    png: bytes


@dataclass(frozen=True)
class LetterFile:
    """An attached JSON document."""

    name: str
    body: bytes


@dataclass(frozen=True)
class Letter:
    """An outgoing message.

    `key` identifies a message that is sent again, so that mail clients drop duplicates.
    """

    to: str
    subject: str
    text: str
    html: str = ""
    to_name: str = ""
    sender_name: str = ""
    sender: str = ""
    """The author's address; empty for the service's."""
    reply_to: str = ""
    key: str = ""
    unsubscribe_url: str = ""
    language: str = ""
    pictures: tuple[LetterPicture, ...] = ()
    files: tuple[LetterFile, ...] = ()


_RESERVED = frozenset({"example", "invalid", "test", "localhost"})


def is_reserved(address: str) -> bool:
    """Whether no mail server can be behind the address (RFC 2606)."""
    return address.rpartition("@")[2].rpartition(".")[2].casefold() in _RESERVED


class Mailer(Protocol):
    def send(self, letter: Letter) -> None:
        """Hand the message to the mail server; raises LetterNotSent."""


class Reason(StrEnum):
    """Why a message was not sent, as far as the server's answer reveals."""

    UNKNOWN_ADDRESS = "unknown_address"
    MAILBOX_FULL = "mailbox_full"
    BLOCKED = "blocked"
    REFUSED = "refused"
    BAD_ADDRESS = "bad_address"
    NOT_ASCII = "not_ascii"
    LATER = "later"
    NO_ANSWER = "no_answer"
    OUR_SERVER = "our_server"
    TOO_OLD = "too_old"
    HELD = "held"
    """It waits in a restored copy: an operator releases it."""
    DEMO = "demo"
    """The recipient has a real address, and this database holds the demo."""


class LetterNotSent(OSError):
    """The server did not accept the message; its answer may contain an address and must not be logged."""

    def __init__(self, reason: Reason, server_said: str = "") -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.server_said = server_said


class LetterRefused(LetterNotSent):
    """Permanent: sending again would not help."""


class LetterDelayed(LetterNotSent):
    """Temporary: may be accepted later."""


class Occasion(StrEnum):
    """Why a message is sent: about an award, or about the recipient's own account or campus."""

    AWARDED = "awarded"
    WITHDRAWN = "withdrawn"
    SUSPENDED = "suspended"
    SUSPENSION_LIFTED = "suspension_lifted"
    NAME_CORRECTED = "name_corrected"
    KEY_REPLACED = "key_replaced"
    NAME_REFUSED = "name_refused"
    FIRST_REMINDER = "first_reminder"
    SECOND_REMINDER = "second_reminder"
    ENDS_IN_A_MONTH = "ends_in_a_month"
    ENDS_IN_A_WEEK = "ends_in_a_week"
    ENDS_TOMORROW = "ends_tomorrow"
    RENEWED = "renewed"
    INVITATION = "invitation"
    REQUEST_CONFIRM = "request_confirm"
    REQUEST_RECEIVED = "request_received"
    REQUEST_MORE = "request_more"
    REQUEST_REFUSED = "request_refused"
    REVIEW = "review"
    ERASURE = "erasure"
    ARCHIVE = "archive"
    PARENT = "parent"
    ADDRESS_CONFIRM = "address_confirm"
    ADDRESS_CHANGED = "address_changed"
    WAY_IN_CHANGED = "way_in_changed"
    ENDORSEMENT_ASKED = "endorsement_asked"
    ENDORSEMENT_SIGNED = "endorsement_signed"
    ENDORSEMENT_DESK = "endorsement_desk"
    PEER_ASKED = "peer_asked"
    PEER_PROOF = "peer_proof"
    PEER_WRITTEN = "peer_written"
    SURVEY = "survey"
    SIGN_IN = "sign_in"
    SENDER_CONFIRM = "sender_confirm"
    WEBHOOK_PAUSED = "webhook_paused"
    CALENDAR_PAUSED = "calendar_paused"


AWAITED = frozenset(
    {
        Occasion.SIGN_IN,
        Occasion.SENDER_CONFIRM,
        Occasion.ADDRESS_CONFIRM,
        Occasion.REQUEST_CONFIRM,
        Occasion.ARCHIVE,
        Occasion.ERASURE,
    }
)
"""Someone has just asked for it on a page, and waits: sent before all others."""


class LetterState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class QueuedMessage(SQLModel, table=True):
    """One queued notice to one address, stored in the transaction of the event it reports.

    `once_key` prevents duplicate notices of one event. Messages of one `envelope` are sent as one e-mail:
    several badges of one person. `not_before` is also the sender's lease: if the sender is killed, the
    message is due again then.
    """

    __tablename__ = "letter"
    __table_args__ = (
        Index("letters_due", "state", "not_before"),
        Index("letters_of_award", "award_id", "promised_at"),
        index_where("letters_sent", "occasion", "sent_at", known="sent_at"),
        index_where("letters_about", "about_id", "promised_at", known="about_id"),
        index_where("ix_letter_attempted_at", "attempted_at", known="attempted_at"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    envelope: uuid.UUID = Field(index=True)
    campus_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("campus", nullable=True))
    award_id: uuid.UUID | None = Field(
        default=None, sa_column=foreign_key("award", nullable=True, index=False)
    )
    person_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("person", nullable=True))
    about_id: uuid.UUID | None = None
    """The subject of a message that is not about an award."""
    named: str = ""
    """The item's name at the time, one per line, in case the item is deleted before the message is sent."""
    occasion: str = Field(max_length=40)
    once_key: str = Field(unique=True, max_length=120)
    address: str = Field(max_length=254)
    state: LetterState = Field(
        default=LetterState.WAITING, sa_column=enum_column(LetterState, name="letter_state")
    )
    promised_at: datetime = Field(sa_column=utc_datetime())
    not_before: datetime = Field(sa_column=utc_datetime())
    attempts: int = 0
    attempted_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    reason: str = Field(default="", max_length=40)
    server_said: str = Field(default="", max_length=300)
    sent_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    bounced_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    """A server accepted it, and a later one sent it back."""


def letter_about(
    award: Award,
    address: str,
    occasion: Occasion = Occasion.AWARDED,
    *,
    once: str = "",
    at: datetime,
    not_before: datetime | None = None,
    letter_id: uuid.UUID | None = None,
) -> QueuedMessage:
    """A queued notice of the award to its recipient at `address`, not before its undo period is over.

    `once` distinguishes messages of one occasion about the same award.
    """
    letter_id = letter_id or new_id()
    return new_row(
        QueuedMessage,
        id=letter_id,
        envelope=letter_id,
        campus_id=award.campus_id,
        award_id=award.id,
        person_id=award.person_id,
        occasion=occasion.value,
        once_key="/".join(filter(None, (occasion.value, str(award.id), once))),
        address=address,
        promised_at=at,
        not_before=not_before or at,
    )


def corrections_of(
    awards: Iterable[Award], address: str, waiting: Mapping[uuid.UUID, QueuedMessage], *, at: datetime
) -> list[QueuedMessage]:
    """One envelope for badges signed again because their holder's name was corrected.

    `waiting`: unsent notices of an earlier correction; they are merged into this one.
    """
    letters = list[QueuedMessage]()
    for award in awards:
        earlier = waiting.get(award.id)
        awarded = editions_of(earlier)[0] if earlier else award.edition - 1
        letter = letter_about(
            award, address, Occasion.NAME_CORRECTED, once=f"{awarded}-{award.edition}", at=at
        )
        letter.envelope = letters[0].id if letters else letter.id
        letters.append(letter)
    return letters


def editions_of(letter: QueuedMessage) -> tuple[int, int]:
    """The award's edition the person knew, and the edition that has the corrected name."""
    before, _, after = letter.once_key.rpartition("/")[2].partition("-")
    return int(before), int(after)


def letter_to(
    address: str,
    occasion: Occasion,
    about_id: uuid.UUID,
    *,
    once: str = "",
    named: Iterable[str] = (),
    campus_id: uuid.UUID | None = None,
    person_id: uuid.UUID | None = None,
    at: datetime,
) -> QueuedMessage:
    """A queued message that is not about an award; `once` distinguishes messages about the same thing."""
    letter_id = new_id()
    return new_row(
        QueuedMessage,
        id=letter_id,
        envelope=letter_id,
        campus_id=campus_id,
        person_id=person_id,
        about_id=about_id,
        named="\n".join(" ".join(name.split()) for name in named),
        occasion=occasion.value,
        once_key="/".join(filter(None, (occasion.value, str(about_id), once))),
        address=address,
        promised_at=at,
        not_before=at,
    )


def letters_to_administrators(
    addresses: Iterable[tuple[uuid.UUID, str]],
    occasion: Occasion,
    about_id: uuid.UUID,
    label: str,
    *,
    campus_id: uuid.UUID,
    at: datetime,
) -> list[QueuedMessage]:
    """About something that the service paused; one each time for each confirmed address."""
    return [
        letter_to(
            address,
            occasion,
            about_id,
            once=str(new_id()),
            named=[label],
            person_id=person_id,
            campus_id=campus_id,
            at=at,
        )
        for person_id, address in dict.fromkeys(addresses)  # two names of one person repeat each address
    ]


_PAUSES = (1, 5, 15, 30, 60, 180, 360, 720)
"""Minutes after each attempt; the last one repeats."""
_PAUSES_OF_SIGN_IN = (5, 15, 30, 60, 120)
"""Seconds."""
LEASE = timedelta(minutes=3)
"""How long sending one message may take before it is due again."""
LEASE_OF_SIGN_IN = timedelta(seconds=45)
PATIENCE_WITH_READERS = timedelta(days=5)
PATIENCE_WITH_US = timedelta(days=14)
SIGN_IN_PATIENCE = timedelta(minutes=30)
"""Afterwards a link to sign in is of no use."""


_KEY_SIGNS = 20


def message_key(secret: bytes, letter_id: uuid.UUID) -> str:
    """The name of the message in its identifier and envelope: only those who had it can report its failure."""
    proof = hmac.digest(secret, b"message|" + letter_id.bytes, hashlib.sha256).hex()[:_KEY_SIGNS]
    return f"{letter_id.hex}.{proof}"


def letter_named(secret: bytes, key: str) -> uuid.UUID | None:
    """None for a key that was not made here."""
    try:
        letter_id = uuid.UUID(key.partition(".")[0])
    except ValueError:
        return None
    good = hmac.compare_digest(key.encode(), message_key(secret, letter_id).encode())
    return letter_id if good else None


def take(letter: QueuedMessage, *, at: datetime) -> None:
    """Starts one more attempt; if its sender is killed, the message is due again after the lease."""
    letter.attempts += 1
    letter.attempted_at = at
    letter.not_before = at + (LEASE_OF_SIGN_IN if letter.occasion == Occasion.SIGN_IN else LEASE)


def mark_sent(letter: QueuedMessage, *, at: datetime) -> None:
    letter.state = LetterState.SENT
    letter.sent_at = at
    letter.reason = letter.server_said = ""


def mark_not_sent(letter: QueuedMessage, trouble: LetterNotSent, *, at: datetime) -> None:
    """Retry after a growing pause; after the last attempt it counts as refused."""
    letter.reason = trouble.reason.value
    letter.server_said = trouble.server_said[:300]
    patience = PATIENCE_WITH_READERS if trouble.reason is Reason.LATER else PATIENCE_WITH_US
    pause = timedelta(minutes=_after(letter.attempts, _PAUSES))
    if letter.occasion == Occasion.SIGN_IN:
        patience = SIGN_IN_PATIENCE
        pause = timedelta(seconds=_after(letter.attempts, _PAUSES_OF_SIGN_IN))
    if isinstance(trouble, LetterRefused) or at + pause > letter.promised_at + patience:
        letter.state = LetterState.REFUSED
        return
    letter.not_before = at + pause


def mark_bounced(letter: QueuedMessage, reason: Reason, server_said: str, *, at: datetime) -> bool:
    """For a message that was accepted and came back; returns whether that is new."""
    is_out = letter.state is LetterState.SENT or (letter.state is LetterState.WAITING and letter.attempts > 0)
    if not is_out:
        return False
    letter.state = LetterState.REFUSED
    letter.bounced_at = at
    letter.reason, letter.server_said = reason.value, server_said[:300]
    return True


def _after(attempts: int, pauses: Sequence[int]) -> int:
    return pauses[min(attempts, len(pauses)) - 1]


def pause_for_batch(letter: QueuedMessage, *, at: datetime) -> timedelta:
    """Delay before checking again whether its bulk award has finished; grows over time."""
    return min(max((at - letter.promised_at) / 8, timedelta(minutes=1)), timedelta(hours=1))


def is_too_old(letter: QueuedMessage, *, at: datetime) -> bool:
    """A server set up months later does not send old queued messages."""
    return at > letter.promised_at + PATIENCE_WITH_US and at > letter.not_before + timedelta(days=1)


def still_to_say(
    letter: QueuedMessage, award: Award, person: Person, campus: Campus, activity: Activity | None
) -> bool:
    """Whether the message's content is still true."""
    if letter.occasion == Occasion.WITHDRAWN:
        return award.state is AwardState.REVOKED
    if award.state is AwardState.REVOKED:
        return False
    if letter.occasion in (Occasion.SUSPENDED, Occasion.SUSPENSION_LIFTED):
        return (award.suspended_until is not None) is (letter.occasion == Occasion.SUSPENDED)
    if letter.occasion == Occasion.NAME_CORRECTED:
        return award.edition == editions_of(letter)[1]
    if letter.occasion in (Occasion.FIRST_REMINDER, Occasion.SECOND_REMINDER):
        wanted = campus.sends_reminders and (activity is None or activity.sends_reminders)
        return award.claimed_at is None and person.wants_reminders and wanted
    if letter.occasion in ENDINGS:
        ends_soon = award.valid_until is not None and award.valid_until <= letter.promised_at + BEFORE_END
        return ends_soon and person.wants_reminders and campus.sends_reminders
    return True


class Handed(StrEnum):
    """In the usual order of events."""

    REVOKED = "revoked"
    UNDONE = "undone"
    """Withdrawn before any recipient was notified."""
    SLIP = "slip"
    """No recipient address: delivered by a slip, a code or the link."""
    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"
    OPENED = "opened"
    CLAIMED = "claimed"


@dataclass(frozen=True)
class HandedOver:
    """`letter` is the last message about the badge, if any was queued."""

    state: Handed
    at: datetime | None = None
    letter: QueuedMessage | None = None


def handed_over(award: Award, letters: Sequence[QueuedMessage]) -> HandedOver:
    """The most relevant state; `letters` are all about this award, the oldest first."""
    awarded = [letter for letter in letters if letter.occasion == Occasion.AWARDED]
    last = awarded[-1] if awarded else None
    if award.undone_at is not None:
        return HandedOver(Handed.UNDONE, award.undone_at, last)
    if award.state is AwardState.REVOKED:
        return HandedOver(Handed.REVOKED, award.revoked_at, last)
    if award.claimed_at is not None:
        return HandedOver(Handed.CLAIMED, award.claimed_at, last)
    if award.link_opened_at is not None:
        return HandedOver(Handed.OPENED, award.link_opened_at, last)
    if last is None or last.state is LetterState.CANCELLED:
        return HandedOver(Handed.SLIP, None, last)
    match last.state:
        case LetterState.SENT:
            return HandedOver(Handed.SENT, last.sent_at, last)
        case LetterState.REFUSED:
            return HandedOver(Handed.REFUSED, last.bounced_at or last.attempted_at, last)
        case _:
            return HandedOver(Handed.WAITING, last.not_before, last)


def shown_name(given_name: str, family_name: str, *, whole: bool) -> str:
    """In public a first name and an initial, unless the presenter chooses otherwise."""
    if whole or not given_name or not family_name:
        name = f"{given_name} {family_name}".strip()
        return name if whole or given_name else _initials(family_name)
    return f"{given_name} {family_initial(family_name)}"


def _initials(name: str) -> str:
    """For a person recorded under a single name, its first part suffices."""
    return name.split()[0] if name.split() else ""


BETWEEN_REMINDERS = timedelta(days=6)
"""Minimum interval between reminders to one person, however many badges they have to claim."""


@dataclass(frozen=True)
class Turn:
    """A reminder is sent between `after` and `until` since the message it follows; not later."""

    occasion: Occasion
    after: timedelta
    until: timedelta


TURNS = (
    Turn(Occasion.FIRST_REMINDER, timedelta(days=7), timedelta(days=28)),
    Turn(Occasion.SECOND_REMINDER, timedelta(days=30), timedelta(days=60)),
)


BEFORE_END = timedelta(days=31)
ENDINGS: Mapping[str, tuple[timedelta, timedelta]] = {
    Occasion.ENDS_IN_A_MONTH.value: (timedelta(days=8), BEFORE_END),
    Occasion.ENDS_IN_A_WEEK.value: (timedelta(days=2), timedelta(days=8)),
    Occasion.ENDS_TOMORROW.value: (timedelta(), timedelta(days=2)),
}
"""When a badge is about to end: how long before at the latest, and at the earliest; a badge ends with its last day,
so that thirty days before it begin thirty-one before its end."""


@dataclass(frozen=True)
class Waiting:
    """An award that its holder is reminded of, and the address that was notified."""

    award: Award
    address: str
    occasion: Occasion


def grouped(waiting: Iterable[Waiting], *, at: datetime, once: str = "") -> list[QueuedMessage]:
    """One envelope for everything one person has to claim from one campus at one address.

    `once` distinguishes messages of one occasion about the same award.
    """
    envelopes: dict[tuple[uuid.UUID, uuid.UUID, str], list[QueuedMessage]] = {}
    for each in waiting:
        letters = envelopes.setdefault(
            (each.award.campus_id, each.award.person_id, each.address.casefold()), []
        )
        if any(letter.award_id == each.award.id for letter in letters):
            continue
        letter = letter_about(each.award, each.address, each.occasion, once=once, at=at)
        letter.envelope = letters[0].id if letters else letter.id
        letters.append(letter)
    return [letter for letters in envelopes.values() for letter in letters]
