"""Calendars that a campus follows at an address (iCalendar): when they are read, and what waits for a person."""

from __future__ import annotations

import re
import uuid
from collections.abc import Set
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from sqlmodel import Field, Index, SQLModel, UniqueConstraint

from app.domain.activities import ActivityKind
from app.domain.core import enum_column, foreign_key, json_column, new_id, utc_datetime
from app.errors import InvalidInput
from app.language import N_

MEDIA_TYPE: Final = "text/calendar"
MOST_CALENDARS: Final = 20
LONGEST_URL: Final = 1_000
READ_EVERY: Final = timedelta(hours=2)
READ_AGAIN_AFTER: Final = timedelta(minutes=5)
"""However often it is asked for."""
MOST_NEW: Final = 50
"""Activities and sessions that one reading creates; above, all wait for a person."""
MOST_CORRECTED: Final = 50
"""Lines that one reading corrects; above, all corrections wait for a person."""
_PAUSES: Final = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))
"""After each consecutive failure."""
FAILURES_BEFORE_PAUSE: Final = 14
FAILING_FOR: Final = timedelta(days=10)
"""At least, since it was last read: a member of the campus may have it read more often."""
UNREADABLE: Final = "unreadable"
"""The fault of an address that answers something else than a calendar."""
_HOST: Final = re.compile(r"(?:[a-z0-9-]+\.)+[a-z][a-z0-9-]*|localhost|127\.0\.0\.1", re.IGNORECASE)

NEW: Final = N_("Nouvelle dans l’agenda : à vous de choisir.")
MANY_NEW: Final = N_("Plus de 50 nouvelles lignes à la fois dans l’agenda : à vous de choisir.")
MANY_CORRECTED: Final = N_("Plus de 50 corrections à la fois dans l’agenda : à vous de choisir.")
IN_THE_PAST: Final = N_(
    "Modifiée dans l’agenda. Mais elle est passée, ou des personnes y sont inscrites : à vous de choisir."
)
EDITED_HERE: Final = N_("Modifiée dans l’agenda, mais aussi ici : à vous de choisir.")
SEEMS_HERE: Final = N_("Nouvelle dans l’agenda. Une activité du même jour lui ressemble : à vous de choisir.")
SERIES_MOVED: Final = N_(
    "Nouvelle séance, mais d’autres de la série ne sont plus dans l’agenda : à vous de choisir."
)
DECLINED: Final = N_("Déjà laissée de côté par votre campus.")
TO_REMOVE: Final = N_("N’est plus dans l’agenda, ou y est annulée. La séance reste ici : à vous de choisir.")
GONE: Final = N_("N’est plus dans l’agenda. L’activité reste ici, avec ce qui y est noté.")

PRIVATE: Final = N_("Événement privé : il n’est pas importé.")
NAMELESS: Final = N_("Cet événement n’a pas d’identifiant (UID).")
TWICE: Final = N_("Cet identifiant est déjà plus haut dans le fichier.")
CUT: Final = N_(
    "Série sans fin ou de plus de 60 séances : sont lues celles du {first} au {last}, à un an au plus."
)


class CalendarState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    """By a member of the campus."""
    FAILING = "failing"
    """Paused by the service, after repeated failures."""


class CalendarSubscription(SQLModel, table=True):
    """One followed calendar. `source` names its imports; files of that name go on with the same entries.

    Its address may be a secret of the campus: it is sealed, bound to this row, under the key-encryption key
    `kek_id`; pages and the API show its host alone. `waiting` counts what a person decides, by reason; `declined`
    has the choices (see `Foreseen`) that were not taken.
    """

    __tablename__ = "calendar_subscription"
    __table_args__ = (
        UniqueConstraint("campus_id", "source", name="one_calendar_for_a_source"),
        UniqueConstraint("campus_id", "url_digest", name="one_calendar_for_an_address"),
        Index("calendars_due", "state", "next_at"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus", index=False))
    source: str = Field(max_length=60)
    sealed: bytes
    kek_id: str = Field(max_length=16)
    url_digest: str = Field(max_length=64)
    """Keyed."""
    host: str = Field(max_length=255)
    kind: ActivityKind = Field(sa_column=enum_column(ActivityKind, name="calendar_kind"))
    """Of new activities without a recognised category."""
    creates: bool = False
    """Whether new activities are created without a person's choice."""
    state: CalendarState = Field(
        default=CalendarState.ACTIVE, sa_column=enum_column(CalendarState, name="calendar_state")
    )
    created_at: datetime = Field(sa_column=utc_datetime())
    next_at: datetime = Field(sa_column=utc_datetime())
    asked_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    """The last time that the other service was asked."""
    read_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    """The last time that it could be read."""
    failures: int = 0
    fault: str = Field(default="", max_length=40)
    waiting: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    declined: list[str] = Field(default_factory=list, sa_column=json_column())
    run_id: uuid.UUID | None = None
    """The report of the last import that wrote or reported something new."""

    @property
    def is_active(self) -> bool:
        return self.state is CalendarState.ACTIVE

    @property
    def waiting_count(self) -> int:
        return sum(count for kind, count in self.waiting.items() if kind not in ("digest", "refused"))

    def note_success(self, at: datetime) -> None:
        self.read_at, self.failures, self.fault, self.next_at = at, 0, "", at + READ_EVERY

    def note_failure(self, fault: str, at: datetime, *, retry_after: int = 0) -> None:
        """`retry_after`: seconds that the other service asks to wait, of which a day counts at most."""
        self.failures += 1
        self.fault = fault[:40]
        asked = timedelta(seconds=min(retry_after, int(_PAUSES[-1].total_seconds())))
        self.next_at = at + max(_PAUSES[min(self.failures, len(_PAUSES)) - 1], asked)
        if self.failures >= FAILURES_BEFORE_PAUSE and at > (self.read_at or self.created_at) + FAILING_FOR:
            self.state = CalendarState.FAILING

    def read_soon(self, at: datetime) -> None:
        self.next_at = max(at, self.asked_at + READ_AGAIN_AFTER) if self.asked_at else at

    def resume(self, at: datetime) -> None:
        self.state, self.failures, self.fault = CalendarState.ACTIVE, 0, ""
        self.read_soon(at)

    def decline(self, choices: Set[str], taken: Set[str], at: datetime) -> None:
        """What a person left out is not proposed again, until they take it."""
        self.declined = sorted((set(self.declined) | choices) - taken)[:5_000]
        self.read_soon(at)


def host_of(url: str) -> str:
    return (urlsplit(url).hostname or "")[:255]


def checked_url(typed: str) -> str:
    """As it is fetched; what may be contacted is for the guarded client."""
    url = re.sub(r"^webcals?://", "https://", typed.strip(), flags=re.IGNORECASE)
    try:
        parts = urlsplit(url)
        is_plain = parts.username is None and parts.password is None
        is_plain = is_plain and parts.port != 0
    except ValueError:
        raise InvalidInput(URL_REFUSED) from None
    is_web = parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1")
    )
    is_named = _HOST.fullmatch(parts.hostname or "") is not None
    if not (is_plain and is_web and is_named) or len(url) > LONGEST_URL or not re.fullmatch(r"[!-~]+", url):
        raise InvalidInput(URL_REFUSED)
    return url


URL_REFUSED: Final = N_(
    "Donnez l’adresse https de l’agenda, sans mot de passe. Exemple : https://agenda.exemple.fr/activites.ics"
)
