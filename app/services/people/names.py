"""The holder's name in badges: corrections by the person or a campus, and reissue of affected badges."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.db.accounts import OwnAddressStore
from app.db.awards import AwardStore
from app.db.awards.batches import HolderStore
from app.db.campus import CampusStore, HistoryStore
from app.db.engine.row_level_security import TenantScope
from app.db.learners import ConnectedAppStore, PortfolioStore
from app.db.messages import LetterStore
from app.db.people import GuardianStore, MergeStore, NameStore, PeopleStore
from app.db.people.privacy import ConsentStore
from app.db.trust import EndorsementStore, PeerStore
from app.domain.activities import Activity, is_of_lycee_alone
from app.domain.awards import Award, Visibility
from app.domain.awards.open_badges import DisclosedContent, least_shown
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.signed_terms import day_in_france
from app.domain.core import Clock
from app.domain.messages import LetterState, Occasion, corrections_of, letter_to
from app.domain.people import (
    AgeGroup,
    NameWish,
    Person,
    accept,
    are_spellings,
    check_own_name,
    check_wish_reason,
    group_of_band,
    is_same_but_for_spelling,
    lowers_protection,
    more_protected,
    name_key,
    note_age_group,
    read_name,
    refuse,
    suppose_pupil,
)
from app.domain.people.consents import (
    TELLS_OF_A_CHILD,
    ParentNeeded,
    check_may_show_further,
    is_pupil_of_unknown_age,
    needs_guardian_for,
    tells_of,
)
from app.domain.trust import PeerRecommendation
from app.domain.trust.organisations import Endorsement, words_of
from app.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.language import N_
from app.services.accounts.sessions import SignedIn
from app.services.activity_log.evidence import EvidenceDocuments
from app.services.awards.reissuing import ReissueService

PRESENT_NAME: Final = N_("C’est déjà ce nom.")


@dataclass(frozen=True)
class Corrected:
    """`reissued` badges already have the new name; `asked` campuses must accept first."""

    reissued: int = 0
    asked: int = 0


@dataclass(frozen=True)
class MyWish:
    wish: NameWish
    campus: Campus


@dataclass(frozen=True, eq=False)
class NameService:
    names: NameStore
    holders: HolderStore
    people: PeopleStore
    own: OwnAddressStore
    merges: MergeStore
    campuses: CampusStore
    reissuing: ReissueService
    letters: LetterStore
    history: HistoryStore
    clock: Clock

    # --- for the person

    def correct_mine(self, who: SignedIn, given_name: str, family_name: str, reason: str) -> Corrected:
        """A spelling correction applies immediately; a new name must be accepted by each signing campus.

        One's present name may be asked of the campuses that know the person by another.
        """
        given, family = read_name(given_name, family_name)
        check_own_name(given, family)
        self.people.lock_all([who.person.id])
        person = self.people.get(who.person.id)
        is_present = (given, family) == (person.given_name, person.family_name)
        concerned = self._campuses_to_ask(person.id, f"{given} {family}".strip(), every=is_present)
        if is_present and not concerned:
            raise InvalidInput(PRESENT_NAME)
        if not is_present and is_same_but_for_spelling(person, given, family):
            return Corrected(reissued=self._rename(person, given, family, campus=None, by=who.actor))
        check_wish_reason(reason)
        if not concerned:
            # No campus signed another name for this person, or each has accepted this one since.
            return Corrected(reissued=self._rename(person, given, family, campus=None, by=who.actor))
        for wish in self.names.of_person(person.id):
            if wish.decided_at is None:
                self.names.remove(wish)
        for campus_id in sorted(concerned):
            self._ask(person, campus_id, given, family, reason.strip(), by=who.actor)
        return Corrected(asked=len(concerned))

    def _campuses_to_ask(self, person_id: uuid.UUID, name: str, *, every: bool) -> set[uuid.UUID]:
        """Campuses that know the person by a really different name, in badges that contain or contained one.

        `every`: also of badges that never contained a name, at campuses that write names.
        """
        others = [
            award
            for award in self.names.standing_awards(person_id)
            if not are_spellings(award.campus_name, name)
        ]
        if not every:
            return {award.campus_id for award in others if self.reissuing.was_ever_named(award)}
        campuses = {award.campus_id for award in others}
        return {each for each in campuses if self.campuses.get_by_id(each).names_in_credentials}

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

    def other_names_of(self, person: Person) -> list[tuple[Campus, str]]:
        """Campuses that know the person by a really different name, in a badge that stands; and that name."""
        others = {
            (campus_id, name)
            for campus_id, name in self.holders.names_of(person.id)
            if not are_spellings(name, person.name)
        }
        return [(self.campuses.get_by_id(campus_id), name) for campus_id, name in sorted(others)]

    def wishes_of(self, person_id: uuid.UUID) -> list[MyWish]:
        return [
            MyWish(wish, self.campuses.get_by_id(wish.campus_id)) for wish in self.names.of_person(person_id)
        ]

    # --- for the campus

    def waiting_in(self, campus: Campus) -> list[tuple[NameWish, str]]:
        """Each with the names by which the campus knows the person: those that it would replace."""
        waiting = self.names.waiting_in(campus.id)
        before = self._replaced(campus, [person for _, person in waiting])
        return [(wish, before[person.id]) for wish, person in waiting]

    def _replaced(self, campus: Campus, people: Iterable[Person]) -> dict[uuid.UUID, str]:
        them = {person.id: person for person in people}
        known = self.holders.names_in_campus(campus.id, them, standing=True)
        return {one: _each_once(known.get(one, ())) or person.name for one, person in them.items()}

    def refuse(self, campus: Campus, wish_id: uuid.UUID, reason: str, *, by: Actor) -> None:
        """Only the person gets the reason."""
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
            self.letters.enqueue_many([letter])

    def accept(self, campus: Campus, wish_id: uuid.UUID, *, by: Actor, seen: str | None = None) -> int:
        """Returns how many of the campus's badges were reissued; other campuses decide on theirs.

        `seen`: the names that the campus saw it would replace. More may have come with a merge of records since.
        """
        self.campuses.lock(campus.id)
        wish = self.names.lock_in_campus(wish_id, campus.id)
        self.people.lock_all([wish.person_id])
        person = self.people.get(wish.person_id)
        if seen is not None and seen != self._replaced(campus, [person])[person.id]:
            raise Conflict("Les noms de cette demande ont changé entre-temps. Relisez-la avant de répondre.")
        accept(wish, by=by.person_id, at=self.clock())
        self.names.add(wish)
        return self._rename(person, wish.given_name, wish.family_name, campus=campus, by=by)

    def correct_in_campus(
        self, campus: Campus, person_id: uuid.UUID, given_name: str, family_name: str, *, by: Actor
    ) -> int:
        given, family = read_name(given_name, family_name)
        self.lock(campus, person_id)
        return self._rename(self.check_correctable(campus, person_id), given, family, campus=campus, by=by)

    def lock(self, campus: Campus, person_id: uuid.UUID) -> None:
        """No badge with the former name is awarded meanwhile."""
        self.campuses.lock(campus.id)
        self.people.lock_all([person_id])

    def knows(self, campus: Campus, person_id: uuid.UUID) -> bool:
        standing = self.merges.standing(person_id, has_account=False, works=False)
        return campus.id in standing.campuses

    def check_correctable(self, campus: Campus, person_id: uuid.UUID) -> Person:
        """A person without an account, known to no other campus: no one else can correct name and address."""
        person = self.people.get(person_id)
        is_plain = self.own.is_plain(person_id)
        with self.own.tenant_scope.across_campuses():
            standing = self.merges.standing(
                person_id, has_account=self.own.has_account(person_id), works=not is_plain
            )
        if campus.id not in standing.campuses:
            raise NotFound("Cette personne n’existe pas ici.")
        if standing.has_account or standing.works or standing.others_than(campus.id):
            raise NotAllowed(KNOWN_ELSEWHERE)
        return person

    def _rename(self, person: Person, given: str, family: str, *, campus: Campus | None, by: Actor) -> int:
        self.names.rename(person, given, family)
        self.history.write(
            by, "rename", "person", person.id, at=self.clock(), campus_id=campus.id if campus else None
        )
        awards = self.names.standing_awards(person.id, campus.id if campus else None)
        if campus is not None:
            # The campus wrote or accepted it, also for badges of which the holder removed the name.
            for award in awards:
                award.accepted_name = person.name
        reissued = self.reissuing.write_name(awards, person.name, by=by)
        if campus is not None:
            self._tell(person, reissued)
        return len(reissued)

    def _tell(self, person: Person, reissued: Sequence[Award]) -> None:
        """Notify the person of a name changed by others; skips badges not announced yet."""
        letters = self.letters.of_awards(award.id for award in reissued)
        waiting = [letter for letter in letters if letter.state is LetterState.WAITING]
        unheard = {letter.award_id for letter in waiting if letter.occasion == Occasion.AWARDED}
        earlier = {
            letter.award_id: letter
            for letter in waiting
            if letter.occasion == Occasion.NAME_CORRECTED and letter.award_id is not None
        }
        address = self.people.addresses_of([person.id]).get(person.id, "")
        notified = [award for award in reissued if award.id not in unheard]
        if address and notified:
            self.letters.enqueue_many(corrections_of(notified, address, earlier, at=self.clock()))


def _each_once(names: Sequence[str]) -> str:
    """Spellings of one name as the latest of them."""
    return ", ".join({name_key(each, ""): each for each in reversed(names)}.values())


KNOWN_ELSEWHERE = N_(
    "Cette personne a confirmé son adresse, ou un autre campus la connaît aussi. Elle corrige elle-même son nom et ses adresses, depuis « Mon compte »."
)
"""One sentence: a campus does not learn by a name and an address that another campus knows them."""
NOT_THEIRS_ALONE = N_(
    "Cette personne a un compte, ou un autre campus la connaît aussi. L’adresse n’est pas ajoutée : elle le fait depuis « Mon compte », ou remettez le badge en main propre."
)
IS_CLAIMED = N_(
    "Cette personne a déjà ouvert un badge. L’adresse n’est pas ajoutée : corrigez-la d’abord sur sa fiche."
)
BY_NAME_ALONE = N_(
    "Seul le nom désigne cette personne, qui a déjà un badge. L’adresse n’est pas ajoutée : notez-la sur sa fiche."
)


@dataclass(frozen=True, eq=False)
class GivenAddresses:
    """Addresses that a campus adds to a record. Each lets its reader enter as a person without an account, so it is
    added only where no other campus, and no other reader, has given or claimed anything under that record."""

    people: PeopleStore
    own: OwnAddressStore
    merges: MergeStore

    def refusal(
        self, person: Person, address: str, *, campus_id: uuid.UUID, by_name: bool = False
    ) -> str | None:
        """Why that campus may not add it; None where it may, or where there is nothing to add.

        `by_name`: only a name sent by a source outside the campus designates the person.
        """
        if address in self.people.all_addresses(person.id):
            return None
        if self.own.with_account_or_role([person.id]):
            return NOT_THEIRS_ALONE
        with self.own.tenant_scope.across_campuses():
            standing = self.merges.standing(person.id, has_account=False, works=False)
        if standing.others_than(campus_id):
            return NOT_THEIRS_ALONE
        if self.own.holds(person.id, claimed=True):
            return IS_CLAIMED
        return BY_NAME_ALONE if by_name and self.own.holds(person.id) else None

    def give(self, person: Person, address: str, *, campus_id: uuid.UUID, by_name: bool = False) -> bool:
        """Adds it unless refused; returns whether it is the person's now."""
        if self.refusal(person, address, campus_id=campus_id, by_name=by_name) is not None:
            return False
        self.people.add_address(person, address)
        return True


_AT_A_TIME: Final = 500


@dataclass(frozen=True, eq=False)
class AgeBands:
    """`tenant_scope`: a minor's public content is closed at every campus, whichever recorded the age."""

    guardians: GuardianStore
    people: PeopleStore
    merges: MergeStore
    awards: AwardStore
    evidence: EvidenceDocuments
    reissuing: ReissueService
    portfolios: PortfolioStore
    apps: ConnectedAppStore
    endorsements: EndorsementStore
    peers: PeerStore
    consents: ConsentStore
    history: HistoryStore
    tenant_scope: TenantScope
    clock: Clock

    def lock(self, people: Iterable[Person]) -> bool:
        """Before the ages of several people are noted. Fixed lock order: prevents deadlocks between two campuses that
        note those of the same people; and neither overwrites what the other has just noted. False where one was erased."""
        ids = {person.id for person in people}
        if not ids:
            return True
        with self.tenant_scope.across_campuses():
            return self.people.lock_all(ids) == ids

    def note(
        self, person: Person, under_15: bool | None, *, by: Actor, campus_id: uuid.UUID | None = None
    ) -> bool:
        """None changes nothing. False where the campus may not lower the protection; then nothing changes."""
        if under_15 is None:
            return True
        self.lock([person])
        group = group_of_band(person, under_15)
        return group is None or self.set_group(person, group, by=by, campus_id=campus_id)

    def set_group(
        self, person: Person, group: AgeGroup, *, by: Actor, campus_id: uuid.UUID | None = None
    ) -> bool:
        """Applies to awards of every campus: a minor's protection does not depend on who recorded the age.
        False where the campus may not lower the protection; then nothing changes."""
        self.lock([person])
        with self.tenant_scope.across_campuses():
            if not self._may_set(person, group, campus_id):
                return False
            before = self._shown_by(person)
            if note_age_group(person, group, on=day_in_france(self.clock())):
                self._changed(person, before, by=by, campus_id=campus_id)
        return True

    def declare(
        self, person: Person, group: AgeGroup, activity: Activity, *, by: Actor, campus_id: uuid.UUID
    ) -> None:
        """Record a person's own answer at check-in.

        « 18 or more » replaces no age group that was noted, and a supposed pupil's only at a lycée: elsewhere a
        trainer notes it.
        """
        is_lycee_pupil = person.age_group is AgeGroup.PUPIL and is_of_lycee_alone(activity.audience)
        is_free = person.under_15_on is None and (person.age_group is None or is_lycee_pupil)
        if group is not AgeGroup.ADULT or is_free:
            self.set_group(person, group, by=by, campus_id=campus_id)

    def _may_set(self, person: Person, group: AgeGroup, campus_id: uuid.UUID | None) -> bool:
        """Every campus raises the protection; it lowers only what no other campus noted, or of a person whom no
        other knows."""
        if campus_id is None or not lowers_protection(person, group):
            return True
        if self.merges.noted_age(person.id) == {campus_id}:
            return True
        return self.merges.standing(person.id, has_account=False, works=False).campuses <= {campus_id}

    def join(self, person: Person, gone: Person, *, by: Actor) -> None:
        """After a merge: the more protected of the two age groups holds, for what either record had."""
        with self.tenant_scope.across_campuses():
            before = self._shown_by(person)
            noted: list[uuid.UUID | None] = [None]
            if is_raised := more_protected(person, gone):
                person.age_group, person.under_15_on = gone.age_group or AgeGroup.UNDER_15, gone.under_15_on
                # Who noted the age of the merged record may change that of the remaining one.
                noted = sorted(self.merges.noted_age(gone.id), key=str) or [None]
            if is_raised or person.is_minor:
                self._protect(person, before, by=by)
            for campus_id in noted if is_raised else ():
                self._write(person, by=by, campus_id=campus_id)

    def suppose_pupils(self, people: Iterable[Person], *, by: Actor, campus_id: uuid.UUID) -> None:
        """Treat participants of an activity for pupils without a known age group as minors, for awards from
        such activities; other awards are unchanged.
        """
        unknown = [person for person in people if person.age_group is None]
        self.lock(unknown)
        for person in unknown:
            if suppose_pupil(person):
                self._write(person, by=by, campus_id=campus_id)

    def protect_awards_of(self, activity: Activity, *, by: Actor) -> None:
        """The activity is now for pupils: close what needs parental consent, reduce what is signed."""
        with self.tenant_scope.across_campuses():
            for award, person in self.awards.open_of_activity(activity.id):
                if needs_guardian_for(person, activity):
                    self._set_words_aside([award.id], person, by)
                    if not self._has_agreement(award):
                        self.shut(award, by)
            self.awards.mark_to_align(self.clock(), activity_id=activity.id)

    def _has_agreement(self, award: Award) -> bool:
        agreement = self.guardians.decisive_about(award.id)
        return agreement is not None and agreement.agreed is True

    def _changed(
        self,
        person: Person,
        before: Mapping[uuid.UUID, Mapping[int, DisclosedContent]],
        *,
        by: Actor,
        campus_id: uuid.UUID | None,
    ) -> None:
        self._write(person, by=by, campus_id=campus_id)
        self._protect(person, before, by=by)

    def _protect(
        self, person: Person, before: Mapping[uuid.UUID, Mapping[int, DisclosedContent]], *, by: Actor
    ) -> None:
        """Close what now lacks a required consent; disclose no more than before, and reissue to match."""
        for award in self.guardians.open_awards_of(person.id) if person.needs_guardian else ():
            if not self._has_agreement(award):
                self.shut(award, by)
        if person.needs_guardian and not is_pupil_of_unknown_age(person):
            self._set_words_aside(before, person, by)
        self.shut_portfolio(person)
        for award in self.awards.lock_all(list(before)).values():
            self._keep_shown(award, before[award.id], by)

    def _write(self, person: Person, *, by: Actor, campus_id: uuid.UUID | None) -> None:
        assert person.age_group is not None, "it was set just now"
        self.history.write(
            by,
            "age_band",
            "person",
            person.id,
            at=self.clock(),
            campus_id=campus_id,
            under_15=person.needs_guardian,
            group=person.age_group.value,
        )

    def _shown_by(self, person: Person) -> dict[uuid.UUID, Mapping[int, DisclosedContent]]:
        """Per award of the person, what is disclosed of its log entries."""
        rows = {each: self.evidence.find(each) for each in self.portfolios.awards_of(person.id)}
        return {each: self.evidence.shown(row) if row else {} for each, row in rows.items()}

    def _keep_shown(self, award: Award, before: Mapping[int, DisclosedContent], by: Actor) -> None:
        row = self.evidence.find(award.id)
        now = self.evidence.shown(row) if row else {}
        for number, shown in now.items():
            level = least_shown(shown, before[number])
            self.evidence.store.choose(award.id, number, level, at=self.clock())
        award.disclosures += 1
        self.awards.save(award)
        self.reissuing.align(award.id, by=by)

    def shut(self, award: Award, by: Actor) -> None:
        if award.visibility is Visibility.OPEN:
            award.visibility = Visibility.CLOSED
            self.awards.save(award)
            self.history.write(by, "close", "award", award.id, at=self.clock(), campus_id=award.campus_id)

    def _set_words_aside(self, award_ids: Collection[uuid.UUID], person: Person, by: Actor) -> None:
        """Recommendations that state what no page of a child under 15 shows."""
        rows: list[tuple[Endorsement | PeerRecommendation, str]] = [
            *((each, words_of(each)) for each in self.endorsements.of_awards(award_ids)),
            *((each, f"{each.words}\n{each.signature}") for each in self.peers.of_awards(award_ids)),
        ]
        at = self.clock()
        for row, words in rows:
            if row.set_aside_at is None and words.strip() and tells_of(words, person):
                row.set_aside_at, row.set_aside_reason = at, TELLS_OF_A_CHILD
                if isinstance(row, Endorsement):
                    row.changes += 1
                self.endorsements.save(row)
                self.history.write(by, "set_aside", "endorsement", row.id, at=at, campus_id=row.campus_id)

    def search_words(self, *, after: uuid.UUID, by: Actor) -> uuid.UUID | None:
        """Set aside texts about children that no check had searched: written before the rule, or restored.

        Idempotent. Returns the last award of this chunk, None at the end.
        """
        with self.tenant_scope.across_campuses():
            rows = self.peers.awards_of_children(after=after, limit=_AT_A_TIME)
            for award, person, activity in rows:
                if needs_guardian_for(person, activity):
                    self._set_words_aside([award.id], person, by)
        return rows[-1][0].id if len(rows) == _AT_A_TIME else None

    def search_portfolios(self, *, after: uuid.UUID, by: Actor) -> uuid.UUID | None:
        """The same for portfolios: closed until their owners change the text. Returns the last one."""
        with self.tenant_scope.across_campuses():
            rows = self.portfolios.open_of_children(after=after, limit=_AT_A_TIME)
            for portfolio in rows:
                person = self.people.get(portfolio.person_id)
                groups = self.portfolios.groups_of(portfolio.id)
                if any(tells_of(each, person) for each in (portfolio.line, *(one.title for one in groups))):
                    portfolio.is_open = False
                    self.portfolios.add(portfolio)
                    self.history.write(by, "close_portfolio", "person", person.id, at=self.clock())
        return rows[-1].id if len(rows) == _AT_A_TIME else None

    def shut_portfolio(self, person: Person) -> None:
        """Closed, and applications disconnected, where no parental consent covers its content any more."""
        try:
            check_may_show_further(person, self.consents.of_person(person.id))
        except ParentNeeded:
            self.apps.end_all_of(person.id)
            portfolio = self.portfolios.find_of(person.id)
            if portfolio is not None and portfolio.is_open:
                portfolio.is_open = False
                self.portfolios.add(portfolio)
