"""Offers of badges to wallets; each step is a conditional update, so that it happens once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import null
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, func, select, update

from app.db.engine.queries import RowStore, locked
from app.db.engine.writes import among
from app.domain.awards import Award
from app.domain.learners.presentations import READ_LIFE, PresentationRequest, RequestState
from app.domain.learners.wallet_authorization import DpopProof, UsedProof, WalletRequest
from app.domain.learners.wallets import (
    BATCH_SIZE,
    DEFERRED_INTERVAL,
    FORGOTTEN_AFTER,
    MOST_TRIES,
    NONCE_LIFE,
    PROOF_SKEW,
    WalletOffer,
    WalletRefusal,
    WalletRefused,
)
from app.domain.people.consents import ParentAgreement

POLLED_AFTER: Final = timedelta(seconds=DEFERRED_INTERVAL)
_AS_STORED: Final = {"populate_existing": True}


class WalletStore(RowStore[WalletOffer]):
    def parents_agreements(self, award_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, ParentAgreement]:
        """The decisive one about each of these badges."""
        if not award_ids:
            return {}
        query = select(ParentAgreement).where(among(self.session, col(ParentAgreement.award_id), award_ids))
        agreed = col(ParentAgreement.agreed).is_(True)
        query = query.order_by(agreed, col(ParentAgreement.asked_at), col(ParentAgreement.id).desc())
        return {each.award_id: each for each in self.session.exec(query)}

    def drop_open(self, award_ids: Sequence[uuid.UUID], *, but_of_request: str = "") -> None:
        """Earlier offers of these badges that brought no credential end with a new one, even where a wallet has a
        token. The answer to `but_of_request` stays: a second one is refused.

        The awards are locked: of two offers at once, the second ends the first.
        """
        mine = select(Award.id).where(among(self.session, col(Award.id), award_ids))
        self.session.exec(locked(mine.order_by(col(Award.id))))
        unused = col(WalletOffer.issued_at).is_(None) & (
            func.coalesce(WalletOffer.request_digest, "") != (but_of_request or "none")
        )
        of_these = among(self.session, col(WalletOffer.award_id), award_ids)
        self.session.exec(delete(WalletOffer).where(unused, of_these))

    def forget_old(self, at: datetime) -> None:
        """Expired offers that no wallet reported as stored or can refresh, and what was used and would be refused
        for its age by now."""
        ended = col(WalletOffer.refresh_until).is_(None) | (col(WalletOffer.refresh_until) < at)
        old = (
            (col(WalletOffer.expires_at) < at - FORGOTTEN_AFTER)
            & col(WalletOffer.accepted_at).is_(None)
            & ended
        )
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
        found = self.session.execute(counted.returning(WalletOffer), execution_options=_AS_STORED)
        return found.scalars().first()

    def redeem(self, offer_id: uuid.UUID, tokens: Mapping[str, Any], *, at: datetime) -> bool:
        """`tokens`: the columns that remember the access token and the refresh token."""
        return self._changed(
            update(WalletOffer)
            .where(col(WalletOffer.id) == offer_id, col(WalletOffer.redeemed_at).is_(None))
            .values(redeemed_at=at, **tokens)
        )

    def find_redeemed(self, code_digest: str, campus_id: uuid.UUID) -> WalletOffer | None:
        """The offer of an authorization code that was used."""
        query = select(WalletOffer).where(
            WalletOffer.code_digest == code_digest,
            WalletOffer.campus_id == campus_id,
            col(WalletOffer.needs_consent).is_(True),
            col(WalletOffer.redeemed_at).is_not(None),
        )
        return self.session.exec(query.execution_options(populate_existing=True)).first()

    def find_by_refresh(self, digest: str, campus_id: uuid.UUID, *, at: datetime) -> WalletOffer | None:
        """By its refresh token, or by the one before."""
        query = select(WalletOffer).where(
            (col(WalletOffer.refresh_digest) == digest) | (col(WalletOffer.refreshed_digest) == digest),
            WalletOffer.campus_id == campus_id,
            col(WalletOffer.refresh_until) > at,
        )
        return self.session.exec(query.execution_options(populate_existing=True)).first()

    def refresh(self, offer_id: uuid.UUID, used: str, tokens: Mapping[str, Any]) -> bool:
        """False if the refresh token was used before. The badge may be issued again."""
        return self._changed(
            update(WalletOffer)
            .where(col(WalletOffer.id) == offer_id, col(WalletOffer.refresh_digest) == used)
            .values(
                refreshed_digest=used,
                copies_before=col(WalletOffer.copies),
                transaction_digest=None,
                holder_keys=null(),
                poll_after=None,
                **tokens,
            )
        )

    def end_tokens(self, offer_id: uuid.UUID, *, at: datetime) -> None:
        self._end(col(WalletOffer.id) == offer_id, at=at)

    def end_typed(self, award_id: uuid.UUID, *, at: datetime) -> None:
        """Offers and tokens of a code that was typed: the award's private link is enough to make them."""
        self._end(col(WalletOffer.award_id) == award_id, col(WalletOffer.needs_consent).is_(False), at=at)

    def end_typed_of(self, person_id: uuid.UUID, *, at: datetime) -> None:
        theirs = col(WalletOffer.award_id).in_(select(Award.id).where(Award.person_id == person_id))
        self._end(theirs, col(WalletOffer.needs_consent).is_(False), at=at)

    def _end(self, *which: Any, at: datetime) -> None:
        self._changed(
            update(WalletOffer)
            .where(*which)
            .values(
                expires_at=at,
                token_digest=None,
                refresh_digest=None,
                refreshed_digest=None,
                refresh_until=None,
                transaction_digest=None,
                holder_keys=null(),
            )
        )

    def use_proof(self, proof: DpopProof, campus_id: uuid.UUID, *, at: datetime) -> bool:
        """False if the proof was accepted before."""
        return self.use(proof.digest, campus_id, until=at + 2 * PROOF_SKEW)

    def use(self, digest: str, campus_id: uuid.UUID, *, until: datetime) -> bool:
        """False if what has this digest was used before; remembered `until` it would be refused for its age."""
        try:
            with self.session.begin_nested():
                self.session.add(UsedProof(digest=digest, campus_id=campus_id, expires_at=until))
                self.session.flush()
        except IntegrityError:
            return False
        return True

    def is_used(self, digest: str) -> bool:
        return self.session.get(UsedProof, digest) is not None

    def find_by_token(self, digest: str, campus_id: uuid.UUID, *, at: datetime) -> WalletOffer | None:
        query = select(WalletOffer).where(
            WalletOffer.token_digest == digest,
            WalletOffer.campus_id == campus_id,
            col(WalletOffer.expires_at) > at,
        )
        return self.session.exec(query.execution_options(populate_existing=True)).first()

    def issue(self, offer: WalletOffer, nonce: str, copies: int, *, at: datetime) -> int | None:
        """How many copies the wallet has then; None if this token brings no more. `nonce`: its mark, or nothing."""
        return self._issue(offer, nonce, {**_received(copies), "issued_at": at}, copies, at=at)

    def defer(
        self,
        offer: WalletOffer,
        nonce: str,
        transaction_digest: str,
        keys: list[dict[str, Any]],
        *,
        at: datetime,
    ) -> bool:
        """False if this token brings no more copies, or waits for some."""
        deferred = {"transaction_digest": transaction_digest, "holder_keys": keys}
        waits = deferred | {"poll_after": at + POLLED_AFTER}
        return self._issue(offer, nonce, waits, max(len(keys), 1), at=at) is not None

    def _issue(
        self, offer: WalletOffer, nonce: str, changes: dict[str, Any], copies: int, *, at: datetime
    ) -> int | None:
        """Raises WalletRefused for a nonce that was used: the transaction has to end, and nothing is used up."""
        if nonce and not self.use(nonce, offer.campus_id, until=at + NONCE_LIFE):
            raise WalletRefused(WalletRefusal.INVALID_NONCE)
        changed = (
            update(WalletOffer)
            .where(
                col(WalletOffer.id) == offer.id,
                col(WalletOffer.token_digest) == offer.token_digest,
                col(WalletOffer.copies) - col(WalletOffer.copies_before) + copies <= BATCH_SIZE,
                col(WalletOffer.transaction_digest).is_(None),
            )
            .values(**changes)
        )
        return self.session.execute(changed.returning(col(WalletOffer.copies))).scalar()

    def poll(self, offer: WalletOffer, *, at: datetime) -> bool:
        """False if a wallet asks for a deferred credential before its time."""
        return self._changed(
            update(WalletOffer)
            .where(
                col(WalletOffer.id) == offer.id,
                col(WalletOffer.poll_after).is_(None) | (col(WalletOffer.poll_after) <= at),
            )
            .values(poll_after=at + POLLED_AFTER)
        )

    def issue_deferred(self, offer: WalletOffer, copies: int, *, at: datetime) -> int | None:
        """How many copies the wallet has then; None if the deferred ones were issued before."""
        issued = {"issued_at": at, "holder_keys": null(), **_received(copies)}
        changed = (
            update(WalletOffer)
            .where(
                col(WalletOffer.id) == offer.id,
                col(WalletOffer.token_digest) == offer.token_digest,
                col(WalletOffer.transaction_digest) == offer.transaction_digest,
            )
            .values(transaction_digest=None, poll_after=None, **issued)
        )
        return self.session.execute(changed.returning(col(WalletOffer.copies))).scalar()

    def accept(self, offer_id: uuid.UUID, copy: int, *, at: datetime) -> None:
        self._changed(
            update(WalletOffer)
            .where(col(WalletOffer.id) == offer_id)
            .values(accepted_at=at, accepted_copy=copy)
        )

    def drop(self, offer_id: uuid.UUID, copy: int) -> bool:
        """The wallet does not have this copy; False if it may have another."""
        last = func.coalesce(col(WalletOffer.accepted_copy), col(WalletOffer.copies))
        return self._changed(
            update(WalletOffer)
            .where(col(WalletOffer.id) == offer_id, last == copy)
            .values(accepted_at=None, accepted_copy=None)
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


def _received(copies: int) -> dict[str, Any]:
    return {"copies": col(WalletOffer.copies) + copies}


def _open(at: datetime) -> tuple[Any, ...]:
    return (
        col(WalletOffer.expires_at) > at,
        col(WalletOffer.redeemed_at).is_(None),
        col(WalletOffer.tries) < MOST_TRIES,
    )


# --- requests for a badge (OpenID4VP)


class PresentationStore(RowStore[PresentationRequest]):
    def sweep(self, *, at: datetime) -> None:
        """Delete rows past their reading time."""
        self.session.exec(
            delete(PresentationRequest).where(col(PresentationRequest.expires_at) <= at - READ_LIFE)
        )

    def has_ended(self, *, at: datetime) -> bool:
        """Whether `sweep` would delete anything."""
        ended = select(PresentationRequest.id).where(col(PresentationRequest.expires_at) <= at - READ_LIFE)
        return self.session.exec(ended).first() is not None

    def find_by_asker(self, digest: str, *, at: datetime) -> PresentationRequest | None:
        query = select(PresentationRequest).where(
            PresentationRequest.asker_digest == digest, col(PresentationRequest.expires_at) > at - READ_LIFE
        )
        return self.session.exec(query.execution_options(populate_existing=True)).first()

    def find_by_reference(self, digest: str, *, at: datetime) -> PresentationRequest | None:
        """Also one that ended, until its row is deleted."""
        query = select(PresentationRequest).where(
            PresentationRequest.reference_digest == digest,
            col(PresentationRequest.expires_at) > at - READ_LIFE,
        )
        return self.session.exec(query.execution_options(populate_existing=True)).first()

    def end(self, row_id: uuid.UUID, state: RequestState, answer: bytes | None, *, at: datetime) -> bool:
        """False if it was answered or refused before, or its time is over."""
        waiting = (
            col(PresentationRequest.id) == row_id,
            col(PresentationRequest.state) == RequestState.WAITING,
            col(PresentationRequest.expires_at) > at,
        )
        ended = update(PresentationRequest).where(*waiting).values(state=state, answer=answer)
        return bool(self.session.exec(ended).rowcount)
