"""Offers of badges to wallets; each step is a conditional update, so that it happens once."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import null
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, func, select, update

from app.domain.learners.wallet_authorization import DpopProof, UsedProof, WalletRequest
from app.domain.learners.wallets import FORGOTTEN_AFTER, MOST_TRIES, PROOF_SKEW, WalletOffer


class WalletStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def add(self, offer: WalletOffer) -> None:
        self.session.add(offer)
        self.session.flush()

    def drop_open(self, award_id: uuid.UUID, *, but_of_request: str = "") -> None:
        """Earlier offers of this badge that brought no credential end with a new one, even where a wallet has a
        token. The answer to `but_of_request` stays: a second one is refused."""
        unused = (
            (col(WalletOffer.award_id) == award_id)
            & col(WalletOffer.issued_at).is_(None)
            & (func.coalesce(WalletOffer.request_digest, "") != (but_of_request or "none"))
        )
        self.session.exec(delete(WalletOffer).where(unused))

    def forget_old(self, at: datetime) -> None:
        """Expired offers that no wallet reported as stored, and proofs too old to be accepted again."""
        old = (col(WalletOffer.expires_at) < at - FORGOTTEN_AFTER) & col(WalletOffer.accepted_at).is_(None)
        self.session.exec(delete(WalletOffer).where(old))
        self.session.exec(delete(UsedProof).where(col(UsedProof.expires_at) < at))

    def find_by_reference(self, digest: str, campus_id: uuid.UUID, *, at: datetime) -> WalletOffer | None:
        query = select(WalletOffer).where(
            WalletOffer.reference_digest == digest, WalletOffer.campus_id == campus_id, *_open(at)
        )
        return self.session.exec(query).first()

    def find_by_state(self, digest: str, campus_id: uuid.UUID, *, at: datetime) -> WalletOffer | None:
        """The open offer that waits for its holder's consent."""
        query = select(WalletOffer).where(
            WalletOffer.state_digest == digest,
            WalletOffer.campus_id == campus_id,
            col(WalletOffer.challenge).is_(None),
            *_open(at),
        )
        return self.session.exec(query).first()

    def consent(
        self,
        offer_id: uuid.UUID,
        request: WalletRequest,
        *,
        request_digest: str,
        code_digest: str,
        expires_at: datetime,
    ) -> bool:
        """False if its holder consented before, or to the same request for another badge."""
        given = {
            "code_digest": code_digest,
            "request_digest": request_digest,
            "challenge": request.challenge,
            "client": request.client,
            "redirect": request.redirect,
            "is_identified": request.is_identified,
            "key_thumbprint": request.key_thumbprint or None,
            "expires_at": expires_at,
        }
        waiting = (col(WalletOffer.id) == offer_id, col(WalletOffer.challenge).is_(None))
        try:
            with self.session.begin_nested():
                return self._changed(update(WalletOffer).where(*waiting).values(**given))
        except IntegrityError:
            return False

    def count_try(
        self, code_digest: str, campus_id: uuid.UUID, *, needs_consent: bool, at: datetime
    ) -> WalletOffer | None:
        """The open offer of this code, one try less; locked until the transaction ends."""
        mine = (
            col(WalletOffer.code_digest) == code_digest,
            col(WalletOffer.campus_id) == campus_id,
            col(WalletOffer.needs_consent).is_(needs_consent),
        )
        counted = update(WalletOffer).where(*mine, *_open(at)).values(tries=col(WalletOffer.tries) + 1)
        if not self._changed(counted):
            return None
        query = select(WalletOffer).where(*mine).execution_options(populate_existing=True)
        return self.session.exec(query).first()

    def redeem(
        self,
        offer_id: uuid.UUID,
        token_digest: str,
        *,
        key_thumbprint: str | None,
        expires_at: datetime,
        at: datetime,
    ) -> bool:
        return self._changed(
            update(WalletOffer)
            .where(col(WalletOffer.id) == offer_id, col(WalletOffer.redeemed_at).is_(None))
            .values(
                redeemed_at=at,
                token_digest=token_digest,
                key_thumbprint=key_thumbprint,
                expires_at=expires_at,
            )
        )

    def use_proof(self, proof: DpopProof, campus_id: uuid.UUID, *, at: datetime) -> bool:
        """False if the proof was accepted before."""
        used = UsedProof(digest=proof.digest, campus_id=campus_id, expires_at=at + 2 * PROOF_SKEW)
        try:
            with self.session.begin_nested():
                self.session.add(used)
                self.session.flush()
        except IntegrityError:
            return False
        return True

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
            .values(issued_at=at, transaction_digest=None, holder_keys=null())
        )

    def defer(self, offer_id: uuid.UUID, transaction_digest: str, keys: list[dict[str, Any]]) -> bool:
        """False if the credential was issued or deferred before."""
        return self._changed(
            update(WalletOffer)
            .where(
                col(WalletOffer.id) == offer_id,
                col(WalletOffer.issued_at).is_(None),
                col(WalletOffer.transaction_digest).is_(None),
            )
            .values(transaction_digest=transaction_digest, holder_keys=keys)
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
