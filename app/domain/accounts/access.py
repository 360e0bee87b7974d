"""What opens a door without anybody signing in: API tokens and learners' private links. Secrets are kept hashed."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Field, SQLModel

from app.domain.core.columns import moment, new_id, points_to, words
from app.errors import InvalidInput, NotAllowed, NotSignedIn
from app.language import N_

LONGEST_TOKEN_LIFE = timedelta(days=365)


class Scope(StrEnum):
    AWARD_CREATE = "award:create"
    AWARD_REVOKE = "award:revoke"
    BADGE_WRITE = "badge:write"
    ACTIVITY_WRITE = "activity:write"
    READ = "read"
    CREDENTIAL_ISSUE = "credential:issue"
    """Any credential with the key of the campus, for conformance suites: the operator gives it, no page offers it."""


class ApiToken(SQLModel, table=True):
    __tablename__ = "api_token"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=points_to("campus"))
    label: str = Field(max_length=120)
    secret_digest: str = Field(unique=True, max_length=64)
    scopes: list[str] = Field(sa_column=words())
    created_at: datetime = Field(sa_column=moment())
    expires_at: datetime = Field(sa_column=moment())
    revoked_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


def digest_of(secret: str) -> str:
    """Secrets here are 256 random bits, so a plain SHA-256 keeps them."""
    return hashlib.sha256(secret.encode()).hexdigest()


def check_token(token: ApiToken, scope: Scope, *, at: datetime) -> None:
    if token.revoked_at is not None or at >= token.expires_at:
        raise NotSignedIn(N_("Ce jeton d’accès n’est plus valable."))
    if scope.value not in token.scopes:
        raise NotAllowed(N_("Ce jeton d’accès n’ouvre pas ce droit : {scope}."), scope=scope.value)


def check_token_request(scopes: list[str], life: timedelta) -> None:
    unknown = [scope for scope in scopes if scope not in {known.value for known in Scope}]
    if unknown or not scopes:
        raise InvalidInput(
            N_("Droits inconnus : {unknown}. Choisissez parmi {known}."),
            unknown=", ".join(unknown) or "—",
            known=", ".join(scope.value for scope in Scope),
        )
    if not timedelta(0) < life <= LONGEST_TOKEN_LIFE:
        raise InvalidInput(N_("Un jeton d’accès vit de 1 à 365 jours."))


def check_token_label(label: str) -> None:
    if not label.strip() or len(label) > 120:
        raise InvalidInput(N_("Dites pour quel logiciel est ce jeton, en 120 signes au plus."))


def reminders_proof(secret: bytes, person_id: uuid.UUID) -> str:
    """The unguessable part of the link by which a person stops reminders."""
    return hmac.new(secret, b"reminders|" + person_id.bytes, hashlib.sha256).hexdigest()[:40]


def learner_link_proof(secret: bytes, award_id: uuid.UUID, generation: int) -> str:
    """The unguessable part of a learner's private link: derived, so nothing about it needs to be stored."""
    message = b"learner-link|" + award_id.bytes + generation.to_bytes(4, "big")
    return hmac.new(secret, message, hashlib.sha256).hexdigest()[:40]
