"""Sign-in links, passwords, challenges that wait for their answer, and forms that wait for a proof."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session as Transaction
from sqlmodel import col, delete, select

from app.domain.accounts.access import digest_of
from app.domain.accounts.set_aside import SetAside
from app.domain.accounts.sign_in import Asked, Challenge, Password, SignInLink


class SignInStore:
    def __init__(self, session: Transaction) -> None:
        self.session = session

    def add(self, row: SignInLink | Password | Challenge | SetAside) -> None:
        self.session.add(row)
        self.session.flush()

    def find_link(self, secret: str, *, to_use: bool = False) -> SignInLink | None:
        """Locked until the transaction ends if it is to be used, so that it is used once whoever is quicker."""
        query = select(SignInLink).where(SignInLink.secret_digest == digest_of(secret))
        return self.session.exec(query.with_for_update() if to_use else query).first()

    def links_asked_in(self, browser_digest: str, at: datetime) -> Sequence[SignInLink]:
        """The links that this browser asked for and that still open something, locked."""
        query = select(SignInLink).where(
            SignInLink.browser_digest == browser_digest,
            col(SignInLink.used_at).is_(None),
            col(SignInLink.expires_at) > at,
        )
        return self.session.exec(query.with_for_update()).all()

    def find_password(self, person_id: uuid.UUID) -> Password | None:
        return self.session.get(Password, person_id)

    def drop_password(self, person_id: uuid.UUID) -> None:
        self.session.exec(delete(Password).where(col(Password.person_id) == person_id))

    def find_challenge(self, secret: str) -> Challenge | None:
        return self.session.exec(
            select(Challenge).where(Challenge.secret_digest == digest_of(secret))
        ).first()

    def take_challenge(self, secret: str) -> Challenge | None:
        """The challenge, gone from now on: of two answers at once only one finds it."""
        query = select(Challenge).where(Challenge.secret_digest == digest_of(secret))
        challenge = self.session.exec(query.with_for_update()).first()
        if challenge is not None:
            self.session.delete(challenge)
            self.session.flush()
        return challenge

    def challenges_of(self, person_id: uuid.UUID, asked: Asked, *, at: datetime) -> Sequence[Challenge]:
        """Those that still wait for their answer, the oldest first."""
        query = select(Challenge).where(
            Challenge.person_id == person_id, Challenge.asked == asked, col(Challenge.expires_at) > at
        )
        return self.session.exec(query.order_by(col(Challenge.expires_at), col(Challenge.id))).all()

    def remove(self, challenge: Challenge) -> None:
        self.session.delete(challenge)
        self.session.flush()

    def find_form(self, token: str) -> SetAside | None:
        query = select(SetAside).where(SetAside.secret_digest == digest_of(token))
        return self.session.exec(query).first()

    def drop_form(self, token: str) -> None:
        self.session.exec(delete(SetAside).where(col(SetAside.secret_digest) == digest_of(token)))

    def make_room_for_form(self, person_id: uuid.UUID, *, but: int) -> None:
        """Only the newest of that person's stay."""
        newest = select(SetAside.id).where(SetAside.person_id == person_id)
        kept = self.session.exec(newest.order_by(col(SetAside.expires_at).desc()).limit(but)).all()
        older = delete(SetAside).where(col(SetAside.person_id) == person_id, col(SetAside.id).not_in(kept))
        self.session.exec(older)

    def sweep(self, at: datetime) -> None:
        """Forget what has lapsed."""
        self.session.exec(delete(SignInLink).where(col(SignInLink.expires_at) <= at))
        self.session.exec(delete(Challenge).where(col(Challenge.expires_at) <= at))
        self.session.exec(delete(SetAside).where(col(SetAside.expires_at) <= at))
