"""Sign-in with a single-use link, a password or a federated account."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.adapters.secrets import SealedForms
from app.db.accounts import DraftStore, FederationStore, OwnAddressStore, SignInStore
from app.db.campus import HistoryStore
from app.db.messages import LetterStore
from app.db.people import PeopleStore
from app.domain.accounts.sessions import (
    DRAFT_LIFE,
    LIFE,
    MOST_DRAFTS,
    MOST_FOR_ONE,
    FormDraft,
    Proof,
    SetAside,
    WaitingForm,
    digest_of,
)
from app.domain.accounts.sign_in import (
    AWAY,
    SIGN_IN_LINK_LIFE,
    AuthorizationRequest,
    Challenge,
    Changed,
    FederatedAccount,
    Identity,
    IdentityProvider,
    Password,
    Purpose,
    SignInLink,
    SignInRequest,
    answer_challenge,
    check_link_lives,
    check_proved_anew,
    code_of,
    is_code,
    person_for,
    proved_at,
    question_of,
    use_link,
)
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.team import Invitation
from app.domain.core import Clock, new_id
from app.domain.messages import SIGN_IN_PATIENCE, Letter, Occasion, QueuedMessage, letter_to
from app.domain.people import Person, is_address, masked_address, normal_address
from app.domain.publishing import Addresses
from app.errors import Conflict, NotFound, NotSignedIn
from app.language import N_, addressing, current_locale, speaking
from app.language import gettext as _
from app.services.accounts.sessions import AccountNotices, Browser, NewSession, SessionService, SignedIn


@dataclass(frozen=True)
class SignInDelivery:
    """A link that opens the account of one person; `works`: whether they are staff of a campus."""

    name: str
    link: str
    works: bool


def letter_with_links(queued: QueuedMessage, deliveries: Sequence[SignInDelivery]) -> Letter:
    subject, text = _subject_and_text(deliveries)
    return Letter(
        queued.address,
        subject,
        text,
        language=current_locale(),
    )


def _subject_and_text(deliveries: Sequence[SignInDelivery]) -> tuple[str, str]:
    ending = _("Si vous n’avez rien demandé, ne faites rien : sans ce lien, personne n’entre.")
    if len(deliveries) > 1:
        text = _(
            "Bonjour,\n\n"
            "Plusieurs personnes reçoivent leurs e-mails à cette adresse. Chaque lien ouvre l’espace de l’une "
            "d’elles, une seule fois, pendant dix minutes. Ouvrez-le dans le navigateur où vous l’avez demandé :"
        )
        links = "\n\n".join(f"{delivery.name}\n{delivery.link}" for delivery in deliveries)
        return _("Vos liens de connexion à Sceau"), f"{text}\n\n{links}\n\n{ending}"
    delivery = deliveries[0]
    opens = (
        _(
            "Bonjour {name},\n\nCe lien ouvre votre espace campus, une seule fois, pendant dix minutes, "
            "dans le navigateur où vous l’avez demandé :"
        )
        if delivery.works
        else _(
            "Bonjour {name},\n\nCe lien ouvre tous vos badges, une seule fois, pendant dix minutes, "
            "dans le navigateur où vous l’avez demandé :"
        )
    ).format(name=delivery.name)
    subject = _("Votre lien de connexion à Sceau") if delivery.works else _("Votre lien vers tous vos badges")
    return subject, f"{opens}\n\n{delivery.link}\n\n{ending}"


MOST_IN_ONE_LETTER = 12
_NOTHING = N_("Ce lien n’ouvre rien. Demandez-en un nouveau.")


@dataclass(frozen=True)
class KnownPassword:
    person_id: uuid.UUID
    hash: str


@dataclass(frozen=True, eq=False)
class SignInService:
    store: SignInStore
    sessions: SessionService
    people: PeopleStore
    own_addresses: OwnAddressStore
    notices: AccountNotices
    end_self_awards_of: Callable[[uuid.UUID], None]
    history: HistoryStore
    letters: LetterStore
    addresses: Addresses
    key: bytes
    clock: Clock

    # --- links

    def make_link(
        self, person_id: uuid.UUID, *, by: Actor, browser_digest: str = "", address: str = ""
    ) -> str:
        """The secret of a single-use link, valid ten minutes, in the browser that asked for it.

        A link made by an operator is not bound to a browser: it opens in any. A link sent to an `address`
        verifies that address.
        """
        secret, at = secrets.token_urlsafe(32), self.clock()
        link = SignInLink(
            person_id=person_id,
            secret_digest=digest_of(secret),
            browser_digest=browser_digest,
            address=address,
            expires_at=at + SIGN_IN_LINK_LIFE,
        )
        self.store.add(link)
        self.history.write(by, "make", "sign_in_link", link.id, at=at)
        return secret

    def request(self, address: str, browser: Browser, *, holder: Person | None = None) -> uuid.UUID | None:
        """Queues the e-mail with one link per account that the address opens, and returns its envelope; None
        if there is no such account.

        Each request gets its own e-mail: the rate limit per address bounds them and states the wait.
        `holder` has a private link: while they have no verified address, they may enter one themselves, unless
        another campus knows them.
        """
        address, at = normal_address(address), self.clock()
        people = self._opened_by(address, holder)
        if not people:
            return None
        challenge = Challenge(
            asked=SignInRequest.LINK,
            # Never answered: it holds what the e-mail needs.
            secret_digest=digest_of(secrets.token_urlsafe(32)),
            # A correction of the holder’s address drops it, with the links asked for in their name.
            person_id=holder.id if holder is not None and holder in people else people[0].id,
            browser_digest=browser.digest,
            facts={"language": current_locale(), "holder": str(holder.id) if holder else ""},
            expires_at=at + SIGN_IN_PATIENCE,
        )
        self.store.add(challenge)
        letter = letter_to(address, Occasion.SIGN_IN, challenge.id, person_id=people[0].id, at=at)
        self.letters.enqueue_new([letter])
        return letter.envelope

    def written(self, queued: QueuedMessage) -> Letter | None:
        """The e-mail with links that live from now on; None once no one waits for it, or no account is left."""
        at = self.clock()
        challenge = self.store.challenge(queued.about_id) if queued.about_id else None
        if challenge is None or challenge.asked is not SignInRequest.LINK or challenge.expires_at <= at:
            return None
        named = [uuid.UUID(each) for each in (challenge.facts["holder"],) if each]
        holder = next(iter(self.people.list_by_id(named)), None)
        opened = self._opened_by(queued.address, holder)
        by, are_children = Actor(label="sign-in page"), all(person.needs_guardian for person in opened)
        with speaking(addressing(str(challenge.facts["language"]), is_child=are_children)):
            deliveries = [
                SignInDelivery(
                    person.name,
                    self.addresses.sign_in_link(
                        self.make_link(
                            person.id,
                            by=by,
                            browser_digest=challenge.browser_digest,
                            address=queued.address,
                        )
                    ),
                    self.own_addresses.works(person.id, at=at),
                )
                for person in opened
            ]
            return letter_with_links(queued, deliveries) if deliveries else None

    def _opened_by(self, address: str, holder: Person | None) -> list[Person]:
        found = {person.id: person for person in self.own_addresses.entered_from(address, at=self.clock())}
        if holder is not None and is_address(address) and self._may_open(holder, address):
            found[holder.id] = holder
        return list(found.values())[:MOST_IN_ONE_LETTER]

    def _may_open(self, person: Person, address: str) -> bool:
        return self.own_addresses.may_enter(person, address) or self.own_addresses.may_name_first(person)

    def own_address(self, who: SignedIn) -> str:
        """An address that may receive a link for this person; empty if none is verified."""
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
        """Empty where the link opens a session; elsewhere, the code to type in the browser that asked."""
        link = self._link(secret)
        check_link_lives(link, at=self.clock())
        is_here = not link.browser_digest or link.browser_digest == browser.digest
        return "" if is_here else code_of(link, self.key)

    def by_link(self, secret: str, browser: Browser) -> NewSession:
        self.people.lock_all([self._link(secret).person_id])  # no address is removed meanwhile
        link = self._link(secret, to_use=True)
        use_link(link, browser_digest=browser.digest, at=self.clock())
        return self._enter(link, browser)

    def by_code(self, typed: str, browser: Browser, *, who: SignedIn | None = None) -> NewSession | None:
        """Open the session of the link with this code, if this browser asked for it; None counts as a try.

        With `who`, only links of that person are accepted.
        """
        at = self.clock()
        self.people.lock_all(self.store.people_asked_in(browser.digest, at) if browser.asking else ())
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
        """Opening the link verifies the address; refused if the account has verified another one since."""
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
        """The stored password hash to verify against, for the staff account with that address."""
        person = self.find_staff_at(address)
        return None if person is None else self.password_of(person.id)

    def password_of(self, person_id: uuid.UUID) -> KnownPassword | None:
        kept = self.store.find_password(person_id)
        return None if kept is None else KnownPassword(person_id, kept.hash)

    def by_password(self, known: KnownPassword, browser: Browser, *, newer_hash: str | None) -> NewSession:
        """Open a session after `known` was verified; `newer_hash`: a rehash of the same password."""
        self.people.lock_all([known.person_id])  # before their password, as who merges or erases them
        kept = self.store.find_password(known.person_id, to_use=True)
        if kept is None or kept.hash != known.hash:
            raise NotSignedIn("Votre mot de passe vient de changer. Recommencez.")
        if newer_hash is not None:
            kept.hash = newer_hash
            self.store.add(kept)
        return self.sessions.enter(known.person_id, Proof.PASSWORD, browser)

    def note_wrong_password(self, person_id: uuid.UUID) -> None:
        self.history.write(Actor(label="sign-in page"), "mistype", "password", person_id, at=self.clock())

    def set_password(self, who: SignedIn, new_hash: str) -> None:
        self.sessions.hold(who)
        at, known = self.clock(), self.store.find_password(who.person.id)
        kept = known or Password(person_id=who.person.id, hash=new_hash, set_at=at)
        kept.hash, kept.set_at = new_hash, at
        self.store.add(kept)
        self.history.write(who.actor, "set", "password", who.person.id, at=at)
        self.notices.tell(who.person, Changed.PASSWORD_CHANGED if known else Changed.PASSWORD_ADDED)
        self.sessions.end_all(who, but_this=True)

    def drop_password(self, who: SignedIn) -> None:
        self.sessions.hold(who)
        if self.store.find_password(who.person.id) is None:
            return
        self.store.drop_password(who.person.id)
        self.notices.tell(who.person, Changed.PASSWORD_REMOVED)
        self.history.write(who.actor, "drop", "password", who.person.id, at=self.clock())
        self.sessions.end_all(who, but_this=True)


@dataclass(frozen=True)
class Returned:
    """A browser back from the identity provider, with the purpose it left for."""

    purpose: Purpose
    question: AuthorizationRequest
    asked_at: datetime
    carried: str
    """State that the requesting page gets back."""


@dataclass(frozen=True, eq=False)
class FederationService:
    """`label_of`: the name of that issuer's service on its sign-in button."""

    accounts: FederationStore
    sign_in: SignInStore
    people: PeopleStore
    sessions: SessionService
    notices: AccountNotices
    history: HistoryStore
    label_of: Callable[[str], str]
    key: bytes
    clock: Clock

    # --- redirect and callback

    def ask(
        self,
        provider: IdentityProvider,
        purpose: Purpose,
        browser: Browser,
        *,
        who: SignedIn | None = None,
        carried: str = "",
    ) -> AuthorizationRequest:
        """The authorization request, bound to this browser; with `who`, also bound to that person."""
        state, at = secrets.token_urlsafe(32), self.clock()
        self.sign_in.sweep(at)
        self.sign_in.add(
            Challenge(
                asked=SignInRequest.OIDC,
                secret_digest=digest_of(state),
                person_id=who.person.id if who else None,
                browser_digest=browser.digest,
                facts={"service": provider.name, "purpose": purpose.value, "carried": carried},
                expires_at=at + AWAY,
            )
        )
        return question_of(state, self.key, again=purpose is Purpose.PROVE)

    def take(self, provider: IdentityProvider, state: str, browser: Browser) -> Returned:
        """Take what this browser was redirected for. Single use."""
        challenge = answer_challenge(
            self.sign_in.take_challenge(state),
            asked=SignInRequest.OIDC,
            at=self.clock(),
            browser_digest=browser.digest,
            person_id=browser.here.person.id if browser.here else None,
        )
        if challenge.facts["service"] != provider.name:
            raise NotSignedIn("Cette étape a expiré ou a déjà servi. Recommencez.")
        purpose = Purpose(challenge.facts["purpose"])
        question = question_of(state, self.key, again=purpose is Purpose.PROVE)
        return Returned(purpose, question, challenge.expires_at - AWAY, str(challenge.facts["carried"]))

    # --- identity

    def enter(self, provider: IdentityProvider, identity: Identity, browser: Browser) -> NewSession:
        """Open a session for the person linked to the account; raises Unlinked if there is none."""
        account = self._held(identity) or self._recognised(provider, identity)
        return self._open(account.person_id, identity, browser)

    def prove(self, who: SignedIn, identity: Identity, browser: Browser, *, asked_at: datetime) -> NewSession:
        """Re-authenticate the same session with a federated account linked to this same person."""
        account = self._held(identity)
        if account is None or account.person_id != who.person.id:
            raise NotSignedIn("Ce compte n’est pas relié à vous. Confirmez d’une autre façon.")
        check_proved_anew(identity, asked_at=asked_at)
        return self._open(who.person.id, identity, browser)

    def invitation_for(self, provider: IdentityProvider, identity: Identity) -> Invitation | None:
        """The invitation to the address of the identity, if the provider vouches for that address."""
        if not identity.address or not provider.vouches_for(identity.address):
            return None
        return self.accounts.invitation_to(identity.address, at=self.clock())

    def _held(self, identity: Identity) -> FederatedAccount | None:
        """Locked after its person, as who merges or erases them."""
        holder = self.accounts.holder_of(identity.issuer, identity.subject)
        self.people.lock_all([holder] if holder else [])
        return self.accounts.find(identity.issuer, identity.subject)

    def _recognised(self, provider: IdentityProvider, identity: Identity) -> FederatedAccount:
        staff = self.people.all_staff_at(identity.address, at=self.clock()) if identity.address else []
        is_vouched = bool(identity.address) and provider.vouches_for(identity.address)
        person = person_for(identity, staff, is_vouched=is_vouched)
        return self._link(person.id, identity, by=Actor(label="sign-in page"))

    def _open(self, person_id: uuid.UUID, identity: Identity, browser: Browser) -> NewSession:
        when = proved_at(identity, at=self.clock())
        return self.sessions.enter(person_id, Proof.OIDC, browser, proved_at=when)

    # --- the person's own linked accounts

    def list_of(self, person_id: uuid.UUID) -> Sequence[FederatedAccount]:
        return self.accounts.list_of(person_id)

    def link(self, who: SignedIn, identity: Identity) -> None:
        """Idempotent."""
        self.sessions.hold(who)
        known = self.accounts.find(identity.issuer, identity.subject)
        if known is not None and known.person_id == who.person.id:
            return
        if known is not None:
            raise Conflict("Ce compte est déjà relié à une autre personne. Rien n’a changé.")
        self._link(who.person.id, identity, by=who.actor)

    def unlink(self, who: SignedIn, account_id: uuid.UUID) -> None:
        self.sessions.hold(who)
        for account in self.accounts.list_of(who.person.id):
            if account.id == account_id:
                self.accounts.remove(account)
                self.history.write(who.actor, "unlink", "federated_account", account_id, at=self.clock())
                self.notices.tell(who.person, Changed.SERVICE_UNLINKED, named=[self.label_of(account.issuer)])
                self.sessions.end_all(who, but_this=True)
                return
        raise NotFound("Ce compte n’est plus relié.")

    def _link(self, person_id: uuid.UUID, identity: Identity, *, by: Actor) -> FederatedAccount:
        at = self.clock()
        account = FederatedAccount(
            person_id=person_id, issuer=identity.issuer, subject=identity.subject, linked_at=at
        )
        if not self.accounts.link(account):
            known = self.accounts.find(identity.issuer, identity.subject)
            if known is not None and known.person_id == person_id:
                return known
            raise Conflict(
                "Un autre compte de ce service est déjà relié à cette personne. Pour en changer, déliez-le d’abord dans « Mon compte »."
            )
        self.history.write(by, "link", "federated_account", account.id, at=at)
        self.notices.tell(
            self.people.get(person_id), Changed.SERVICE_LINKED, named=[self.label_of(identity.issuer)]
        )
        return account


@dataclass(frozen=True, eq=False)
class DraftService:
    """Forms that a person of a campus filled in, shown again at an address of their own."""

    store: DraftStore
    seal: SealedForms
    clock: Clock

    def save(self, campus: Campus, form: WaitingForm, person_id: uuid.UUID) -> uuid.UUID:
        at, draft_id = self.clock(), new_id()
        self.store.sweep(at)
        self.store.make_room(campus.id, person_id, but=MOST_DRAFTS - 1)
        sealed = self.seal.seal(form, token=f"draft {draft_id}")
        self.store.add(
            FormDraft(
                id=draft_id,
                campus_id=campus.id,
                person_id=person_id,
                sealed=sealed,
                expires_at=at + DRAFT_LIFE,
            )
        )
        return draft_id

    def get(self, campus: Campus, draft_id: uuid.UUID, person_id: uuid.UUID, path: str) -> WaitingForm:
        """The form sent to that path; raises NotFound for the draft of anybody else, elsewhere or expired."""
        found = self.store.find(draft_id)
        if (
            found is not None
            and (found.campus_id, found.person_id) == (campus.id, person_id)
            and self.clock() < found.expires_at
        ):
            form = self.seal.open(found.sealed, token=f"draft {draft_id}")
            if form is not None and form.path == path:
                return form
        raise NotFound(
            "Cette page n’est plus ici : ce qui y était tapé a été effacé au bout d’un jour. Recommencez."
        )

    def forget_old(self) -> int:
        return self.store.sweep(self.clock())


@dataclass(frozen=True, eq=False)
class SetAsideService:
    store: SignInStore
    people: PeopleStore
    seal: SealedForms
    clock: Clock

    def keep(self, form: WaitingForm, person_id: uuid.UUID) -> str:
        """A token that retrieves the form, for that person only; raises NotFound if the person is gone."""
        self.people.get(person_id)
        token, at = secrets.token_urlsafe(32), self.clock()
        self.store.sweep(at)
        self.store.make_room_for_form(person_id, but=MOST_FOR_ONE - 1)
        self.store.add(
            SetAside(
                person_id=person_id,
                secret_digest=digest_of(token),
                sealed=self.seal.seal(form, token=token),
                expires_at=at + LIFE,
            )
        )
        return token

    def find(self, token: str, person_id: uuid.UUID) -> WaitingForm | None:
        kept = self.store.find_form(token)
        if kept is None or kept.person_id != person_id or self.clock() >= kept.expires_at:
            return None
        return self.seal.open(kept.sealed, token=token)

    def take(self, token: str, person_id: uuid.UUID) -> WaitingForm | None:
        """As `find`, and deletes the stored form."""
        found = self.find(token, person_id)
        if found is not None:
            self.store.drop_form(token)
        return found
