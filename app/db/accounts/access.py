"""API tokens, found by the digest of their secret."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlmodel import Session as Transaction
from sqlmodel import col, select

from app.domain.accounts.access import ApiToken, digest_of


class AccessStore:
    def __init__(self, session: Transaction) -> None:
        self.session = session

    def add(self, row: ApiToken) -> None:
        self.session.add(row)
        self.session.flush()

    def find_token(self, secret: str) -> ApiToken | None:
        return self.session.exec(select(ApiToken).where(ApiToken.secret_digest == digest_of(secret))).first()

    def list_tokens(self, campus_id: uuid.UUID) -> Sequence[ApiToken]:
        query = select(ApiToken).where(ApiToken.campus_id == campus_id).order_by(col(ApiToken.created_at))
        return self.session.exec(query).all()
