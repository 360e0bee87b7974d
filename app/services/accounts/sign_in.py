"""Signing in with a link that works once, or with a password."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from app.db.accounts.own_addresses import OwnAddressStore
from app.db.accounts.sign_in import SignInStore
from app.db.campus.history import HistoryStore
from app.db.people.people import PeopleStore
from app.domain.accounts.access import digest_of
from app.domain.accounts.account_changes import Changed
from app.domain.accounts.sessions import Proof
from app.domain.accounts.sign_in import (
    SIGN_IN_LINK_LIFE,
    Password,
    SignInLink,
    check_link_lives,
    code_of,
    is_code,
    use_link,
)
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.messages.letters import Letter
from app.domain.people.people import Person, is_address, masked_address, normal_address
from app.errors import NotSignedIn
from app.language import N_
from app.services.accounts.account_notices import AccountNotices
from app.services.accounts.sessions import Browser, NewSession, SessionService, SignedIn
from app.services.accounts.sign_in_letters import Door, letter_with_links

MOST_IN_ONE_LETTER = 12
_NOTHING = N_("Ce lien n’ouvre rien. Demandez-en un nouveau.")


@dataclass(frozen=True)
class KnownPassword:
    person_id: uuid.UUID
    hash: str


class SignInService:
    def __init__(
        self,
        store: SignInStore,
        sessions: SessionService,
        people: PeopleStore,
        own_addresses: OwnAddressStore,
        notices: AccountNotices,
        end_self_awards_of: Callable[[uuid.UUID], None],
        history: HistoryStore,
        key: bytes,
        clock: Clock,
    ) -> None:
        self.store = store
        self.sessions = sessions
        self.people = people
        self.own_addresses = own_addresses
        self.notices = notices
        self.end_self_awards_of = end_self_awards_of
        self.history = history
        self.key = key
        self.clock = clock

    # --- links

    def make_link(
        self, person_id: uuid.UUID, *, by: Actor, browser: Browser | None = None, address: str = ""
    ) -> str:
        """The secret of a link that opens one session, once, within ten minutes, where it was asked for.

        An operator's link names no browser: whoever is handed it opens it anywhere. One that leaves for an
        `address` proves it.
        """
        secret, at = secrets.token_urlsafe(32), self.clock()
        link = SignInLink(
            person_id=person_id,
            secret_digest=digest_of(secret),
            browser_digest=browser.digest if browser else "",
            address=address,
            expires_at=at + SIGN_IN_LINK_LIFE,
        )
        self.store.add(link)
        self.history.write(by, "make", "sign_in_link", link.id, at=at)
        return secret

    def letter(
        self, address: str, browser: Browser, link_of: Callable[[str], str], *, holder: Person | None = None
    ) -> Letter | None:
        """The letter with a link for each person whose account that address opens; None where there is nobody.

        Each request is answered by a message of its own: the rate limit per address bounds them, and names the wait.
        `holder` has a badge in hand: as long as they proved no address, they name theirs themselves.
        """
        address, at = normal_address(address), self.clock()
        found = {person.id: person for person in self.own_addresses.entered_from(address, at=at)}
        if holder is not None and is_address(address) and self._may_open(holder, address):
            found[holder.id] = holder
        people = list(found.values())[:MOST_IN_ONE_LETTER]
        by = Actor(label="sign-in page")
        doors = [
            Door(
                person.name,
                link_of(self.make_link(person.id, by=by, browser=browser, address=address)),
                self.own_addresses.works(person.id, at=at),
            )
            for person in people
        ]
        return letter_with_links(address, doors) if doors else None

    def _may_open(self, person: Person, address: str) -> bool:
        has_none = not self.own_addresses.has_account(person.id) and self.own_addresses.is_plain(person.id)
        return has_none or self.own_addresses.may_enter(person, address)

    def own_address(self, who: SignedIn) -> str:
        """Where a link of theirs may be sent; empty if they proved no address."""
        own = [
            row.address for row in self.own_addresses.list_of(who.person.id) if row.verified_at is not None
        ]
        return own[0] if own else ""

    def works(self, person_id: uuid.UUID) -> bool:
        """Whether the person has a role in some campus today, or runs the service."""
        return self.own_addresses.works(person_id, at=self.clock())

    def leads_to_work(self, secret: str) -> bool:
        return self.works(self._link(secret).person_id)

    def find_staff_at(self, address: str) -> Person | None:
        return self.people.find_staff_at(normal_address(address), at=self.clock())

    def code_for(self, secret: str, browser: Browser) -> str:
        """Empty where the link opens a session; elsewhere the code to type in the browser that asked."""
        link = self._link(secret)
        check_link_lives(link, at=self.clock())
        is_here = not link.browser_digest or link.browser_digest == browser.digest
        return "" if is_here else code_of(link, self.key)

    def by_link(self, secret: str, browser: Browser) -> NewSession:
        link = self._link(secret, to_use=True)
        use_link(link, browser_digest=browser.digest, at=self.clock())
        return self._enter(link, browser)

    def by_code(self, typed: str, browser: Browser, *, who: SignedIn | None = None) -> NewSession | None:
        """The session of the link whose code that is, if this browser asked for it; None counts as a try.

        With `who`, of a link of nobody else.
        """
        at = self.clock()
        for link in self.store.links_asked_in(browser.digest, at) if browser.asking else ():
            if who is not None and link.person_id != who.person.id:
                continue
            link.codes_tried += 1
            self.store.add(link)
            if is_code(typed, link, self.key):
                use_link(link, browser_digest=browser.digest, at=at)
                return self._enter(link, browser)
        return None

    def _link(self, secret: str, *, to_use: bool = False) -> SignInLink:
        link = self.store.find_link(secret, to_use=to_use)
        if link is None:
            raise NotSignedIn(_NOTHING)
        return link

    def _enter(self, link: SignInLink, browser: Browser) -> NewSession:
        self.store.add(link)
        self.store.sweep(self.clock())
        if link.address:
            self._prove_address(link)
        return self.sessions.enter(link.person_id, Proof.LINK, browser)

    def _prove_address(self, link: SignInLink) -> None:
        """Whoever opened the letter reads what is sent there; another may have come first since it left."""
        person = self.people.get(link.person_id)
        if not self._may_open(person, link.address):
            raise NotSignedIn(_NOTHING)
        self.people.add_address(person, link.address)
        if self.own_addresses.verify(person, link.address, at=self.clock()):
            self.history.write(Actor(person.id), "prove_address", "person", person.id, at=self.clock())
            self.notices.tell(
                person, Changed.FIRST_ADDRESS, named=[masked_address(link.address)], but=[link.address]
            )
            self.end_self_awards_of(person.id)

    # --- passwords

    def has_password(self, person_id: uuid.UUID) -> bool:
        return self.store.find_password(person_id) is not None

    def password_at(self, address: str) -> KnownPassword | None:
        """What to compare with, for somebody who works somewhere under that address."""
        person = self.find_staff_at(address)
        return None if person is None else self.password_of(person.id)

    def password_of(self, person_id: uuid.UUID) -> KnownPassword | None:
        kept = self.store.find_password(person_id)
        return None if kept is None else KnownPassword(person_id, kept.hash)

    def by_password(self, known: KnownPassword, browser: Browser, *, newer_hash: str | None) -> NewSession:
        """Whoever typed the password that `known` is of; `newer_hash` is of the same password."""
        kept = self.store.find_password(known.person_id)
        if kept is None or kept.hash != known.hash:
            raise NotSignedIn(N_("Votre mot de passe vient de changer. Recommencez."))
        if newer_hash is not None:
            kept.hash = newer_hash
            self.store.add(kept)
        return self.sessions.enter(known.person_id, Proof.PASSWORD, browser)

    def note_wrong_password(self, person_id: uuid.UUID) -> None:
        self.history.write(Actor(label="sign-in page"), "mistype", "password", person_id, at=self.clock())

    def set_password(self, who: SignedIn, new_hash: str) -> None:
        """The other sessions of the person end: somebody else may have opened them with the old one."""
        at, known = self.clock(), self.store.find_password(who.person.id)
        kept = known or Password(person_id=who.person.id, hash=new_hash, set_at=at)
        kept.hash, kept.set_at = new_hash, at
        self.store.add(kept)
        self.history.write(who.actor, "set", "password", who.person.id, at=at)
        self.notices.tell(who.person, Changed.PASSWORD_CHANGED if known else Changed.PASSWORD_ADDED)
        self.sessions.end_all(who, but_this=True)

    def drop_password(self, who: SignedIn) -> None:
        if self.store.find_password(who.person.id) is None:
            return
        self.store.drop_password(who.person.id)
        self.notices.tell(who.person, Changed.PASSWORD_REMOVED)
        self.history.write(who.actor, "drop", "password", who.person.id, at=self.clock())
