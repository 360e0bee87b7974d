"""Passkeys: asked for, kept, named, taken away, and answered with."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from app.db.accounts.passkeys import PasskeyStore
from app.db.accounts.sign_in import SignInStore
from app.db.campus.history import HistoryStore
from app.db.people.people import PeopleStore
from app.domain.accounts.access import digest_of
from app.domain.accounts.account_changes import Changed
from app.domain.accounts.passkeys import (
    Asking,
    Ceremonies,
    CopiedKey,
    Passkey,
    PasskeyRefused,
    check_count,
    check_passkey_name,
    check_room_for_passkey,
)
from app.domain.accounts.sessions import Proof
from app.domain.accounts.sign_in import CHALLENGE_LIFE, Asked, Challenge, answer_challenge
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.errors import Conflict, NotFound
from app.language import N_
from app.services.accounts.account_notices import AccountNotices
from app.services.accounts.sessions import Browser, NewSession, SessionService, SignedIn


class PasskeyService:
    def __init__(
        self,
        passkeys: PasskeyStore,
        sign_in: SignInStore,
        people: PeopleStore,
        sessions: SessionService,
        notices: AccountNotices,
        history: HistoryStore,
        ceremonies: Ceremonies,
        clock: Clock,
    ) -> None:
        self.passkeys = passkeys
        self.sign_in = sign_in
        self.people = people
        self.sessions = sessions
        self.notices = notices
        self.history = history
        self.ceremonies = ceremonies
        self.clock = clock

    # --- one's own keys

    def list_of(self, person_id: uuid.UUID) -> Sequence[Passkey]:
        return self.passkeys.list_of(person_id)

    def ask_for_new(self, who: SignedIn) -> dict[str, Any]:
        """What the browser hands to the authenticator that shall make a key."""
        known = self.passkeys.list_of(who.person.id)
        check_room_for_passkey(len(known))
        address = self.people.addresses_of([who.person.id]).get(who.person.id, "")
        asking = Asking(who.person.id.bytes, who.person.name, address)
        question = self.ceremonies.ask_for_new(asking, [each.credential_id for each in known])
        self._remember(question.challenge, Asked.PASSKEY_ENROL, person_id=who.person.id)
        return question.options

    def enrol(self, who: SignedIn, name: str, response: str, browser: Browser) -> NewSession:
        """A new key of whoever is signed in, who has just shown that they hold it."""
        check_passkey_name(name)
        challenge = self.ceremonies.challenge_of_new(response)
        self._take(challenge, Asked.PASSKEY_ENROL, person_id=who.person.id)
        check_room_for_passkey(len(self.passkeys.list_of(who.person.id)))
        made = self.ceremonies.check_new(response, challenge)
        if self.passkeys.find(made.credential_id) is not None:
            raise Conflict(N_("Cette clé est déjà enregistrée."))
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
        passkey = self._own(who, passkey_id)
        self.passkeys.remove(passkey)
        self.history.write(who.actor, "remove", "passkey", passkey_id, at=self.clock())
        self.notices.tell(who.person, Changed.PASSKEY_REMOVED, named=[passkey.name])

    def _own(self, who: SignedIn, passkey_id: uuid.UUID) -> Passkey:
        for passkey in self.passkeys.list_of(who.person.id):
            if passkey.id == passkey_id:
                return passkey
        raise NotFound(N_("Cette clé n’est plus enregistrée."))

    # --- signing in, and proving again

    def ask(self, browser: Browser, who: SignedIn | None = None) -> dict[str, Any]:
        """What the browser hands to an authenticator: any, or one that holds a key of `who`."""
        known = self.passkeys.list_of(who.person.id) if who else []
        question = self.ceremonies.ask_for_known([each.credential_id for each in known])
        self._remember(question.challenge, Asked.PASSKEY_SIGN_IN, browser=browser)
        return question.options

    def answer(self, response: str, browser: Browser, who: SignedIn | None = None) -> NewSession:
        """The session of whoever holds the key; with `who`, of nobody else."""
        answer = self.ceremonies.read(response)
        self._take(answer.challenge, Asked.PASSKEY_SIGN_IN, browser=browser)
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
        asked: Asked,
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
        asked: Asked,
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

    # --- when the keys are lost

    def reset(self, person_id: uuid.UUID, *, by: Actor) -> None:
        """All keys and sessions of somebody go: they come in by a link or a password again."""
        names = sorted(passkey.name for passkey in self.passkeys.list_of(person_id))
        removed = self.passkeys.remove_all_of(person_id)
        if not removed:
            raise Conflict(N_("Cette personne n’a pas de clé d’accès."))
        ended, at = self.sessions.sessions.end_all_of(person_id), self.clock()
        # Each campus where they work reads of it: what protects one protects the others.
        for campus_id in sorted({campus.id for _, campus in self.people.memberships_of(person_id)}):
            self.history.write(
                by, "reset", "passkey", person_id, at=at, campus_id=campus_id, keys=removed, sessions=ended
            )
        self.notices.tell(self.people.get(person_id), Changed.PASSKEYS_RESET, named=names)
