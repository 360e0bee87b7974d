"""Passkeys: keys that stay in somebody's phone, computer or security key, and prove by a signature who is there."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlmodel import BigInteger, Field, SQLModel

from app.domain.columns import moment, new_id, points_to
from app.errors import Conflict, InvalidInput
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
