"""Sessions: open, re-authenticate, list and end."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.db.accounts import OwnAddressStore, PasskeyStore, SessionStore, SignInStore
from app.db.campus import HistoryStore
from app.db.learners import ConnectedAppStore
from app.db.learners.wallets import WalletStore
from app.db.messages import LetterStore
from app.db.people import PeopleStore
from app.domain.accounts.sessions import (
    LEARNER_SESSION_LIFE,
    Proof,
    Session,
    SessionKind,
    check_proved,
    check_session_lives,
    digest_of,
    is_sighting_due,
    prove,
)
from app.domain.accounts.sign_in import (
    ALSO_UNPROVED,
    CHALLENGE_LIFE,
    WAYS_IN,
    Asking,
    Ceremonies,
    Challenge,
    Changed,
    CopiedKey,
    Passkey,
    PasskeyRefused,
    SignInRequest,
    answer_challenge,
    check_count,
    check_passkey_name,
    check_room_for_passkey,
)
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock, ServiceOptions, new_id
from app.domain.messages import Occasion, letter_to
from app.domain.people import Membership, Person
from app.errors import Conflict, NotFound, NotSignedIn
from app.language import N_


@dataclass(frozen=True)
class Holder:
    """A person with an active session of any kind: enough for what every holder of a badge may do."""

    person: Person
    session: Session

    @property
    def actor(self) -> Actor:
        return Actor(person_id=self.person.id)


@dataclass(frozen=True)
class LinkHolder(Holder):
    """A browser that opened a private link: access to one award, no proof of identity, no role."""

    award_id: uuid.UUID


@dataclass(frozen=True)
class SignedIn(Holder):
    """An authenticated person, with their roles."""

    memberships: Sequence[tuple[Membership, Campus]]


@dataclass(frozen=True)
class NewSession:
    """`before`: the secret this one replaces in the same session; forms rendered under it stay valid."""

    secret: str
    session: Session
    before: str = ""


@dataclass(frozen=True)
class Browser:
    """What is known of a browser: the secret it got when it asked, its short name, who is signed in there."""

    asking: str = ""
    name: str = ""
    secret: str = ""
    here: SignedIn | None = None

    @property
    def digest(self) -> str:
        return digest_of(self.asking) if self.asking else ""


@dataclass(frozen=True, eq=False)
class SessionService:
    sessions: SessionStore
    people: PeopleStore
    passkeys: PasskeyStore
    sign_in: SignInStore
    own_addresses: OwnAddressStore
    apps: ConnectedAppStore
    wallets: WalletStore
    history: HistoryStore
    options: ServiceOptions
    clock: Clock

    def enter(
        self, person_id: uuid.UUID, proof: Proof, browser: Browser, *, proved_at: datetime | None = None
    ) -> NewSession:
        """Open a session for a person who just authenticated; reuse theirs if this browser has one.

        `proved_at`: when an external identity provider authenticated them.
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
            life=self.options.session_life,
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
        """Whether private links open the person's badges; refusing ends what links opened."""
        if who.person.accepts_links == accepted:
            return
        who.person.accepts_links = accepted
        self.people.save(who.person)
        if not accepted:
            self.sessions.end_links_of(who.person.id)
            with self.own_addresses.tenant_scope.across_campuses():
                self.wallets.end_typed_of(who.person.id, at=self.clock())
        action = "accept_links" if accepted else "refuse_links"
        self.history.write(who.actor, action, "person", who.person.id, at=self.clock())

    def end_learners_of(self, award_id: uuid.UUID) -> None:
        """What the award's private link opened, and wallets that it gave the badge to."""
        self.sessions.end_learners_of(award_id)
        self.wallets.end_typed(award_id, at=self.clock())

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
        """The account that this secret opens; raises NotSignedIn for a secret of any other kind."""
        session = self._living(secret, SessionKind.ACCOUNT)
        person = self.people.get(session.person_id)
        return SignedIn(person, session, self.people.memberships_of(person.id))

    def link_holder(self, secret: str | None) -> LinkHolder:
        """The award that this secret opens; raises NotSignedIn for a secret of any other kind."""
        session = self._living(secret, SessionKind.AWARD_LINK)
        assert session.award_id is not None, "the database checks that such a session has its award"
        person = self.people.get(session.person_id)
        if not person.accepts_links:
            raise NotSignedIn("Connectez-vous pour voir cette page.")
        return LinkHolder(person, session, session.award_id)

    def _living(self, secret: str | None, kind: SessionKind) -> Session:
        session = self.sessions.find(secret, kind) if secret else None
        if session is None:
            raise NotSignedIn("Connectez-vous pour voir cette page.")
        check_session_lives(session, idle=self.options.session_idle, at=self.clock())
        return session

    def check_proved(self, who: SignedIn, *, fresh: bool = False) -> None:
        """Raises ProofNeeded unless this session may run privileged actions, or dangerous ones if `fresh`."""
        needs_passkey = self.needs_passkey(who.person.id)
        check_proved(who.session, needs_passkey=needs_passkey, fresh=fresh, at=self.clock())

    def needs_passkey(self, person_id: uuid.UUID) -> bool:
        """Whether the person has a passkey and is staff: an administrator can reset lost staff passkeys.

        Learners who lose a phone must not lose the account: an e-mail to their own address is enough proof.
        """
        return self.passkeys.has_any(person_id) and self.own_addresses.works(person_id, at=self.clock())

    def is_sighting_due(self, session: Session) -> bool:
        return is_sighting_due(session, at=self.clock())

    def see(self, session_id: uuid.UUID) -> None:
        self.sessions.see(session_id, at=self.clock())

    def list_of(self, who: SignedIn) -> Sequence[Session]:
        return self.sessions.list_living(who.person.id, idle=self.options.session_idle, at=self.clock())

    def hold(self, who: SignedIn) -> None:
        """Before a way into the account is added or removed: one such change after the other. Raises NotSignedIn where
        the session has ended meanwhile, as by « sign out everywhere »."""
        self.people.lock_all([who.person.id])
        if who.session.id not in {session.id for session in self.list_of(who)}:
            raise NotSignedIn("Connectez-vous pour voir cette page.")

    def end(self, who: Holder) -> None:
        """End the session of this browser."""
        self._end(who, who.session.id)

    def end_one(self, who: SignedIn, session_id: uuid.UUID) -> None:
        """End a session of the same person, in this browser or another."""
        if session_id not in {session.id for session in (who.session, *self.list_of(who))}:
            raise NotFound("Cette session est déjà terminée.")
        self._end(who, session_id)

    def _end(self, who: Holder, session_id: uuid.UUID) -> None:
        self.sessions.end(session_id)
        self.history.write(who.actor, "sign_out", "session", session_id, at=self.clock())

    def end_all(self, who: SignedIn, *, but_this: bool) -> int:
        """With every connected application: it reads the account without a session; and with sign-in links that wait
        in a mailbox. Returns the sessions ended.

        Also where a way in is taken away or changed: an intruder may have used it before.
        """
        self.people.lock_all([who.person.id])
        ended = self.sessions.end_all_of(who.person.id, but=who.session.id if but_this else None)
        self.apps.end_all_of(who.person.id)
        self.sign_in.drop_sign_in_of(who.person.id)
        self.history.write(
            who.actor, "sign_out_everywhere", "person", who.person.id, at=self.clock(), sessions=ended
        )
        return ended


@dataclass(frozen=True, eq=False)
class AccountNotices:
    """Notify the person's addresses of an account change, so that they can report an unwanted one."""

    own: OwnAddressStore
    letters: LetterStore
    clock: Clock

    def tell(
        self,
        person: Person,
        changed: Changed,
        *,
        named: Iterable[str] = (),
        also: Sequence[str] = (),
        but: Collection[str] = (),
        campus_id: uuid.UUID | None = None,
    ) -> None:
        """`campus_id`: the campus that made the change, if any.

        `named`: the person's own names for the credentials added or removed; addresses are masked.
        """
        names = list(named)
        known = self.own.list_of(person.id)
        proved = [row.address for row in known if row.verified_at is not None]
        # Before the first verified address, only addresses entered by campuses are known: notify those.
        everywhere = changed is Changed.FIRST_ADDRESS or (changed in ALSO_UNPROVED and not proved)
        notified = [row.address for row in known] if everywhere else proved
        occasion = Occasion.WAY_IN_CHANGED if changed in WAYS_IN else Occasion.ADDRESS_CHANGED
        self.letters.enqueue_new(
            [
                letter_to(
                    address,
                    occasion,
                    person.id,
                    once=f"{changed}.{new_id()}",
                    named=names,
                    person_id=person.id,
                    campus_id=campus_id,
                    at=self.clock(),
                )
                for address in dict.fromkeys((*notified, *also))
                if address not in but
            ]
        )


@dataclass(frozen=True, eq=False)
class PasskeyService:
    passkeys: PasskeyStore
    sign_in: SignInStore
    people: PeopleStore
    sessions: SessionService
    notices: AccountNotices
    history: HistoryStore
    ceremonies: Ceremonies
    clock: Clock

    # --- the person's own passkeys

    def list_of(self, person_id: uuid.UUID) -> Sequence[Passkey]:
        return self.passkeys.list_of(person_id)

    def ask_for_new(self, who: SignedIn) -> dict[str, Any]:
        """Creation options that the browser passes to the authenticator."""
        known = self.passkeys.list_of(who.person.id)
        check_room_for_passkey(len(known))
        address = self.people.addresses_of([who.person.id]).get(who.person.id, "")
        asking = Asking(who.person.id.bytes, who.person.name, address)
        question = self.ceremonies.ask_for_new(asking, [each.credential_id for each in known])
        self._remember(question.challenge, SignInRequest.PASSKEY_ENROL, person_id=who.person.id)
        return question.options

    def enrol(self, who: SignedIn, name: str, response: str, browser: Browser) -> NewSession:
        """Register a new passkey for the signed-in person; `response` proves possession."""
        check_passkey_name(name)
        self.sessions.hold(who)
        challenge = self.ceremonies.challenge_of_new(response)
        self._take(challenge, SignInRequest.PASSKEY_ENROL, person_id=who.person.id)
        check_room_for_passkey(len(self.passkeys.list_of(who.person.id)))
        made = self.ceremonies.check_new(response, challenge)
        if self.passkeys.find(made.credential_id) is not None:
            raise Conflict("Cette clé est déjà enregistrée.")
        at = self.clock()
        passkey = Passkey(
            person_id=who.person.id,
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            name=name.strip(),
            created_at=at,
        )
        self.passkeys.add(passkey)
        self.history.write(who.actor, "enrol", "passkey", passkey.id, at=at)
        self.notices.tell(who.person, Changed.PASSKEY_ADDED, named=[passkey.name])
        return self.sessions.enter(who.person.id, Proof.PASSKEY, browser)

    def rename(self, who: SignedIn, passkey_id: uuid.UUID, name: str) -> None:
        check_passkey_name(name)
        passkey = self._own(who, passkey_id)
        passkey.name = name.strip()
        self.passkeys.add(passkey)

    def remove(self, who: SignedIn, passkey_id: uuid.UUID) -> None:
        self.sessions.hold(who)
        passkey = self._own(who, passkey_id)
        self.passkeys.remove(passkey)
        self.history.write(who.actor, "remove", "passkey", passkey_id, at=self.clock())
        self.notices.tell(who.person, Changed.PASSKEY_REMOVED, named=[passkey.name])
        self.sessions.end_all(who, but_this=True)

    def _own(self, who: SignedIn, passkey_id: uuid.UUID) -> Passkey:
        for passkey in self.passkeys.list_of(who.person.id):
            if passkey.id == passkey_id:
                return passkey
        raise NotFound("Cette clé n’est plus enregistrée.")

    # --- signing in and re-authenticating

    def ask(self, browser: Browser, who: SignedIn | None = None) -> dict[str, Any]:
        """Request options for the browser's authenticator: any, or one that holds a key of `who`."""
        known = self.passkeys.list_of(who.person.id) if who else []
        question = self.ceremonies.ask_for_known([each.credential_id for each in known])
        self._remember(question.challenge, SignInRequest.PASSKEY_SIGN_IN, browser=browser)
        return question.options

    def answer(self, response: str, browser: Browser, who: SignedIn | None = None) -> NewSession:
        """Open a session for the owner of the passkey; with `who`, only their own passkeys are accepted."""
        answer = self.ceremonies.read(response)
        self._take(answer.challenge, SignInRequest.PASSKEY_SIGN_IN, browser=browser)
        holder = self.passkeys.holder_of(answer.credential_id)
        self.people.lock_all([holder] if holder else [])  # before the key, as who merges or erases them
        passkey = self.passkeys.find(answer.credential_id)
        if passkey is None or (answer.handle is not None and answer.handle != passkey.person_id.bytes):
            raise PasskeyRefused(
                N_(
                    "Cette clé d’accès n’est pas enregistrée ici. Entrez d’une autre façon : « Mon compte » permet de l’enregistrer."
                )
            )
        if who is not None and passkey.person_id != who.person.id:
            raise PasskeyRefused(N_("Cette clé d’accès est celle d’une autre personne."))
        counted = self.ceremonies.check(response, answer.challenge, passkey.public_key)
        check_count(passkey, counted)
        passkey.sign_count, passkey.used_at = counted, self.clock()
        self.passkeys.add(passkey)
        return self.sessions.enter(passkey.person_id, Proof.PASSKEY, browser)

    def note_copy(self, error: CopiedKey) -> None:
        self.history.write(
            Actor(label="sign-in page"), "suspect_copy", "passkey", error.passkey_id, at=self.clock()
        )

    def _remember(
        self,
        challenge: str,
        asked: SignInRequest,
        *,
        person_id: uuid.UUID | None = None,
        browser: Browser | None = None,
    ) -> None:
        at = self.clock()
        self.sign_in.sweep(at)
        self.sign_in.add(
            Challenge(
                asked=asked,
                secret_digest=digest_of(challenge),
                person_id=person_id,
                browser_digest=browser.digest if browser else "",
                expires_at=at + CHALLENGE_LIFE,
            )
        )

    def _take(
        self,
        challenge: str,
        asked: SignInRequest,
        *,
        person_id: uuid.UUID | None = None,
        browser: Browser | None = None,
    ) -> None:
        answer_challenge(
            self.sign_in.take_challenge(challenge),
            asked=asked,
            at=self.clock(),
            browser_digest=browser.digest if browser else "",
            person_id=person_id,
        )

    # --- lost passkeys

    def reset(self, person_id: uuid.UUID, *, by: Actor) -> None:
        """Remove all passkeys and end all sessions of a person: they sign in again by link or password."""
        self.people.lock_all([person_id])
        names = sorted(passkey.name for passkey in self.passkeys.list_of(person_id))
        removed = self.passkeys.remove_all_of(person_id)
        if not removed:
            raise Conflict("Cette personne n’a pas de clé d’accès.")
        ended, at = self.sessions.sessions.end_all_of(person_id), self.clock()
        self.sessions.apps.end_all_of(person_id)
        # Write it to the history of each campus where they work: the passkeys protected all of them.
        for campus_id in sorted({campus.id for _, campus in self.people.memberships_of(person_id)}):
            self.history.write(
                by, "reset", "passkey", person_id, at=at, campus_id=campus_id, keys=removed, sessions=ended
            )
        self.notices.tell(self.people.get(person_id), Changed.PASSKEYS_RESET, named=names)
