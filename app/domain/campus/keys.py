"""A campus's signing keys: sealed private parts, public parts for ever, and the states between."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from sqlmodel import Field, Index, SQLModel, text

from app.domain.core.columns import moment, new_id, points_to, word_of, words
from app.errors import Conflict, InvalidInput
from app.language import N_


class KeyState(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    VERIFY_ONLY = "verify_only"
    REVOKED = "revoked"
    """Somebody else may have had it since `revoked_at`: what it signed counts only where the log held it before."""


class KeyPurpose(StrEnum):
    """One key, one purpose: a log key never signs a credential."""

    CREDENTIAL = "credential"
    ACTIVITY_LOG = "activity_log"


_MOVES = {
    KeyState.PENDING: {KeyState.ACTIVE, KeyState.REVOKED},
    KeyState.ACTIVE: {KeyState.VERIFY_ONLY, KeyState.REVOKED},
    KeyState.VERIFY_ONLY: {KeyState.REVOKED},
    KeyState.REVOKED: set[KeyState](),
}
_ONE_ACTIVE = text("state = 'active'")


class SealedKey(SQLModel, table=True):
    """`sealed` opens only with the key-encryption key named beside it, which never lies in this database."""

    __tablename__ = "signing_key"
    __table_args__ = (
        Index(
            "one_active_key",
            "campus_id",
            "purpose",
            "algorithm",
            unique=True,
            postgresql_where=_ONE_ACTIVE,
            sqlite_where=_ONE_ACTIVE,
        ),
    )
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    campus_id: uuid.UUID = Field(sa_column=points_to("campus"))
    purpose: KeyPurpose = Field(
        default=KeyPurpose.CREDENTIAL, sa_column=word_of(KeyPurpose, name="key_purpose")
    )
    algorithm: str = Field(max_length=10)
    method_id: str = Field(unique=True, max_length=400)
    public_jwk: dict[str, Any] = Field(sa_column=words())
    sealed: bytes
    kek_id: str = Field(max_length=60)
    kek_version: int = Field(default=1)
    state: KeyState = Field(sa_column=word_of(KeyState, name="key_state"))
    created_at: datetime = Field(sa_column=moment())
    activated_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    retired_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))
    revoked_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


class EndingKey(Protocol):
    """A key of a network or of an organisation: in service until `retired_at`, stolen since `revoked_at`."""

    created_at: datetime
    retired_at: datetime | None
    revoked_at: datetime | None


class KeyMoveRefused(Conflict): ...


def move_key(key: SealedKey, state: KeyState, *, at: datetime) -> None:
    """Change the state of a key; the public part stays published whatever happens (I08)."""
    if state not in _MOVES[key.state]:
        raise KeyMoveRefused(
            N_("Une clé « {before} » ne peut pas devenir « {after} »."),
            before=key.state.value,
            after=state.value,
        )
    key.state = state
    match state:
        case KeyState.ACTIVE:
            key.activated_at = at
        case KeyState.VERIFY_ONLY:
            key.retired_at = at
        case KeyState.REVOKED:
            key.revoked_at = at


def may_be_retired(key: SealedKey) -> bool:
    return key.state is not KeyState.REVOKED


def check_retirement(
    key: EndingKey | SealedKey, reason: str, since: datetime | None, *, at: datetime
) -> None:
    """`since` is when the key may have been in other hands; None where it only gives way to the next."""
    if len(reason.strip()) < 5:
        raise InvalidInput(N_("Dites en une phrase pourquoi la clé est retirée : l’historique la garde."))
    if len(reason) > 500:
        raise InvalidInput(N_("Le motif tient en 500 signes."))
    if since is not None and since > at:
        raise InvalidInput(N_("Le moment de la compromission est à venir : donnez celui dont vous êtes sûr."))
    if since is not None and since < key.created_at:
        raise InvalidInput(N_("La clé n’existait pas encore à ce moment-là : donnez un moment d’après."))


def end_key(key: EndingKey, *, since: datetime | None, at: datetime) -> None:
    """Of a network's or an organisation's key; one that gave way may still be found stolen, and that is the end."""
    if key.revoked_at is not None or (since is None and key.retired_at is not None):
        raise KeyMoveRefused(N_("Cette clé est déjà retirée, et elle ne revient pas."))
    key.retired_at, key.revoked_at = key.retired_at or at, since
