"""All public URLs, built from the configured base URL alone (M12)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from urllib.parse import urlsplit

import orjson
from sqlmodel import CheckConstraint, Field, Index, SQLModel, UniqueConstraint, text

from app.domain.core import (
    foreign_key,
    index_where,
    new_id,
    primary_foreign_key,
    utc_datetime,
)
from sceau_credentials.status_list import sequence_of
from sceau_credentials.values import DocumentSource
from sceau_credentials.verification.report import EndorsementAnswer

TO_WALLET: Final = "portefeuille"
BADGES_API: Final = "/ims/ob/v3p0"
"""The path of the Open Badges API, which the standard fixes."""

_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's 32 digits: no I, L, O or U, to avoid confusion with 1 or 0."""
_MISREAD: Final = str.maketrans("ILO", "110")
_LENGTH: Final = 12
_KEPT_BITS: Final = 5 * _LENGTH
_DROPPED_BITS: Final = 128 - _KEPT_BITS
_BETWEEN: Final = re.compile(r"[\s‐‑–—.,;)»/-]+")


def short_code(award_id: uuid.UUID) -> str:
    """The first sixty bits of the award's random number, as « K7QM-29XF-4R8T »."""
    number = award_id.int >> _DROPPED_BITS
    digits = "".join(_DIGITS[number >> shift & 31] for shift in range(_KEPT_BITS - 5, -1, -5))
    return f"{digits[:4]}-{digits[4:8]}-{digits[8:]}"


def near_codes(typed: str) -> list[str]:
    """Every code that differs from the input by one typing error; empty if the input cannot be a code.

    A typing error is one character changed, dropped or added, or two neighbours swapped.
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
    """The first and last ids with that prefix; None if it cannot be a short URL.

    Lower case, missing hyphens and O for 0 are accepted.
    """
    digits = _BETWEEN.sub("", code[:40]).upper().translate(_MISREAD)
    if len(digits) != _LENGTH or any(digit not in _DIGITS for digit in digits):
        return None
    number = 0
    for digit in digits:
        number = number << 5 | _DIGITS.index(digit)
    first = number << _DROPPED_BITS
    return uuid.UUID(int=first), uuid.UUID(int=first | (1 << _DROPPED_BITS) - 1)


_PORTFOLIO_PATH = re.compile(r"/portfolio/([0-9a-f-]{36})(?:/integrer|/pour/([^/]{1,80}))?/?")
_SHORT_PATH = re.compile(r"/v/([^/]{1,40})/?")
_BESIDE_AWARD = re.compile(
    r"(/attributions/[0-9a-f-]{36})/(?:integrer|personne|campus|trace|carte\.png|code\.svg)/?"
)
_AWARD_PATH = re.compile(r"/attributions/([0-9a-f-]{36})(?:\.(?:json|jwt|png|svg|zip))?/?")


class ServiceDocuments(DocumentSource, Protocol):
    """The documents of this service at once, those of others by fetching."""

    def alone(self) -> DocumentSource:
        """Own documents only: never waits for a remote server."""
        ...

    def endorsement_anew(self, judge: Callable[[], EndorsementAnswer]) -> EndorsementAnswer:
        """What no cached key of its signer signed is judged once more by the keys published now."""
        ...


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
        """The signed list of the campuses that a network recognises."""
        return f"{self.network(slug)}/campus-reconnus.json"

    def network_list(self, slug: str) -> str:
        """The status list of the labels that a network gave."""
        return f"{self.network(slug)}/statuts"

    def label(self, label_id: uuid.UUID) -> str:
        return f"{self.base_url}/labels/{label_id}"

    def log_origin(self, slug: str, epoch: int) -> str:
        """The name of a campus's activity log: its URL without a scheme (C2SP tlog-checkpoint)."""
        return f"{self.host}/campus/{slug}/journal" + (f"/{epoch}" if epoch > 1 else "")

    def award(self, award_id: uuid.UUID) -> str:
        return f"{self.base_url}/attributions/{award_id}"

    def short(self, award_id: uuid.UUID) -> str:
        """Leads to the award's page, and is short enough to be typed from paper."""
        return f"{self.base_url}/v/{short_code(award_id)}"

    def short_in_print(self, award_id: uuid.UUID) -> str:
        """The same without its scheme, as people read and type it."""
        return f"{self.host}/v/{short_code(award_id)}"

    def portfolio(self, portfolio_id: uuid.UUID) -> str:
        return f"{self.base_url}/portfolio/{portfolio_id}"

    def lti(self, slug: str) -> str:
        """The endpoints of a campus for course platforms."""
        return f"{self.base_url}/lti/{slug}"

    def lti_launch(self, slug: str) -> str:
        return f"{self.lti(slug)}/lancement"

    def wallet(self, slug: str) -> str:
        """The endpoints of a campus for wallets."""
        return f"{self.campus(slug)}/portefeuille"

    def wallet_offer(self, slug: str, reference: str) -> str:
        return f"{self.wallet(slug)}/offres/{reference}"

    def presentation(self, reference: str) -> str:
        """The page where a learner reads who asks for a badge, and answers."""
        return f"{self.base_url}/demandes-de-badge/{reference}"

    def request_object(self, reference: str) -> str:
        """Where a wallet reads the same request, signed."""
        return f"{self.base_url}/presentations/{reference}/demande"

    def presentation_answer(self, reference: str) -> str:
        return f"{self.base_url}/presentations/{reference}/reponse"

    @property
    def badges_api(self) -> str:
        """The Open Badges API, for applications that learners connect."""
        return f"{self.base_url}{BADGES_API}"

    @property
    def badge_type(self) -> str:
        """The type of every badge as SD-JWT."""
        return f"{self.base_url}/types/badge"

    def evidence(self, award_id: uuid.UUID) -> str:
        return f"{self.base_url}/preuves/{award_id}"

    def badge(self, badge_id: uuid.UUID) -> str:
        return f"{self.base_url}/badges/{badge_id}"

    def version(self, badge_id: uuid.UUID, number: int) -> str:
        return f"{self.base_url}/badges/{badge_id}/v{number}"

    def competency(self, competency_id: uuid.UUID, number: int | None = None) -> str:
        """A competency as it is, or one version of it: its page, and its CASE item."""
        return f"{self.base_url}/competences/{competency_id}" + (f"/v{number}" if number else "")

    def picture(self, badge_id: uuid.UUID, number: int, form: str) -> str:
        return f"{self.version(badge_id, number)}/image.{form}"

    def status_list(self, list_id: uuid.UUID) -> str:
        return f"{self.base_url}/statuts/{list_id}"

    def suspension_list(self, list_id: uuid.UUID) -> str:
        """The list of the suspended credentials that have their slots in this status list."""
        return f"{self.status_list(list_id)}.suspensions"

    def token_list(self, list_id: uuid.UUID) -> str:
        """The same list as a Status List Token."""
        return f"{self.status_list(list_id)}.statuslist"

    @property
    def older_awards(self) -> str:
        """Common prefix of all award URLs in Open Badges 2.0."""
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
        """A person's own page for one badge, with its settings."""
        return f"{self.base_url}/mes-badges/{award_id}"

    @property
    def claiming(self) -> str:
        """The page for typing a short code."""
        return f"{self.base_url}/recuperer"

    @property
    def claiming_for_wallet(self) -> str:
        """The same, on the way into a wallet: shown to everyone present, so that it contains no personal data."""
        return f"{self.claiming}?vers={TO_WALLET}"

    def request(self, token: str) -> str:
        """A learner's page for their request."""
        return f"{self.base_url}/demandes/{token}"

    def requests_of(self, slug: str) -> str:
        """The reviewers' list of pending requests."""
        return f"{self.base_url}/gestion/{slug}/demandes"

    def parent(self, token: str) -> str:
        """The page where a parent reads what would be public, and answers."""
        return f"{self.base_url}/parent/{token}"

    def archive(self, token: str) -> str:
        """The page for downloading one's personal data."""
        return f"{self.base_url}/archive/{token}"

    def erasure(self, token: str) -> str:
        """The page for confirming the erasure of one's personal data."""
        return f"{self.base_url}/effacement/{token}"

    def organisation(self, organisation_id: uuid.UUID) -> str:
        return f"{self.base_url}/organisations/{organisation_id}"

    def organisation_list(self, organisation_id: uuid.UUID) -> str:
        """The status list of an organisation's endorsements."""
        return f"{self.organisation(organisation_id)}/statuts"

    def organisation_desk(self, token: str) -> str:
        """An organisation's page of all its statements here."""
        return f"{self.base_url}/organisations/gerer/{token}"

    def endorsement(self, endorsement_id: uuid.UUID) -> str:
        return f"{self.base_url}/recommandations/{endorsement_id}"

    def survey(self, code: str, mark: str = "") -> str:
        """The survey of an activity; `mark` in the link sent to one participant."""
        return "/".join(filter(None, (self.base_url, "avis", code, mark)))

    def endorse(self, token: str) -> str:
        """The page where an organisation reads an endorsement request, and signs."""
        return f"{self.base_url}/recommander/{token}"

    def withdraw_endorsement(self, token: str) -> str:
        return f"{self.base_url}/recommandations/retirer/{token}"

    def peer_link(self, token: str) -> str:
        """Shared by a learner: a reader proves an address there."""
        return f"{self.base_url}/temoigner/{token}"

    def peer_write(self, token: str) -> str:
        return f"{self.base_url}/temoigner/ecrire/{token}"

    def peer_withdraw(self, token: str) -> str:
        return f"{self.base_url}/temoigner/retirer/{token}"

    def reminders(self, token: str) -> str:
        return f"{self.base_url}/rappels/{token}"

    def sign_in_link(self, secret: str) -> str:
        return f"{self.base_url}/connexion/{secret}"

    def campus_webhook(self, slug: str, webhook_id: uuid.UUID) -> str:
        return f"{self.base_url}/gestion/{slug}/webhooks/{webhook_id}"

    def campus_calendars(self, slug: str) -> str:
        return f"{self.base_url}/gestion/{slug}/reprises/agendas"

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
        """The redirect URL for another sign-in service."""
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
        """The award that `url` belongs to, if it is one of this service's pages or files."""
        return self._named_by(url, _AWARD_PATH)

    def portfolio_named_by(self, url: str) -> tuple[uuid.UUID, str] | None:
        """A portfolio, and its link for one reader or empty: by its page, its frame or that link."""
        portfolio_id = self._named_by(url, _PORTFOLIO_PATH)
        found = _PORTFOLIO_PATH.fullmatch(urlsplit(url.strip()).path) if portfolio_id else None
        return (portfolio_id, found.group(2) or "") if portfolio_id and found else None

    def award_beside(self, url: str) -> str:
        """The address of the award to which the frame, picture or inner page at `url` belongs; else `url`."""
        try:
            found = _BESIDE_AWARD.fullmatch(urlsplit(url.strip()).path) if self.is_ours(url.strip()) else None
        except ValueError:
            return url
        return f"{self.base_url}{found.group(1)}" if found else url

    def code_named_by(self, url: str) -> str:
        """The twelve characters of a short URL of this service, as typed; empty for anything else."""
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
LIST_TTL = timedelta(minutes=1)
"""Readers that keep a list for as long see a withdrawal within a minute, in each of its forms."""
LABEL_LIST_TTL = timedelta(minutes=5)
LIST_LIFE = timedelta(days=7)
_OPEN = text("closed_at IS NULL")


class StatusList(SQLModel, table=True):
    """Its published forms are signed together, weekly and when a bit changes."""

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
    status_token: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The Token Status List, for credentials as SD-JWT."""
    suspensions: bytes = Field(default=b"", sa_column_kwargs={"server_default": ""})
    suspensions_token: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The same slots for the purpose `suspension`: what is suspended, and what is revoked."""
    published_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    sequence: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """How often it was signed.

    Part of the signed data, and also stored outside the database: it only increases.
    """


class StatusSlot(SQLModel, table=True):
    """One credential's index in a status list.

    Never deleted, never reused (I03); `raised_at` never goes back (I04).
    """

    __tablename__ = "status_slot"
    __table_args__ = (
        index_where("slots_suspended", "suspended_until", known="suspended_until"),
        UniqueConstraint("award_id", name="one_slot_per_award"),
        CheckConstraint("position >= 0", name="slot_position_not_negative"),
    )
    list_id: uuid.UUID = Field(sa_column=primary_foreign_key("status_list"))
    position: int = Field(primary_key=True)
    award_id: uuid.UUID
    """No foreign key: an erased award retains its slot."""
    raised_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))
    suspended_until: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


def has_room(status_list: StatusList) -> bool:
    """A half-full list gets a successor: free random indices stay easy to find, and reveal no order."""
    return status_list.used < status_list.size // 2


@dataclass(frozen=True)
class SignedList:
    """One list in its forms: with an embedded proof, as a token (D-014), and as a Status List Token.

    `suspensions` and `suspensions_token` have the same slots for the purpose `suspension`.
    """

    embedded: bytes
    token: str
    signed_at: datetime | None
    sequence: int = 0
    status_token: str = ""
    suspensions: bytes = b""
    suspensions_token: str = ""

    def is_due(self, *, at: datetime) -> bool:
        """Re-signed at half its lifetime, so that readers never see a list about to expire."""
        if not (self.token and self.status_token and self.suspensions):  # signed before lists had these forms
            return True
        if (
            sequence_of(orjson.loads(self.suspensions)) != self.sequence
        ):  # then, by a program older than suspensions
            return True
        return self.signed_at is None or at - self.signed_at >= LIST_LIFE / 2


def signed_form(status_list: StatusList) -> SignedList:
    return SignedList(
        status_list.published,
        status_list.token,
        status_list.published_at,
        status_list.sequence,
        status_list.status_token,
        status_list.suspensions,
        status_list.suspensions_token,
    )


@dataclass(frozen=True)
class AnchoredList:
    """A signed list from the anchor folder, which is outside the database and its backups."""

    list_id: uuid.UUID
    campus_id: uuid.UUID
    size: int
    signed: SignedList

    def is_newer_than(self, other: SignedList | None) -> bool:
        """Whether `other`, read from the database, is from an older backup or another branch of the list."""
        if other is None or self.signed.sequence != other.sequence:
            return other is None or self.signed.sequence > other.sequence
        return self.signed.embedded != other.embedded


def newest_of(anchored: AnchoredList | None, stored: SignedList | None) -> SignedList | None:
    """What is published: never an older edition than before."""
    return anchored.signed if anchored is not None and anchored.is_newer_than(stored) else stored


def anchored_form(status_list: StatusList) -> AnchoredList:
    return AnchoredList(status_list.id, status_list.campus_id, status_list.size, signed_form(status_list))
