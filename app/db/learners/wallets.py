"""Offers of badges to wallets; each step is a conditional update, so that it happens once."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, select, update

from app.domain.learners.wallets import FORGOTTEN_AFTER, MOST_TRIES, WalletOffer


class WalletStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, offer: WalletOffer) -> None:
        self.session.add(offer)
        self.session.flush()

    def drop_open(self, award_id: uuid.UUID, *, at: datetime) -> None:
        """Earlier offers of this badge that brought no credential end with a new one, even where a wallet has a
        token; expired ones of the campus go."""
        unused = (col(WalletOffer.award_id) == award_id) & col(WalletOffer.issued_at).is_(None)
        old = (col(WalletOffer.expires_at) < at - FORGOTTEN_AFTER) & col(WalletOffer.accepted_at).is_(None)
        self.session.exec(delete(WalletOffer).where(unused | old))

    def find_by_reference(self, digest: str, campus_id: uuid.UUID, *, at: datetime) -> WalletOffer | None:
        query = select(WalletOffer).where(
            WalletOffer.reference_digest == digest, WalletOffer.campus_id == campus_id, *_open(at)
        )
        return self.session.exec(query).first()

    def count_try(self, code_digest: str, campus_id: uuid.UUID, *, at: datetime) -> WalletOffer | None:
        """The open offer of this code, one try less; locked until the transaction ends."""
        mine = (col(WalletOffer.code_digest) == code_digest, col(WalletOffer.campus_id) == campus_id)
        counted = update(WalletOffer).where(*mine, *_open(at)).values(tries=col(WalletOffer.tries) + 1)
        if not self._changed(counted):
            return None
        query = select(WalletOffer).where(*mine).execution_options(populate_existing=True)
        return self.session.exec(query).first()

    def redeem(self, offer_id: uuid.UUID, token_digest: str, *, expires_at: datetime, at: datetime) -> bool:
        return self._changed(
            update(WalletOffer)
            .where(col(WalletOffer.id) == offer_id, col(WalletOffer.redeemed_at).is_(None))
            .values(redeemed_at=at, token_digest=token_digest, expires_at=expires_at)
        )

    def find_by_token(self, digest: str, campus_id: uuid.UUID, *, at: datetime) -> WalletOffer | None:
        query = select(WalletOffer).where(
            WalletOffer.token_digest == digest,
            WalletOffer.campus_id == campus_id,
            col(WalletOffer.expires_at) > at,
        )
        return self.session.exec(query.execution_options(populate_existing=True)).first()

    def issue(self, offer_id: uuid.UUID, *, at: datetime) -> bool:
        """False if the credential of this offer was already issued."""
        return self._changed(
            update(WalletOffer)
            .where(col(WalletOffer.id) == offer_id, col(WalletOffer.issued_at).is_(None))
            .values(issued_at=at)
        )

    def use_nonce(self, offer_id: uuid.UUID, digest: str) -> bool:
        """False if a credential was issued for this nonce before."""
        try:
            with self.session.begin_nested():
                return self._changed(
                    update(WalletOffer).where(col(WalletOffer.id) == offer_id).values(nonce_digest=digest)
                )
        except IntegrityError:
            return False

    def mark(self, offer_id: uuid.UUID, accepted_at: datetime | None) -> None:
        self._changed(
            update(WalletOffer).where(col(WalletOffer.id) == offer_id).values(accepted_at=accepted_at)
        )

    def accepted(self, award_id: uuid.UUID) -> datetime | None:
        """When a wallet last reported that it holds this badge."""
        query = (
            select(WalletOffer.accepted_at)
            .where(WalletOffer.award_id == award_id, col(WalletOffer.accepted_at).is_not(None))
            .order_by(col(WalletOffer.accepted_at).desc())
        )
        return self.session.exec(query).first()

    def _changed(self, statement: Any) -> bool:
        return bool(self.session.exec(statement).rowcount)


def _open(at: datetime) -> tuple[Any, ...]:
    return (
        col(WalletOffer.expires_at) > at,
        col(WalletOffer.redeemed_at).is_(None),
        col(WalletOffer.tries) < MOST_TRIES,
    )
