"""Every address under which the world finds us, built from the configured base URL alone (M12)."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from sqlmodel import CheckConstraint, Field, Index, SQLModel, UniqueConstraint, text

from app.domain.core import foreign_key, new_id, primary_foreign_key, utc_datetime

_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's 32 digits: no I, L, O or U, so that nothing is taken for a 1 or a 0."""
_MISREAD: Final = str.maketrans("ILO", "110")
_LENGTH: Final = 12
_KEPT_BITS: Final = 5 * _LENGTH
_DROPPED_BITS: Final = 128 - _KEPT_BITS
_BETWEEN: Final = re.compile(r"[\s‐‑–—.-]+")


def short_code(award_id: uuid.UUID) -> str:
    """The first sixty bits of the award's random number, as « K7QM-29XF-4R8T »."""
    number = award_id.int >> _DROPPED_BITS
    digits = "".join(_DIGITS[number >> shift & 31] for shift in range(_KEPT_BITS - 5, -1, -5))
    return f"{digits[:4]}-{digits[4:8]}-{digits[8:]}"


def near_codes(typed: str) -> list[str]:
    """Every code that one slip of the hand turns into what was typed; empty where that is no code at all.

    A slip is a sign changed, left out or added, or two neighbours that changed places.
    """
    digits = _BETWEEN.sub("", typed.strip()[:40]).upper().translate(_MISREAD)
    if not _LENGTH - 1 <= len(digits) <= _LENGTH + 1 or any(sign not in _DIGITS for sign in digits):
        return []
    places = range(len(digits))
    if len(digits) > _LENGTH:
        found = {digits[:at] + digits[at + 1 :] for at in places}
    elif len(digits) < _LENGTH:
        found = {digits[:at] + sign + digits[at:] for at in range(_LENGTH) for sign in _DIGITS}
    else:
        found = {digits[:at] + sign + digits[at + 1 :] for at in places for sign in _DIGITS}
        found |= {digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :] for at in range(_LENGTH - 1)}
    return sorted(found - {digits})


def ids_of_code(code: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The first and the last number that begin like that; None where it cannot be a short address.

    Typing it in small letters, without hyphens, or with O for 0 does no harm.
    """
    digits = _BETWEEN.sub("", code[:40]).upper().translate(_MISREAD)
    if len(digits) != _LENGTH or any(digit not in _DIGITS for digit in digits):
        return None
    number = 0
    for digit in digits:
        number = number << 5 | _DIGITS.index(digit)
    first = number << _DROPPED_BITS
    return uuid.UUID(int=first), uuid.UUID(int=first | (1 << _DROPPED_BITS) - 1)


_PORTFOLIO_PATH = re.compile(r"/portfolio/([0-9a-f-]{36})/?")
_SHORT_PATH = re.compile(r"/v/([^/]{1,40})/?")
_AWARD_PATH = re.compile(r"/attributions/([0-9a-f-]{36})(?:\.(?:json|jwt|png|svg|zip))?/?")


@dataclass(frozen=True)
class Addresses:
    base_url: str

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).netloc

    def campus(self, slug: str) -> str:
        return f"{self.base_url}/campus/{slug}"

    def network(self, slug: str) -> str:
        return f"{self.base_url}/reseau/{slug}"

    def trust_list(self, slug: str) -> str:
        """Where the signed list of the campuses that a network recognises is."""
        return f"{self.network(slug)}/campus-reconnus.json"

    def network_list(self, slug: str) -> str:
        """The status list of the labels that a network gave."""
        return f"{self.network(slug)}/statuts"

    def label(self, label_id: uuid.UUID) -> str:
        return f"{self.base_url}/labels/{label_id}"

    def log_origin(self, slug: str, epoch: int) -> str:
        """The name of a campus's activity log: its address without a scheme (C2SP tlog-checkpoint)."""
        return f"{self.host}/campus/{slug}/journal" + (f"/{epoch}" if epoch > 1 else "")

    def award(self, award_id: uuid.UUID) -> str:
        return f"{self.base_url}/attributions/{award_id}"

    def short(self, award_id: uuid.UUID) -> str:
        """Leads to the award's page, and is short enough to be typed off paper."""
        return f"{self.base_url}/v/{short_code(award_id)}"

    def short_in_print(self, award_id: uuid.UUID) -> str:
        """The same without its scheme, as people read and type it."""
        return f"{self.host}/v/{short_code(award_id)}"

    def portfolio(self, portfolio_id: uuid.UUID) -> str:
        return f"{self.base_url}/portfolio/{portfolio_id}"

    def evidence(self, award_id: uuid.UUID) -> str:
        return f"{self.base_url}/preuves/{award_id}"

    def badge(self, badge_id: uuid.UUID) -> str:
        return f"{self.base_url}/badges/{badge_id}"

    def version(self, badge_id: uuid.UUID, number: int) -> str:
        return f"{self.base_url}/badges/{badge_id}/v{number}"

    def picture(self, badge_id: uuid.UUID, number: int, form: str) -> str:
        return f"{self.version(badge_id, number)}/image.{form}"

    def status_list(self, list_id: uuid.UUID) -> str:
        return f"{self.base_url}/statuts/{list_id}"

    @property
    def older_awards(self) -> str:
        """Where every address of an award in Open Badges 2.0 begins."""
        return f"{self.base_url}/ob2/attributions/"

    def older_award(self, award_id: uuid.UUID) -> str:
        return f"{self.older_awards}{award_id}"

    def older_version(self, badge_id: uuid.UUID, number: int) -> str:
        return f"{self.base_url}/ob2/badges/{badge_id}/v{number}"

    def older_campus(self, slug: str) -> str:
        return f"{self.base_url}/ob2/campus/{slug}"

    def private_link(self, token: str) -> str:
        return f"{self.base_url}/recevoir/{token}"

    def my_badge(self, award_id: uuid.UUID) -> str:
        """Where a person with an account sees and governs one badge."""
        return f"{self.base_url}/mes-badges/{award_id}"

    @property
    def claiming(self) -> str:
        """Where a short code is typed."""
        return f"{self.base_url}/recuperer"

    def request(self, token: str) -> str:
        """Where somebody follows what they asked for."""
        return f"{self.base_url}/demandes/{token}"

    def requests_of(self, slug: str) -> str:
        """Where reviewers find what waits for them."""
        return f"{self.base_url}/gestion/{slug}/demandes"

    def parent(self, token: str) -> str:
        """Where a parent reads what would be public, and answers."""
        return f"{self.base_url}/parent/{token}"

    def archive(self, token: str) -> str:
        """Where somebody takes along all that is held about them."""
        return f"{self.base_url}/archive/{token}"

    def erasure(self, token: str) -> str:
        """Where somebody confirms that all about them is to go."""
        return f"{self.base_url}/effacement/{token}"

    def erasure_proof(self, erasure_id: uuid.UUID) -> str:
        """Where the proof of an erasure is read; only who is told its number finds it."""
        return f"{self.base_url}/effacements/{erasure_id}"

    def organisation(self, organisation_id: uuid.UUID) -> str:
        return f"{self.base_url}/organisations/{organisation_id}"

    def organisation_list(self, organisation_id: uuid.UUID) -> str:
        """The status list of what an organisation signed here."""
        return f"{self.organisation(organisation_id)}/statuts"

    def organisation_desk(self, token: str) -> str:
        """Where somebody of an organisation finds all that it said here."""
        return f"{self.base_url}/organisations/gerer/{token}"

    def endorsement(self, endorsement_id: uuid.UUID) -> str:
        return f"{self.base_url}/recommandations/{endorsement_id}"

    def endorse(self, token: str) -> str:
        """Where somebody of an organisation reads what they are asked to endorse, and signs."""
        return f"{self.base_url}/recommander/{token}"

    def withdraw_endorsement(self, token: str) -> str:
        return f"{self.base_url}/recommandations/retirer/{token}"

    def reminders(self, token: str) -> str:
        return f"{self.base_url}/rappels/{token}"

    def sign_in_link(self, secret: str) -> str:
        return f"{self.base_url}/connexion/{secret}"

    @property
    def account(self) -> str:
        return f"{self.base_url}/compte"

    @property
    def own_name(self) -> str:
        return f"{self.account}/nom"

    @property
    def own_addresses(self) -> str:
        return f"{self.account}/adresses"

    def confirm_address(self, token: str) -> str:
        return f"{self.own_addresses}/confirmer/{token}"

    def sign_in_service(self, name: str) -> str:
        """Where another sign-in service sends the browser back to."""
        return f"{self.base_url}/connexion/service/{name}/retour"

    def invitation(self, token: str) -> str:
        return f"{self.base_url}/invitation/{token}"

    def verifier(self) -> str:
        return f"{self.base_url}/verifier"

    def is_ours(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return f"{parts.scheme}://{parts.netloc}".lower() == self.base_url.lower()

    def award_named_by(self, url: str) -> uuid.UUID | None:
        """The award whose page or file `url` is, if it is one of ours."""
        return self._named_by(url, _AWARD_PATH)

    def portfolio_named_by(self, url: str) -> uuid.UUID | None:
        return self._named_by(url, _PORTFOLIO_PATH)

    def code_named_by(self, url: str) -> str:
        """The twelve signs of a short address of ours, as typed; empty for anything else."""
        try:
            path = urlsplit(url.strip()).path if self.is_ours(url.strip()) else ""
        except ValueError:
            return ""
        found = _SHORT_PATH.fullmatch(path)
        return found.group(1) if found else ""

    def _named_by(self, url: str, path: re.Pattern[str]) -> uuid.UUID | None:
        found = path.fullmatch(urlsplit(url.strip()).path) if self.is_ours(url.strip()) else None
        try:
            return uuid.UUID(found.group(1)) if found else None
        except ValueError:
            return None


LIST_SIZE = 131_072
LIST_TTL = timedelta(minutes=5)
LIST_LIFE = timedelta(days=7)
_OPEN = text("closed_at IS NULL")


class StatusList(SQLModel, table=True):
    """`published` and `token` are the signed list in its two forms, signed again when a bit or the week turns."""

    __tablename__ = "status_list"
    __table_args__ = (
        Index("one_open_list", "campus_id", unique=True, postgresql_where=_OPEN, sqlite_where=_OPEN),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    size: int = LIST_SIZE
    used: int = 0
    created_at: datetime = Field(sa_column=utc_datetime())
    closed_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    published: bytes = b""
    token: str = Field(default="", sa_column_kwargs={"server_default": ""})
    published_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    sequence: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """How often it was signed. It stands in what is signed, and outside the database: only forward."""


class StatusSlot(SQLModel, table=True):
    """One credential's place. Never deleted, never reused (I03); `raised_at` never goes back (I04)."""

    __tablename__ = "status_slot"
    __table_args__ = (
        UniqueConstraint("award_id", name="one_slot_per_award"),
        CheckConstraint("position >= 0", name="slot_position_not_negative"),
    )
    list_id: uuid.UUID = Field(sa_column=primary_foreign_key("status_list"))
    position: int = Field(primary_key=True)
    award_id: uuid.UUID
    """Points to an award without holding on to it: an erased award keeps its place."""
    raised_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


def has_room(status_list: StatusList) -> bool:
    """A list half full gets a successor: random places stay quick to find and say nothing about order."""
    return status_list.used < status_list.size // 2


@dataclass(frozen=True)
class SignedList:
    """One list in both its forms: with a proof inside, and as a token (D-014)."""

    embedded: bytes
    token: str
    signed_at: datetime | None
    sequence: int = 0

    def is_due(self, *, at: datetime) -> bool:
        """Signed again at half its life, so that nobody ever reads a list about to lapse."""
        if not self.token:  # written before lists were tokens as well
            return True
        return self.signed_at is None or at - self.signed_at >= LIST_LIFE / 2


def signed_form(status_list: StatusList) -> SignedList:
    return SignedList(
        status_list.published, status_list.token, status_list.published_at, status_list.sequence
    )


@dataclass(frozen=True)
class AnchoredList:
    """A signed list as the anchor folder keeps it, apart from the database and its backups."""

    list_id: uuid.UUID
    campus_id: uuid.UUID
    size: int
    signed: SignedList

    def is_newer_than(self, other: SignedList | None) -> bool:
        """Whether `other`, read from the database, comes from an older copy or from another course of the list."""
        if other is None or self.signed.sequence != other.sequence:
            return other is None or self.signed.sequence > other.sequence
        return self.signed.embedded != other.embedded


def newest_of(anchored: AnchoredList | None, stored: SignedList | None) -> SignedList | None:
    """What the world is served: never an older edition than was served before."""
    return anchored.signed if anchored is not None and anchored.is_newer_than(stored) else stored


def anchored_form(status_list: StatusList) -> AnchoredList:
    return AnchoredList(status_list.id, status_list.campus_id, status_list.size, signed_form(status_list))
