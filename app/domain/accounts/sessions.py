"""Sessions: a browser that proved who uses it, how and when, and what asks for a newer or a stronger proof."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from app.domain.core.columns import moment, new_id, points_to, word_of
from app.errors import NotAllowed, NotSignedIn
from app.language import N_

LEARNER_SESSION_LIFE = timedelta(days=1)
FRESH = timedelta(minutes=30)
"""For this long a proof is good for the acts that ask for a recent one."""
BETWEEN_SIGHTINGS = timedelta(minutes=1)


class Proof(StrEnum):
    """How somebody proved who they are; a private link proves the hold on one award and nobody's identity."""

    LINK = "link"
    PASSWORD = "password"  # noqa: S105 - a kind of proof, not a secret
    PASSKEY = "passkey"
    OIDC = "oidc"
    PRIVATE_LINK = "private_link"


class SessionKind(StrEnum):
    """What the secret of a session opens. A secret of one kind is unknown where another kind is asked for."""

    ACCOUNT = "account"
    AWARD_LINK = "award_link"


class Session(SQLModel, table=True):
    """A browser that proved something: a person's identity, or a learner's hold on one award.

    Each query for a session names the kind that it accepts (`SessionStore.find`).
    """

    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint("(kind = 'award_link') = (award_id IS NOT NULL)", name="session_kind_fits_award"),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    kind: SessionKind = Field(sa_column=word_of(SessionKind, name="session_kind"))
    secret_digest: str = Field(unique=True, max_length=64)
    person_id: uuid.UUID = Field(sa_column=points_to("person"))
    award_id: uuid.UUID | None = Field(default=None, sa_column=points_to("award", nullable=True))
    created_at: datetime = Field(sa_column=moment())
    expires_at: datetime = Field(sa_column=moment())
    seen_at: datetime = Field(sa_column=moment())
    proved_by: Proof = Field(sa_column=word_of(Proof, name="session_proof"))
    proved_at: datetime = Field(sa_column=moment())
    browser: str = Field(default="", max_length=80)
    """In a few words, for the person's own list of sessions."""


class ProofNeeded(NotAllowed):
    """The session may go on once its holder has proved again who they are: nothing is lost meanwhile."""

    def __init__(self, sentence: str, *, by_passkey: bool) -> None:
        super().__init__(sentence)
        self.by_passkey = by_passkey


def check_session_lives(session: Session, *, idle: timedelta, at: datetime) -> None:
    """A learner's session has no idle end: its absolute one comes within a day."""
    idle_end = session.expires_at if session.kind is SessionKind.AWARD_LINK else session.seen_at + idle
    if at >= min(session.expires_at, idle_end):
        raise NotSignedIn(N_("Votre session est terminée. Reconnectez-vous."))


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
    """The same session under a new secret: whoever saw the old one gains nothing by the new proof.

    A weaker proof never takes the place of a passkey where one is needed, nor an older one that of a newer.
    `proved_at` is `at` unless said.
    """
    session.secret_digest = secret_digest
    session.seen_at = at
    when = proved_at or at
    is_strong = proof is Proof.PASSKEY or session.proved_by is not Proof.PASSKEY or not needs_passkey
    if is_strong and when >= session.proved_at:
        session.proved_by, session.proved_at = proof, when


def check_proved(session: Session, *, needs_passkey: bool, fresh: bool, at: datetime) -> None:
    """Whoever needs a passkey proves a privileged act by it; a `fresh` act asks for a proof of the last half hour."""
    if needs_passkey and session.proved_by is not Proof.PASSKEY:
        raise ProofNeeded(N_("Confirmez avec votre clé d’accès que c’est bien vous."), by_passkey=True)
    if fresh and at - session.proved_at > FRESH:
        raise ProofNeeded(
            N_("Vous vous êtes identifié il y a plus d’une demi-heure. Confirmez que c’est bien vous."),
            by_passkey=needs_passkey,
        )
