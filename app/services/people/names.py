"""The name that badges say: corrected by the person or by a campus, and every badge that says it signed anew."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from app.db.accounts.own_addresses import OwnAddressStore
from app.db.campus.campus import CampusStore
from app.db.campus.history import HistoryStore
from app.db.messages.letters import LetterStore
from app.db.people.merging import MergeStore
from app.db.people.names import NameStore
from app.db.people.people import PeopleStore
from app.domain.awards.awards import Award
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.messages.letters import LetterState, Occasion, corrections_of, letter_to
from app.domain.people.names import (
    NameWish,
    accept,
    check_wish_reason,
    is_same_but_for_spelling,
    read_name,
    refuse,
)
from app.domain.people.people import Person
from app.errors import InvalidInput, NotAllowed, NotFound
from app.language import N_
from app.services.accounts.sessions import SignedIn
from app.services.awards.reissuing import ReissueService


@dataclass(frozen=True)
class Corrected:
    """`reissued` badges say the new name already; `asked` campuses have to agree first."""

    reissued: int = 0
    asked: int = 0


@dataclass(frozen=True)
class MyWish:
    wish: NameWish
    campus: Campus


class NameService:
    def __init__(
        self,
        names: NameStore,
        people: PeopleStore,
        own: OwnAddressStore,
        merges: MergeStore,
        campuses: CampusStore,
        reissuing: ReissueService,
        letters: LetterStore,
        history: HistoryStore,
        clock: Clock,
    ) -> None:
        self.names = names
        self.people = people
        self.own = own
        self.merges = merges
        self.campuses = campuses
        self.reissuing = reissuing
        self.letters = letters
        self.history = history
        self.clock = clock

    # --- by the person

    def correct_mine(self, who: SignedIn, given_name: str, family_name: str, reason: str) -> Corrected:
        """A spelling changes at once; another name is what each campus that signed the former one agrees to."""
        given, family = read_name(given_name, family_name)
        person = self.people.get(who.person.id)
        if (given, family) == (person.given_name, person.family_name):
            raise InvalidInput(N_("C’est déjà ce nom."))
        if is_same_but_for_spelling(person, given, family):
            return Corrected(reissued=self._rename(person, given, family, campus=None, by=who.actor))
        check_wish_reason(reason)
        concerned = {award.campus_id for award in self.names.named_awards(person.id)}
        if not concerned:
            # No badge says who they are, so nobody has anything to agree to.
            return Corrected(reissued=self._rename(person, given, family, campus=None, by=who.actor))
        for wish in self.names.of_person(person.id):
            if wish.decided_at is None:
                self.names.remove(wish)
        for campus_id in sorted(concerned):
            self._ask(person, campus_id, given, family, reason.strip(), by=who.actor)
        return Corrected(asked=len(concerned))

    def _ask(
        self, person: Person, campus_id: uuid.UUID, given: str, family: str, reason: str, *, by: Actor
    ) -> None:
        at = self.clock()
        wish = NameWish(
            campus_id=campus_id,
            person_id=person.id,
            given_name=given,
            family_name=family,
            reason=reason,
            asked_at=at,
        )
        self.names.add(wish)
        self.history.write(by, "ask_name", "person", person.id, at=at, campus_id=campus_id)

    def wishes_of(self, person_id: uuid.UUID) -> list[MyWish]:
        return [
            MyWish(wish, self.campuses.get_by_id(wish.campus_id)) for wish in self.names.of_person(person_id)
        ]

    # --- by the campus

    def waiting_in(self, campus: Campus) -> Sequence[tuple[NameWish, Person]]:
        return self.names.waiting_in(campus.id)

    def refuse(self, campus: Campus, wish_id: uuid.UUID, reason: str, *, by: Actor) -> None:
        """The person is told why, and nobody else."""
        at = self.clock()
        wish = self.names.lock_in_campus(wish_id, campus.id)
        refuse(wish, reason, by=by.person_id, at=at)
        self.names.add(wish)
        self.history.write(by, "refuse_name", "person", wish.person_id, at=at, campus_id=campus.id)
        address = self.people.addresses_of([wish.person_id]).get(wish.person_id, "")
        if address:
            letter = letter_to(
                address,
                Occasion.NAME_REFUSED,
                wish.id,
                campus_id=campus.id,
                person_id=wish.person_id,
                at=at,
            )
            self.letters.promise_many([letter])

    def accept(self, campus: Campus, wish_id: uuid.UUID, *, by: Actor) -> int:
        """How many of the campus's badges say the new name; other campuses answer for theirs."""
        wish = self.names.lock_in_campus(wish_id, campus.id)
        accept(wish, by=by.person_id, at=self.clock())
        self.names.add(wish)
        person = self.people.get(wish.person_id)
        return self._rename(person, wish.given_name, wish.family_name, campus=campus, by=by)

    def correct_in_campus(
        self, campus: Campus, person_id: uuid.UUID, given_name: str, family_name: str, *, by: Actor
    ) -> int:
        """Of somebody who has no account and whom no other campus knows: nobody else is there to say how they are called."""
        given, family = read_name(given_name, family_name)
        person = self.people.get(person_id)
        is_plain = self.own.is_plain(person_id)
        standing = self.merges.standing(
            person_id, has_account=self.own.has_account(person_id), works=not is_plain
        )
        if campus.id not in standing.campuses:
            raise NotFound(N_("Cette personne n’existe pas ici."))
        if standing.has_account or standing.works:
            raise NotAllowed(
                N_(
                    "Cette personne a un compte : elle corrige elle-même son nom, depuis « Mon compte », et le campus l’accepte."
                )
            )
        if standing.campuses - {campus.id}:
            raise NotAllowed(
                N_(
                    "Un autre campus connaît aussi cette personne : elle corrige elle-même son nom, depuis « Mon compte »."
                )
            )
        return self._rename(person, given, family, campus=campus, by=by)

    def _rename(self, person: Person, given: str, family: str, *, campus: Campus | None, by: Actor) -> int:
        self.names.rename(person, given, family)
        self.history.write(
            by, "rename", "person", person.id, at=self.clock(), campus_id=campus.id if campus else None
        )
        awards = self.names.named_awards(person.id, campus.id if campus else None)
        reissued = self.reissuing.write_name(awards, person.name, by=by)
        if campus is not None:
            self._tell(person, reissued)
        return len(reissued)

    def _tell(self, person: Person, reissued: Sequence[Award]) -> None:
        """Of what somebody else wrote in their badges; those that they have not heard of yet are announced as they are now."""
        letters = self.letters.of_awards(award.id for award in reissued)
        waiting = [letter for letter in letters if letter.state is LetterState.WAITING]
        unheard = {letter.award_id for letter in waiting if letter.occasion == Occasion.AWARDED}
        earlier = {
            letter.award_id: letter
            for letter in waiting
            if letter.occasion == Occasion.NAME_CORRECTED and letter.award_id is not None
        }
        address = self.people.addresses_of([person.id]).get(person.id, "")
        told = [award for award in reissued if award.id not in unheard]
        if address and told:
            self.letters.promise_many(corrections_of(told, address, earlier, at=self.clock()))
