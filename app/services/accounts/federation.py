"""Signing in at another service: the browser goes there with a question, and comes back as somebody of ours."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.accounts.federation import FederationStore
from app.db.accounts.sign_in import SignInStore
from app.db.campus.history import HistoryStore
from app.db.people.people import PeopleStore
from app.domain.accounts.access import digest_of
from app.domain.accounts.account_changes import Changed
from app.domain.accounts.federation import (
    AWAY,
    FederatedAccount,
    Identity,
    IdentityProvider,
    Purpose,
    Question,
    check_proved_anew,
    person_for,
    proved_at,
    question_of,
)
from app.domain.accounts.sessions import Proof
from app.domain.accounts.sign_in import Asked, Challenge, answer_challenge
from app.domain.campus.history import Actor
from app.domain.campus.team import Invitation
from app.domain.core.clock import Clock
from app.errors import Conflict, NotFound, NotSignedIn
from app.language import N_
from app.services.accounts.account_notices import AccountNotices
from app.services.accounts.sessions import Browser, NewSession, SessionService, SignedIn


@dataclass(frozen=True)
class Returned:
    """A browser that came back, and what it had been sent for."""

    purpose: Purpose
    question: Question
    asked_at: datetime
    carried: str
    """What the asking page wanted to find again."""


class FederationService:
    def __init__(
        self,
        accounts: FederationStore,
        sign_in: SignInStore,
        people: PeopleStore,
        sessions: SessionService,
        notices: AccountNotices,
        history: HistoryStore,
        label_of: Callable[[str], str],
        key: bytes,
        clock: Clock,
    ) -> None:
        """`label_of`: what the service of that issuer is called on its button."""
        self.accounts = accounts
        self.sign_in = sign_in
        self.people = people
        self.sessions = sessions
        self.notices = notices
        self.history = history
        self.label_of = label_of
        self.key = key
        self.clock = clock

    # --- there and back

    def ask(
        self,
        provider: IdentityProvider,
        purpose: Purpose,
        browser: Browser,
        *,
        who: SignedIn | None = None,
        carried: str = "",
    ) -> Question:
        """What goes with this browser, and is good in it alone; with `who`, for nobody else."""
        state, at = secrets.token_urlsafe(32), self.clock()
        self.sign_in.sweep(at)
        self.sign_in.add(
            Challenge(
                asked=Asked.OIDC,
                secret_digest=digest_of(state),
                person_id=who.person.id if who else None,
                browser_digest=browser.digest,
                facts={"service": provider.name, "purpose": purpose.value, "carried": carried},
                expires_at=at + AWAY,
            )
        )
        return question_of(state, self.key, again=purpose is Purpose.PROVE)

    def take(self, provider: IdentityProvider, state: str, browser: Browser) -> Returned:
        """What this browser had been sent for; once."""
        challenge = answer_challenge(
            self.sign_in.take_challenge(state),
            asked=Asked.OIDC,
            at=self.clock(),
            browser_digest=browser.digest,
            person_id=browser.here.person.id if browser.here else None,
        )
        if challenge.facts["service"] != provider.name:
            raise NotSignedIn(N_("Cette étape a expiré ou a déjà servi. Recommencez."))
        purpose = Purpose(challenge.facts["purpose"])
        question = question_of(state, self.key, again=purpose is Purpose.PROVE)
        return Returned(purpose, question, challenge.expires_at - AWAY, str(challenge.facts["carried"]))

    # --- as whom

    def enter(self, provider: IdentityProvider, identity: Identity, browser: Browser) -> NewSession:
        """The session of whoever the account stands for; raises Unlinked where it stands for nobody."""
        account = self.accounts.find(identity.issuer, identity.subject) or self._recognised(
            provider, identity
        )
        return self._open(account.person_id, identity, browser)

    def prove(self, who: SignedIn, identity: Identity, browser: Browser, *, asked_at: datetime) -> NewSession:
        """The same session, proved again by an account of that very person."""
        account = self.accounts.find(identity.issuer, identity.subject)
        if account is None or account.person_id != who.person.id:
            raise NotSignedIn(N_("Ce compte n’est pas relié à vous. Confirmez d’une autre façon."))
        check_proved_anew(identity, asked_at=asked_at)
        return self._open(who.person.id, identity, browser)

    def invitation_for(self, provider: IdentityProvider, identity: Identity) -> Invitation | None:
        """What waits for whoever reads that address, where the service may say whose it is."""
        if not identity.address or not provider.vouches_for(identity.address):
            return None
        return self.accounts.invitation_to(identity.address, at=self.clock())

    def _recognised(self, provider: IdentityProvider, identity: Identity) -> FederatedAccount:
        staff = self.people.all_staff_at(identity.address, at=self.clock()) if identity.address else []
        is_vouched = bool(identity.address) and provider.vouches_for(identity.address)
        person = person_for(identity, staff, is_vouched=is_vouched)
        return self._link(person.id, identity, by=Actor(label="sign-in page"))

    def _open(self, person_id: uuid.UUID, identity: Identity, browser: Browser) -> NewSession:
        when = proved_at(identity, at=self.clock())
        return self.sessions.enter(person_id, Proof.OIDC, browser, proved_at=when)

    # --- one's own accounts

    def list_of(self, person_id: uuid.UUID) -> Sequence[FederatedAccount]:
        return self.accounts.list_of(person_id)

    def link(self, who: SignedIn, identity: Identity) -> None:
        """Doing it again changes nothing."""
        known = self.accounts.find(identity.issuer, identity.subject)
        if known is not None and known.person_id == who.person.id:
            return
        if known is not None:
            raise Conflict(N_("Ce compte est déjà relié à une autre personne. Rien n’a changé."))
        self._link(who.person.id, identity, by=who.actor)

    def unlink(self, who: SignedIn, account_id: uuid.UUID) -> None:
        for account in self.accounts.list_of(who.person.id):
            if account.id == account_id:
                self.accounts.remove(account)
                self.history.write(who.actor, "unlink", "federated_account", account_id, at=self.clock())
                self.notices.tell(who.person, Changed.SERVICE_UNLINKED, named=[self.label_of(account.issuer)])
                return
        raise NotFound(N_("Ce compte n’est plus relié."))

    def _link(self, person_id: uuid.UUID, identity: Identity, *, by: Actor) -> FederatedAccount:
        at = self.clock()
        account = FederatedAccount(
            person_id=person_id, issuer=identity.issuer, subject=identity.subject, linked_at=at
        )
        if not self.accounts.add(account):
            raise Conflict(
                N_(
                    "Un autre compte de ce service est déjà relié à cette personne. Pour en changer, déliez-le d’abord dans « Mon compte »."
                )
            )
        self.history.write(by, "link", "federated_account", account.id, at=at)
        self.notices.tell(
            self.people.get(person_id), Changed.SERVICE_LINKED, named=[self.label_of(identity.issuer)]
        )
        return account
