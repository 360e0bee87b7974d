"""Sessions: opened, proved again, listed and ended."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.db.accounts.own_addresses import OwnAddressStore
from app.db.accounts.passkeys import PasskeyStore
from app.db.accounts.sessions import SessionStore
from app.db.campus.history import HistoryStore
from app.db.people.people import PeopleStore
from app.domain.accounts.access import digest_of
from app.domain.accounts.sessions import (
    LEARNER_SESSION_LIFE,
    Proof,
    Session,
    SessionKind,
    check_proved,
    check_session_lives,
    is_sighting_due,
    prove,
)
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.people.people import Membership, Person
from app.errors import NotFound, NotSignedIn
from app.language import N_


@dataclass(frozen=True)
class Holder:
    """A person with a living session of any kind: what every holder of a badge may do asks for no more."""

    person: Person
    session: Session

    @property
    def actor(self) -> Actor:
        return Actor(person_id=self.person.id)


@dataclass(frozen=True)
class LinkHolder(Holder):
    """A browser that opened a private link: it holds one award, proves nobody's identity and brings no role."""

    award_id: uuid.UUID


@dataclass(frozen=True)
class SignedIn(Holder):
    """A person who proved who they are, and their roles."""

    memberships: Sequence[tuple[Membership, Campus]]


@dataclass(frozen=True)
class NewSession:
    """`before`: the secret that this one replaces in the same session; forms shown under it stay good."""

    secret: str
    session: Session
    before: str = ""


@dataclass(frozen=True)
class Browser:
    """What is known of a browser: the secret it got when it asked, its name in a few words, who is signed in there."""

    asking: str = ""
    name: str = ""
    secret: str = ""
    here: SignedIn | None = None

    @property
    def digest(self) -> str:
        return digest_of(self.asking) if self.asking else ""


class SessionService:
    def __init__(
        self,
        sessions: SessionStore,
        people: PeopleStore,
        passkeys: PasskeyStore,
        own_addresses: OwnAddressStore,
        history: HistoryStore,
        life: timedelta,
        idle: timedelta,
        clock: Clock,
    ) -> None:
        self.sessions = sessions
        self.people = people
        self.passkeys = passkeys
        self.own_addresses = own_addresses
        self.history = history
        self.life = life
        self.idle = idle
        self.clock = clock

    def enter(
        self, person_id: uuid.UUID, proof: Proof, browser: Browser, *, proved_at: datetime | None = None
    ) -> NewSession:
        """A session for whoever just proved to be that person; where they are signed in already, the same one.

        `proved_at`: where another service checked who they are, when it did.
        """
        at = self.clock()
        self.sessions.sweep(at)
        if browser.here is not None and browser.here.person.id == person_id:
            return self._prove_again(browser.here.session, proof, browser, proved_at)
        if browser.here is not None:
            self.end(browser.here)
        opened = self._open(
            person_id,
            SessionKind.ACCOUNT,
            proof,
            life=self.life,
            browser=browser.name,
            proved_at=proved_at,
        )
        self.history.write(
            Actor(person_id=person_id), "sign_in", "session", opened.session.id, at=at, by=proof.value
        )
        return opened

    def enter_as_learner(self, person_id: uuid.UUID, award_id: uuid.UUID, *, browser: str = "") -> NewSession:
        return self._open(
            person_id,
            SessionKind.AWARD_LINK,
            Proof.PRIVATE_LINK,
            life=LEARNER_SESSION_LIFE,
            browser=browser,
            award_id=award_id,
        )

    def accept_links(self, who: SignedIn, accepted: bool) -> None:
        """Whether private links to the person's badges open them; what they opened ends when they stop."""
        if who.person.accepts_links == accepted:
            return
        who.person.accepts_links = accepted
        self.people.save(who.person)
        if not accepted:
            self.sessions.end_links_of(who.person.id)
        deed = "accept_links" if accepted else "refuse_links"
        self.history.write(who.actor, deed, "person", who.person.id, at=self.clock())

    def end_learners_of(self, award_id: uuid.UUID) -> None:
        self.sessions.end_learners_of(award_id)

    def _open(
        self,
        person_id: uuid.UUID,
        kind: SessionKind,
        proof: Proof,
        *,
        life: timedelta,
        browser: str = "",
        award_id: uuid.UUID | None = None,
        proved_at: datetime | None = None,
    ) -> NewSession:
        secret, at = secrets.token_urlsafe(32), self.clock()
        session = Session(
            kind=kind,
            secret_digest=digest_of(secret),
            person_id=person_id,
            award_id=award_id,
            created_at=at,
            expires_at=at + life,
            seen_at=at,
            proved_by=proof,
            proved_at=proved_at or at,
            browser=browser,
        )
        self.sessions.add(session)
        return NewSession(secret, session)

    def _prove_again(
        self, session: Session, proof: Proof, browser: Browser, proved_at: datetime | None
    ) -> NewSession:
        secret, at = secrets.token_urlsafe(32), self.clock()
        prove(
            session,
            proof,
            secret_digest=digest_of(secret),
            needs_passkey=self.needs_passkey(session.person_id),
            at=at,
            proved_at=proved_at,
        )
        self.sessions.add(session)
        self.history.write(
            Actor(person_id=session.person_id), "prove", "session", session.id, at=at, by=proof.value
        )
        return NewSession(secret, session, before=browser.secret)

    def signed_in(self, secret: str | None) -> SignedIn:
        """Whose account this secret opens; raises NotSignedIn for a secret of any other kind."""
        session = self._living(secret, SessionKind.ACCOUNT)
        person = self.people.get(session.person_id)
        return SignedIn(person, session, self.people.memberships_of(person.id))

    def link_holder(self, secret: str | None) -> LinkHolder:
        """Which award this secret opens; raises NotSignedIn for a secret of any other kind."""
        session = self._living(secret, SessionKind.AWARD_LINK)
        assert session.award_id is not None, "the database checks that such a session has its award"
        person = self.people.get(session.person_id)
        if not person.accepts_links:
            raise NotSignedIn(N_("Connectez-vous pour voir cette page."))
        return LinkHolder(person, session, session.award_id)

    def _living(self, secret: str | None, kind: SessionKind) -> Session:
        session = self.sessions.find(secret, kind) if secret else None
        if session is None:
            raise NotSignedIn(N_("Connectez-vous pour voir cette page."))
        check_session_lives(session, idle=self.idle, at=self.clock())
        return session

    def check_proved(self, who: SignedIn, *, fresh: bool = False) -> None:
        """Raises ProofNeeded unless this session may do what is privileged, or dangerous if `fresh`."""
        needs_passkey = self.needs_passkey(who.person.id)
        check_proved(who.session, needs_passkey=needs_passkey, fresh=fresh, at=self.clock())

    def needs_passkey(self, person_id: uuid.UUID) -> bool:
        """Whether they have one and work somewhere: there is then somebody who takes lost keys away.

        Whoever only learns loses a phone and keeps the account: a letter to their own address proves as much.
        """
        return self.passkeys.has_any(person_id) and self.own_addresses.works(person_id, at=self.clock())

    def is_sighting_due(self, session: Session) -> bool:
        return is_sighting_due(session, at=self.clock())

    def see(self, session_id: uuid.UUID) -> None:
        self.sessions.see(session_id, at=self.clock())

    def list_of(self, who: SignedIn) -> Sequence[Session]:
        return self.sessions.list_living(who.person.id, idle=self.idle, at=self.clock())

    def end(self, who: Holder) -> None:
        """The session of this browser."""
        self._end(who, who.session.id)

    def end_one(self, who: SignedIn, session_id: uuid.UUID) -> None:
        """A session of the same person, in this browser or another."""
        if session_id not in {session.id for session in (who.session, *self.list_of(who))}:
            raise NotFound(N_("Cette session est déjà terminée."))
        self._end(who, session_id)

    def _end(self, who: Holder, session_id: uuid.UUID) -> None:
        self.sessions.end(session_id)
        self.history.write(who.actor, "sign_out", "session", session_id, at=self.clock())

    def end_all(self, who: SignedIn, *, but_this: bool) -> int:
        """How many ended."""
        ended = self.sessions.end_all_of(who.person.id, but=who.session.id if but_this else None)
        self.history.write(
            who.actor, "sign_out_everywhere", "person", who.person.id, at=self.clock(), sessions=ended
        )
        return ended
