"""Passkeys: keys that stay in somebody's phone, computer or security key, and prove by a signature who is there."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlmodel import BigInteger, Field, SQLModel

from app.domain.core.columns import moment, new_id, points_to
from app.errors import Conflict, InvalidInput, NotSignedIn
from app.language import N_

MOST_PASSKEYS = 20
LONGEST_NAME = 60


class Passkey(SQLModel, table=True):
    """`credential_id` is in base64url; `sign_count` only grows where the authenticator counts at all."""

    __tablename__ = "passkey"
    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    person_id: uuid.UUID = Field(sa_column=points_to("person"))
    credential_id: str = Field(unique=True, max_length=1400)
    public_key: bytes
    sign_count: int = Field(default=0, sa_type=BigInteger)
    name: str = Field(max_length=LONGEST_NAME)
    created_at: datetime = Field(sa_column=moment())
    used_at: datetime | None = Field(default=None, sa_column=moment(nullable=True))


def check_passkey_name(name: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME:
        raise InvalidInput(
            N_("Donnez à cette clé un nom de 1 à {most} signes, par exemple « Téléphone »."),
            most=LONGEST_NAME,
        )


def check_room_for_passkey(count: int) -> None:
    if count >= MOST_PASSKEYS:
        raise Conflict(N_("Vous avez déjà {most} clés. Retirez-en une d’abord."), most=MOST_PASSKEYS)


@dataclass(frozen=True)
class Asking:
    """Whose key it will be: what the authenticator shows its holder, and a handle by which it names them to us."""

    handle: bytes
    name: str
    address: str


@dataclass(frozen=True)
class Question:
    """`options` is for the browser; the answer repeats `challenge` (base64url)."""

    challenge: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    challenge: str
    credential_id: str
    handle: bytes | None


@dataclass(frozen=True)
class NewKey:
    credential_id: str
    public_key: bytes
    sign_count: int


class Ceremonies(Protocol):
    def ask_for_new(self, asking: Asking, known: Iterable[str]) -> Question: ...

    def ask_for_known(self, known: Iterable[str]) -> Question: ...

    def challenge_of_new(self, response: str) -> str: ...

    def read(self, response: str) -> Answer: ...

    def check_new(self, response: str, challenge: str) -> NewKey: ...

    def check(self, response: str, challenge: str, public_key: bytes) -> int: ...


class PasskeyRefused(NotSignedIn):
    def __init__(self, sentence: str = "") -> None:
        super().__init__(
            sentence
            or N_("Cette clé d’accès n’a pas été reconnue. Recommencez, ou entrez d’une autre façon.")
        )


class CopiedKey(PasskeyRefused):
    """Two authenticators sign with what only one should hold."""

    def __init__(self, passkey_id: uuid.UUID) -> None:
        super().__init__(
            N_(
                "Cette clé d’accès semble avoir été copiée : nous ne l’acceptons pas. Demandez à l’administration de votre campus de retirer vos clés, puis enregistrez-en une nouvelle."
            )
        )
        self.passkey_id = passkey_id


def check_count(passkey: Passkey, counted: int) -> None:
    """A key that counts counts upwards (WebAuthn, section 6.1.1)."""
    if (counted or passkey.sign_count) and counted <= passkey.sign_count:
        raise CopiedKey(passkey.id)
