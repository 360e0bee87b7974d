"""Sessions: who uses a browser, how and when they proved it, and when a new proof is required."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from app.domain.core import enum_column, foreign_key, json_column, new_id, utc_datetime
from app.errors import InvalidInput, NotAllowed, NotSignedIn
from app.language import N_

LEARNER_SESSION_LIFE = timedelta(days=1)
FRESH = timedelta(minutes=30)
"""How long a proof counts as recent."""
BETWEEN_SIGHTINGS = timedelta(minutes=1)


class Proof(StrEnum):
    """How a person proved their identity; a private link proves access to one award, not an identity."""

    LINK = "link"
    PASSWORD = "password"  # noqa: S105 - a kind of proof, not a secret
    PASSKEY = "passkey"
    OIDC = "oidc"
    PRIVATE_LINK = "private_link"


class SessionKind(StrEnum):
    """What a session's secret gives access to.

    Secrets of one kind are not found when another kind is requested.
    """

    ACCOUNT = "account"
    AWARD_LINK = "award_link"


class Session(SQLModel, table=True):
    """An authenticated browser: of a person, or of a learner with access to one award.

    Each query for a session names the kind it accepts (`SessionStore.find`).
    """

    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint("(kind = 'award_link') = (award_id IS NOT NULL)", name="session_kind_fits_award"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    kind: SessionKind = Field(sa_column=enum_column(SessionKind, name="session_kind"))
    secret_digest: str = Field(unique=True, max_length=64)
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    award_id: uuid.UUID | None = Field(default=None, sa_column=foreign_key("award", nullable=True))
    created_at: datetime = Field(sa_column=utc_datetime())
    expires_at: datetime = Field(sa_column=utc_datetime())
    seen_at: datetime = Field(sa_column=utc_datetime())
    proved_by: Proof = Field(sa_column=enum_column(Proof, name="session_proof"))
    proved_at: datetime = Field(sa_column=utc_datetime())
    browser: str = Field(default="", max_length=80)
    """A short description for the person's list of sessions."""


class ReauthRequired(NotAllowed):
    """The session continues once the person proves their identity again; typed data is preserved."""

    def __init__(self, sentence: str, *, by_passkey: bool) -> None:
        super().__init__(sentence)
        self.by_passkey = by_passkey


def check_session_lives(session: Session, *, idle: timedelta, at: datetime) -> None:
    """A learner's session has no idle timeout: its absolute expiry comes within a day."""
    idle_end = session.expires_at if session.kind is SessionKind.AWARD_LINK else session.seen_at + idle
    if at >= min(session.expires_at, idle_end):
        raise NotSignedIn("Votre session est terminée. Reconnectez-vous.")


def is_sighting_due(session: Session, *, at: datetime) -> bool:
    return session.kind is SessionKind.ACCOUNT and at - session.seen_at >= BETWEEN_SIGHTINGS


def prove(
    session: Session,
    proof: Proof,
    *,
    secret_digest: str,
    needs_passkey: bool,
    at: datetime,
    proved_at: datetime | None = None,
) -> None:
    """Rotate the session's secret, so that a leaked old secret gains nothing from the new proof.

    A weaker proof never replaces a passkey where one is required, nor an older proof a newer one. `proved_at`
    defaults to `at`.
    """
    session.secret_digest = secret_digest
    session.seen_at = at
    when = proved_at or at
    is_strong = proof is Proof.PASSKEY or session.proved_by is not Proof.PASSKEY or not needs_passkey
    if is_strong and when >= session.proved_at:
        session.proved_by, session.proved_at = proof, when


def check_proved(session: Session, *, needs_passkey: bool, fresh: bool, at: datetime) -> None:
    """`needs_passkey` requires proof by passkey; `fresh` requires a proof from the last half hour."""
    if needs_passkey and session.proved_by is not Proof.PASSKEY:
        raise ReauthRequired(N_("Confirmez avec votre clé d’accès que c’est bien vous."), by_passkey=True)
    if fresh and at - session.proved_at > FRESH:
        raise ReauthRequired(
            N_("Votre dernière confirmation date de plus d’une demi-heure. Confirmez que c’est bien vous."),
            by_passkey=needs_passkey,
        )


LONGEST_TOKEN_LIFE = timedelta(days=365)


class Scope(StrEnum):
    AWARD_CREATE = "award:create"
    AWARD_REVOKE = "award:revoke"
    BADGE_WRITE = "badge:write"
    ACTIVITY_WRITE = "activity:write"
    READ = "read"
    PERSON_READ = "person:read"
    """Addresses of people too, wherever they are named."""
    PERSON_WRITE = "person:write"
    """Creates people and corrects their names and addresses."""
    WEBHOOK_WRITE = "webhook:write"
    """Registers addresses to which changes are sent."""
    COMPETENCY_READ = "competency:read"
    """Competencies of people who consented."""
    PATHWAY_READ = "pathway:read"
    """Where people are on the campus's pathways."""
    CREDENTIAL_ISSUE = "credential:issue"
    """Any credential under the campus's key, for conformance suites: granted by the operator, offered on no
    page.
    """


class ApiToken(SQLModel, table=True):
    __tablename__ = "api_token"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    label: str = Field(max_length=120)
    secret_digest: str = Field(unique=True, max_length=64)
    scopes: list[str] = Field(sa_column=json_column())
    created_at: datetime = Field(sa_column=utc_datetime())
    expires_at: datetime = Field(sa_column=utc_datetime())
    revoked_at: datetime | None = Field(default=None, sa_column=utc_datetime(nullable=True))


def digest_of(secret: str) -> str:
    """Secrets here are 256 random bits, so a plain SHA-256 protects them."""
    return hashlib.sha256(secret.encode()).hexdigest()


def check_token(token: ApiToken, scope: Scope, *, at: datetime) -> None:
    if token.revoked_at is not None or at >= token.expires_at:
        raise NotSignedIn("Ce jeton d’accès n’est plus valable.")
    if scope.value not in token.scopes:
        raise NotAllowed("Ce jeton d’accès n’ouvre pas ce droit : {scope}.", scope=scope.value)


def check_token_request(scopes: list[str], life: timedelta) -> None:
    unknown = [scope for scope in scopes if scope not in {known.value for known in Scope}]
    if not scopes:
        raise InvalidInput("Choisissez au moins un droit.")
    if unknown:
        raise InvalidInput(
            "Droits inconnus : {unknown}. Choisissez parmi {known}.",
            unknown=", ".join(unknown),
            known=", ".join(scope.value for scope in Scope),
        )
    if not timedelta(0) < life <= LONGEST_TOKEN_LIFE:
        raise InvalidInput("Un jeton d’accès vit de 1 à 365 jours.")


def check_token_label(label: str) -> None:
    if not label.strip() or len(label) > 120:
        raise InvalidInput("Dites pour quel logiciel est ce jeton, en 120 signes au plus.")


def reminders_proof(secret: bytes, person_id: uuid.UUID) -> str:
    """The unguessable part of the link that stops a person's reminders."""
    return hmac.new(secret, b"reminders|" + person_id.bytes, hashlib.sha256).hexdigest()[:40]


def learner_link_proof(secret: bytes, award_id: uuid.UUID, generation: int) -> str:
    """The unguessable part of a learner's private link: derived, never stored."""
    message = b"learner-link|" + award_id.bytes + generation.to_bytes(4, "big")
    return hmac.new(secret, message, hashlib.sha256).hexdigest()[:40]


LIFE = timedelta(hours=2)
MOST_FOR_ONE = 5
"""Per person; the oldest is evicted."""
LONGEST_TYPED = 1024 * 1024
"""In bytes, of a form submitted after its sender was signed out: a pasted list of ten thousand lines fits."""


class SetAside(SQLModel, table=True):
    """Encrypted; the key is only in the page that asks for the proof."""

    __tablename__ = "set_aside"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    secret_digest: str = Field(unique=True, max_length=64)
    sealed: bytes
    expires_at: datetime = Field(sa_column=utc_datetime(index=True))


DRAFT_LIFE = timedelta(hours=24)
MOST_DRAFTS = 40
"""Per person and campus; the oldest are evicted."""


class FormDraft(SQLModel, table=True):
    """What one person typed in one form of one campus, encrypted; its page shows it at an address of its own.

    Never changed: each submission is another draft, so that Back shows what stood there before.
    """

    __tablename__ = "form_draft"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=foreign_key("campus"))
    person_id: uuid.UUID = Field(sa_column=foreign_key("person"))
    sealed: bytes
    expires_at: datetime = Field(sa_column=utc_datetime(index=True))


@dataclass(frozen=True)
class WaitingFile:
    field: str
    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class WaitingForm:
    """A saved form: its target URL, the typed values and the chosen files."""

    path: str
    fields: Sequence[tuple[str, str]]
    files: Sequence[WaitingFile] = ()
