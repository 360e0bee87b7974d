"""Passkeys."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlmodel import Session as Transaction
from sqlmodel import col, delete, select

from app.domain.accounts.passkeys import Passkey


class PasskeyStore:
    def __init__(self, session: Transaction) -> None:
        self.session = session

    def add(self, row: Passkey) -> None:
        self.session.add(row)
        self.session.flush()

    def has_any(self, person_id: uuid.UUID) -> bool:
        query = select(Passkey.id).where(Passkey.person_id == person_id)
        return self.session.exec(query.limit(1)).first() is not None

    def list_of(self, person_id: uuid.UUID) -> Sequence[Passkey]:
        query = select(Passkey).where(Passkey.person_id == person_id)
        return self.session.exec(query.order_by(col(Passkey.created_at), col(Passkey.id))).all()

    def find(self, credential_id: str) -> Passkey | None:
        """Locked until the transaction ends: its count grows by one answer at a time."""
        query = select(Passkey).where(Passkey.credential_id == credential_id)
        return self.session.exec(query.with_for_update()).first()

    def remove(self, passkey: Passkey) -> None:
        self.session.delete(passkey)
        self.session.flush()

    def remove_all_of(self, person_id: uuid.UUID) -> int:
        return self.session.exec(delete(Passkey).where(col(Passkey.person_id) == person_id)).rowcount
