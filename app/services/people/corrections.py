"""Name and address of a person, corrected by the campus that recorded them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.db.accounts import OwnAddressStore, SignInStore
from app.db.activities import ActivityStore
from app.db.activities.plans import ActivityPlanStore
from app.db.awards import AwardStore
from app.db.awards.batches import BatchStore
from app.db.campus import HistoryStore
from app.db.learners import PortfolioStore, RequestStore
from app.db.messages import LetterStore
from app.db.people import PeopleStore
from app.db.trust import EndorsementStore
from app.domain.awards import Award
from app.domain.awards.batches import is_handed_over
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.learners.requests import RequestState, withdraw
from app.domain.messages import LetterState, Occasion, QueuedMessage, letter_about
from app.domain.people import (
    Person,
    is_address,
    is_gone,
    is_own_address,
    name_faults,
    name_key,
    normal_address,
)
from app.errors import (
    AppError,
    Conflict,
    InvalidInput,
    NotAllowed,
    NotFound,
    faults_of_fields,
)
from app.language import N_
from app.services.people.names import KNOWN_ELSEWHERE, NameService
from app.services.people.parental_consent import GuardianService
from app.services.people.people import PrivateLinks

NOT_YOURS = N_(
    "Vous corrigez les personnes de vos propres activités. Pour les autres, demandez à l’administration du campus."
)


class AddressOfAnother(Conflict):
    """The campus knows another person at that address; a correction there needs a confirmation that it is shared."""


@dataclass(frozen=True)
class CorrectionResult:
    address: bool = False
    name: bool = False
    badges: int = 0
    """How many carried the former name and are signed again."""


@dataclass(frozen=True)
class Correctable:
    """`address`: the one in use, empty without any; `refusal`: why neither it nor the name can be changed."""

    person: Person
    address: str
    refusal: NotAllowed | None = None


@dataclass(frozen=True, eq=False)
class CorrectionService:
    names: NameService
    people: PeopleStore
    own: OwnAddressStore
    sign_in: SignInStore
    activities: ActivityStore
    plans: ActivityPlanStore
    awards: AwardStore
    batches: BatchStore
    links: PrivateLinks
    letters: LetterStore
    guardians: GuardianService
    endorsements: EndorsementStore
    portfolios: PortfolioStore
    requests: RequestStore
    history: HistoryStore
    clock: Clock

    def is_own(self, campus: Campus, activity_id: uuid.UUID, person_id: uuid.UUID, by: Actor) -> bool:
        """Whether this trainer is named in the activity or recorded the participation; all are where the
        activity names no trainer. Raises NotFound for a person who did not take part."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        there = self.activities.participants_among(activity.id, person_ids=[person_id])
        if not there:
            raise NotFound("Cette personne n’existe pas ici.")
        trainers = {person.id for person in self.plans.trainers_of(activity.id)}
        return not trainers or by.person_id in trainers or there[0][0].recorded_by == by.person_id

    def find(self, campus: Campus, person_id: uuid.UUID) -> Correctable:
        try:
            person, refusal = self.names.check_correctable(campus, person_id), None
        except NotAllowed as error:
            person, refusal = self.people.get(person_id), error
        return Correctable(person, self.people.addresses_of([person_id]).get(person_id, ""), refusal)

    def faults_of(
        self, found: Correctable, given: str, family: str, address: str, *, by: Actor
    ) -> dict[str, AppError]:
        """What is wrong with what differs, by « given_name », « family_name » and « address »."""
        person, wanted = found.person, normal_address(address)
        is_renamed = (given.strip(), family.strip()) != (person.given_name, person.family_name)
        faults = name_faults(given, family) if is_renamed else {}
        if wanted and wanted != found.address:
            faults |= faults_of_fields({"address": lambda: self._check_new_address(wanted, by)})
        return faults

    def correct(
        self,
        campus: Campus,
        person_id: uuid.UUID,
        given: str,
        family: str,
        address: str,
        *,
        by: Actor,
        is_shared: bool = False,
    ) -> CorrectionResult:
        """Only what differs. An address that its person proved is never replaced."""
        self.names.lock(campus, person_id)
        found = self.find(campus, person_id)
        if found.refusal is not None:
            raise found.refusal
        person, wanted = found.person, normal_address(address)
        is_moved = wanted != found.address
        is_renamed = (given.strip(), family.strip()) != (person.given_name, person.family_name)
        if is_moved:
            if wanted:
                self._check_address(campus, person, wanted, (given, family), by)
            if wanted and not is_shared:
                self._check_own_address(campus, person, wanted)
            self._replace_address(campus, person, wanted, by)
        badges = self.names.correct_in_campus(campus, person_id, given, family, by=by) if is_renamed else 0
        return CorrectionResult(is_moved, is_renamed, badges)

    def _check_own_address(self, campus: Campus, person: Person, wanted: str) -> None:
        others = [
            other.name
            for other, _ in self.own.people_at(wanted)
            if other.id != person.id and not is_gone(other) and self.names.knows(campus, other.id)
        ]
        if others:
            raise AddressOfAnother(
                N_("Cette adresse est déjà celle de {name} : les e-mails et le lien privé y arriveraient."),
                name=", ".join(others),
            )

    def _replace_address(self, campus: Campus, person: Person, wanted: str, by: Actor) -> None:
        at = self.clock()
        formers = set(self.people.all_addresses(person.id))
        self.people.forget_unverified(person, formers - {wanted})
        if wanted:
            self.people.add_address(person, wanted)
        # A link that waits in the false mailbox would prove the false address.
        self.sign_in.drop_links_of(person.id)
        awards = self.awards.standing_of_person(person.id, campus.id)
        self._redirect_letters(person, awards, formers - {wanted}, wanted)
        was_read = self.letters.has_left_for(person.id, formers - {wanted}, bounced=False)
        if was_read:
            self._end_what_links_gave(person, awards, by)
        self._redirect_requests(campus, person, formers, wanted, was_read=was_read)
        self.history.write(by, "correct_address", "person", person.id, at=at, campus_id=campus.id)

    def _check_new_address(self, wanted: str, by: Actor) -> None:
        if not is_address(wanted):
            raise InvalidInput("Cette adresse n’est pas complète. Exemple : prenom.nom@lycee.fr")
        if by.person_id is not None and is_own_address(wanted, self.people.all_addresses(by.person_id)):
            raise InvalidInput("Cette adresse est la vôtre : un badge ne se donne pas à soi-même.")

    def _check_address(
        self, campus: Campus, person: Person, wanted: str, name: tuple[str, str], by: Actor
    ) -> None:
        self._check_new_address(wanted, by)
        twin = self.people.find_named_at(wanted, name_key(*name))
        if twin is None or twin.id == person.id:
            return
        if not self.names.knows(campus, twin.id):
            # As where the person themselves is known elsewhere: no second record is named that only others have.
            raise NotAllowed(KNOWN_ELSEWHERE)
        raise Conflict(
            "Une autre fiche porte déjà ce nom à cette adresse. Fusionnez les deux fiches d’abord."
        )

    def _redirect_letters(
        self, person: Person, awards: Sequence[Award], formers: set[str], wanted: str
    ) -> None:
        """Waiting messages go to the right address; what already reached a false one no longer opens anything."""
        self.letters.readdress_waiting(person.id, formers, wanted)
        has_left = self.letters.has_left_for(person.id, formers)
        letters = self.letters.of_awards([award.id for award in awards])
        for award in awards:
            about = [letter for letter in letters if letter.award_id == award.id]
            was_opened = award.link_opened_at is not None or award.claimed_at is not None
            waits = any(each.state is LetterState.WAITING for each in about)
            if formers and (has_left or was_opened or not waits):
                self._close_links(award)
            if wanted:
                self._announce(award, about, wanted)

    def _close_links(self, award: Award) -> None:
        award.link_opened_at = award.claimed_at = None
        self.links.replace(award)

    def _end_what_links_gave(self, person: Person, awards: Sequence[Award], by: Actor) -> None:
        """Who read the false mailbox may have opened pages, given links to others and asked in the person's name."""
        for award in awards:
            self.guardians.drop_requests(person, award, by=by)
            self.guardians.age_bands.shut(award, by)
            award.is_findable = award.answers_checks = False
            self.awards.save(award)
        self.endorsements.drop_unanswered_about([award.id for award in awards])
        portfolio = self.portfolios.find_of(person.id)
        if portfolio is not None:
            portfolio.is_open = False
            portfolio.link_generation += 1
            self.portfolios.add(portfolio)

    def _redirect_requests(
        self, campus: Campus, person: Person, formers: Collection[str], wanted: str, *, was_read: bool
    ) -> None:
        """One that waits for another mailbox to confirm it would prove that one; without an address, none is answered."""
        for request in self.requests.lock_all_of(person.id, campus.id):
            if request.address in formers:
                request.address = wanted
            is_unproved = was_read and request.state is RequestState.UNCONFIRMED
            if not request.state.is_over and (is_unproved or not request.address):
                withdraw(request, at=self.clock())
            request.link_generation += was_read
            self.requests.save(request)

    def _announce(self, award: Award, about: Sequence[QueuedMessage], wanted: str) -> None:
        """A message to the right address, where none waits already; not before the time to undo is over."""
        announced = [each for each in about if each.occasion == Occasion.AWARDED]
        if any(each.state is LetterState.WAITING for each in announced):
            return
        batch = self.batches.find(award.batch_id) if award.batch_id else None
        if not announced and batch is not None and not batch.tells:
            return
        at, not_before = self.clock(), None
        if batch is not None and not is_handed_over(batch, at=self.clock()):
            not_before = batch.undo_until
        letter = letter_about(award, wanted, at=at, not_before=not_before)
        if announced:
            letter.once_key = f"{letter.once_key}/{len(announced) + 1}"
            letter.promised_at = max(at, announced[-1].promised_at + timedelta(seconds=1))
        self.letters.enqueue_many([letter])
