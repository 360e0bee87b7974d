"""What people do with their own addresses, and what their other addresses are told of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.accounts.own_addresses import OwnAddressStore
from app.db.accounts.sign_in import SignInStore
from app.db.campus.history import HistoryStore
from app.db.messages.letters import LetterStore
from app.domain.accounts.account_changes import Changed
from app.domain.accounts.own_addresses import (
    address_challenge,
    check_room_for_address,
    is_address_code,
    proof_of_address,
    read_address,
)
from app.domain.accounts.sign_in import Asked, Challenge, answer_challenge
from app.domain.core.clock import Clock
from app.domain.messages.letters import Occasion, letter_to
from app.domain.people.people import masked_address
from app.errors import Conflict, NotFound, NotSignedIn
from app.language import N_, current_locale
from app.services.accounts.account_notices import AccountNotices
from app.services.accounts.sessions import SignedIn
from app.services.people.merging import MergingService

_NOT_YOURS = N_("Cette adresse n’est pas dans votre compte.")
_NO_CHALLENGE = N_("Ce lien ne confirme rien : il a expiré, ou il a déjà servi. Redemandez une lettre.")


@dataclass(frozen=True)
class OwnAddress:
    address: str
    is_main: bool
    verified_at: datetime | None


@dataclass(frozen=True)
class KeptAddress:
    """`offers`: another record stands at the address that was proved, for the person to say whose it is."""

    address: str
    offers: bool


class OwnAddressService:
    def __init__(
        self,
        own: OwnAddressStore,
        challenges: SignInStore,
        letters: LetterStore,
        notices: AccountNotices,
        merging: MergingService,
        end_self_awards_of: Callable[[uuid.UUID], None],
        history: HistoryStore,
        secret: bytes,
        clock: Clock,
    ) -> None:
        self.own = own
        self.challenges = challenges
        self.letters = letters
        self.notices = notices
        self.merging = merging
        self.end_self_awards_of = end_self_awards_of
        self.history = history
        self.secret = secret
        self.clock = clock

    def list_of(self, person_id: uuid.UUID) -> list[OwnAddress]:
        """Those the person proved first, then those that campuses wrote down."""
        rows = self.own.list_of(person_id)
        proved = [row for row in rows if row.verified_at is not None]
        main = next((row for row in proved if row.is_main), proved[0] if proved else None)
        return [OwnAddress(row.address, row is main, row.verified_at) for row in rows]

    def waiting(self, person_id: uuid.UUID) -> Sequence[Challenge]:
        """What was asked for and not answered yet, the oldest first."""
        asked = self.challenges.challenges_of(person_id, Asked.ADDRESS, at=self.clock())
        return [each for each in asked if not each.facts.get("proved")]

    # --- one more

    def ask(self, who: SignedIn, typed: str) -> Challenge:
        """A letter leaves for the address; until it is answered nothing is opened by it."""
        address, at = read_address(typed), self.clock()
        mine = self.list_of(who.person.id)
        if any(each.address == address and each.verified_at for each in mine):
            raise Conflict(N_("Cette adresse est déjà confirmée."))
        waiting = self.waiting(who.person.id)
        for each in waiting:
            if each.facts["address"] == address:
                self.challenges.remove(each)
        check_room_for_address(
            sum(each.verified_at is not None for each in mine)
            + sum(each.facts["address"] != address for each in waiting)
        )
        challenge = address_challenge(self.secret, who.person.id, address, language=current_locale(), at=at)
        self.challenges.add(challenge)
        self.letters.promise_many(
            [letter_to(address, Occasion.ADDRESS_CONFIRM, challenge.id, person_id=who.person.id, at=at)]
        )
        self._note(who, "ask_address")
        return challenge

    def drop_waiting(self, who: SignedIn, challenge_id: uuid.UUID) -> None:
        for each in self.waiting(who.person.id):
            if each.id == challenge_id:
                self.challenges.remove(each)

    def asked_by(self, token: str) -> Challenge:
        """What the letter's link is about; raises NotFound where it confirms nothing any more."""
        challenge = self.challenges.find_challenge(token)
        if challenge is None or challenge.asked is not Asked.ADDRESS or challenge.expires_at <= self.clock():
            raise NotFound(_NO_CHALLENGE)
        return challenge

    def confirm(self, who: SignedIn, token: str) -> KeptAddress:
        """The address that is the person's own from now on; only the session that asked may say so."""
        self.asked_by(token)
        challenge = answer_challenge(
            self.challenges.take_challenge(token),
            asked=Asked.ADDRESS,
            at=self.clock(),
            person_id=who.person.id,
        )
        return self._keep(who, challenge)

    def confirm_by_code(self, who: SignedIn, challenge_id: uuid.UUID, typed: str) -> KeptAddress:
        challenge = next((each for each in self.waiting(who.person.id) if each.id == challenge_id), None)
        if challenge is None:
            raise NotFound(_NO_CHALLENGE)
        if not is_address_code(typed, self.secret, challenge.id):
            raise NotSignedIn(N_("Ce code n’est pas celui de la lettre. Vérifiez les huit signes."))
        self.challenges.remove(challenge)
        return self._keep(who, challenge)

    def _keep(self, who: SignedIn, challenge: Challenge) -> KeptAddress:
        address, at = str(challenge.facts["address"]), self.clock()
        twin = self.merging.twin_at(who.person, address)
        if twin is not None and not self.merging.is_nobody_else_s(twin):
            # Whoever has an account of that name at that address decides there first whether both are one.
            self.challenges.add(proof_of_address(who.person.id, address, at=at))
            return KeptAddress(address, offers=True)
        if twin is not None:
            self.merging.absorb(who, twin)
        self.own.people.add_address(who.person, address)
        self.own.verify(who.person, address, at=at)
        self._note(who, "prove_address")
        self.end_self_awards_of(who.person.id)
        self.notices.tell(who.person, Changed.ADDRESS_ADDED, named=[masked_address(address)], but=[address])
        return KeptAddress(address, offers=bool(self.merging.offered_to(who.person)))

    # --- in order, and one less

    def make_main(self, who: SignedIn, address: str) -> None:
        self._mine(who, address)
        if self.own.make_main(who.person.id, address):
            self._note(who, "choose_main_address")
            self.notices.tell(who.person, Changed.MAIN_ADDRESS, named=[masked_address(address)])

    def remove(self, who: SignedIn, address: str) -> None:
        """Never the last one that opens the account."""
        removed = self._mine(who, address, proved=False)
        proved = [each for each in self.list_of(who.person.id) if each.verified_at]
        if removed.verified_at and len(proved) == 1:
            raise Conflict(
                N_("C’est votre seule adresse confirmée : ajoutez-en une autre avant de retirer celle-ci.")
            )
        self.own.remove(who.person.id, address)
        self._note(who, "remove_address")
        if removed.verified_at:
            self.notices.tell(
                who.person, Changed.ADDRESS_REMOVED, named=[masked_address(address)], also=[address]
            )

    def _mine(self, who: SignedIn, address: str, *, proved: bool = True) -> OwnAddress:
        for each in self.list_of(who.person.id):
            if each.address == address and (each.verified_at or not proved):
                return each
        raise NotFound(_NOT_YOURS)

    def _note(self, who: SignedIn, deed: str) -> None:
        self.history.write(who.actor, deed, "person", who.person.id, at=self.clock())
