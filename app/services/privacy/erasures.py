"""Erasing a person: everything about them from every table, at one campus or at all of them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from app.db.awards.awards import AwardStore
from app.db.campus.campus import CampusStore
from app.db.campus.history import HistoryStore
from app.db.imports.imports import ImportStore
from app.db.messages.letters import LetterStore
from app.db.people.people import PeopleStore
from app.db.privacy.erasures import ErasureStore
from app.db.privacy.personal_data import GONE, PersonalDataStore, Whose, whose_of
from app.domain.accounts.mailbox_links import Wish, read_mailbox_token
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.messages.letters import Occasion, letter_to
from app.domain.people.people import Person
from app.domain.privacy.erasures import Erasure, StillWorksHere, check_reason
from app.domain.privacy.personal_data import HELD, Matter
from app.errors import NotFound
from app.language import N_
from app.services.activity_log.activity_log import ActivityLog, LogOutOfStep
from app.services.activity_log.logged_deeds import LoggedDeeds
from app.services.awards.awards import AwardRecord
from app.services.publishing.status import StatusService
from app.services.trust.endorsements import EndorsementsTakenBack


@dataclass(frozen=True)
class Foreseen:
    """What an erasure would take: rows by matter, badges, and the campuses that hold something."""

    by_matter: Mapping[Matter, int]
    badges: int
    campuses: Sequence[Campus]
    address: str
    """Where a confirmation can be sent; empty where nobody knows any."""


class ErasureService:
    def __init__(
        self,
        personal: PersonalDataStore,
        erasures: ErasureStore,
        people: PeopleStore,
        awards: AwardStore,
        campuses: CampusStore,
        letters: LetterStore,
        imports: ImportStore,
        history: HistoryStore,
        status: StatusService,
        endorsements: EndorsementsTakenBack,
        deeds: LoggedDeeds,
        log: ActivityLog,
        secret: bytes,
        clock: Clock,
    ) -> None:
        self.personal = personal
        self.erasures = erasures
        self.people = people
        self.awards = awards
        self.campuses = campuses
        self.letters = letters
        self.imports = imports
        self.history = history
        self.status = status
        self.endorsements = endorsements
        self.deeds = deeds
        self.log = log
        self.secret = secret
        self.clock = clock

    # --- before

    def foresee(self, person_id: uuid.UUID, campus: Campus | None = None) -> Foreseen:
        """At one campus, or at all that know the person."""
        person = self.people.get(person_id)
        known = self.personal.campuses_of(person_id)
        reached = known if campus is None else {campus.id}
        counts = self.personal.counts(self._whose(person, reached, whole=reached >= known))
        return Foreseen(
            by_matter(counts),
            counts["award"],
            [self.campuses.get_by_id(each) for each in sorted(reached)],
            self.people.addresses_of([person_id]).get(person_id, ""),
        )

    def ask(self, record: AwardRecord, *, everywhere: bool) -> bool:
        """Whoever holds a private link asks; whoever reads the person's letters confirms. False: nowhere to write."""
        person, at = record.person, self.clock()
        self._check_does_not_work(person.id, None if everywhere else {record.campus.id})
        address = self.people.addresses_of([person.id]).get(person.id, "")
        if not address:
            return False
        wish = Wish.ERASURE_EVERYWHERE if everywhere else Wish.ERASURE_HERE
        once = f"{wish.value}/{int(at.timestamp())}"
        self.letters.promise_many(
            [
                letter_to(
                    address,
                    Occasion.ERASURE,
                    record.award.id,
                    once=once,
                    campus_id=record.campus.id,
                    person_id=person.id,
                    at=at,
                )
            ]
        )
        return True

    def asked(self, token: str) -> tuple[AwardRecord, bool]:
        """What a link out of a letter asks: whose award, and whether everywhere."""
        award_id, wish = read_mailbox_token(self.secret, token, at=self.clock())
        if wish is Wish.ARCHIVE:
            raise NotFound(N_("Ce lien n’efface rien : il ouvre une archive."))
        return self.awards.get_record(award_id), wish is Wish.ERASURE_EVERYWHERE

    # --- the deed

    def confirm(self, token: str) -> list[Erasure]:
        record, everywhere = self.asked(token)
        campus = None if everywhere else record.campus
        return self._erase(record.person, campus, by_person=True, reason="", by=Actor(label=GONE))

    def carry_out(self, campus: Campus, person_id: uuid.UUID, reason: str, *, by: Actor) -> Erasure:
        """By the campus, of what it holds itself: what another campus holds is not its own to erase."""
        person = self.people.get(person_id)
        if campus.id not in self.personal.campuses_of(person_id):
            raise NotFound(N_("Cette personne n’existe pas ici."))
        names = [person.given_name, person.family_name, *self.people.all_addresses(person.id)]
        reason = check_reason(reason, names)
        (erasure,) = self._erase(person, campus, by_person=False, reason=reason, by=by)
        return erasure

    def _erase(
        self, person: Person, campus: Campus | None, *, by_person: bool, reason: str, by: Actor
    ) -> list[Erasure]:
        known = self.personal.campuses_of(person.id)
        reached = known if campus is None else {campus.id}
        whole = reached >= known
        self._check_does_not_work(person.id, None if whole else reached)
        at, deed = self.clock(), uuid.uuid4()
        awards = self.erasures.awards_of(person.id, reached)
        # Always in one order: two who erase at once never wait for each other.
        campuses = [self.campuses.get_by_id(each) for each in sorted(reached)]
        done = []
        for each in campuses:
            theirs = [award_id for award_id, campus_id in awards.items() if campus_id == each.id]
            counts = self.personal.counts(self._whose(person, {each.id}, whole=len(campuses) == 1 and whole))
            self.status.raise_for(each, theirs, at=at)
            self.endorsements.raise_for(theirs)
            erasure = Erasure(
                campus_id=each.id,
                deed=deed,
                everywhere=campus is None,
                by_person=by_person,
                reason=reason,
                done_at=at,
                erased={matter.value: number for matter, number in by_matter(counts).items()},
                badges=len(theirs),
                log_id=uuid.UUID(int=0),
                number=0,
            )
            line = self.deeds.forget(person.id, each, erasure.id)
            erasure.log_id, erasure.number = line.log_id, line.number
            done.append(erasure)
        self.erasures.bury(awards, at=at)
        if whole:
            self.erasures.bury_portfolios(person.id, at=at)
        self.imports.forget_person(person, self.people.all_addresses(person.id), reached)
        self.personal.erase(self._whose(person, reached, whole=whole))
        for each, erasure in zip(campuses, done, strict=True):
            self.erasures.add(erasure)
            self.history.write(by, "erase", "erasure", erasure.id, at=at, campus_id=each.id)
            self._sign(each)
        return done

    def _sign(self, campus: Campus) -> None:
        """So that the proof is whole at once; a log that may not be signed keeps nobody from being forgotten."""
        with suppress(LogOutOfStep):
            self.log.checkpoint(campus)

    def _whose(self, person: Person, campus_ids: Collection[uuid.UUID], *, whole: bool) -> Whose:
        return whose_of(person, self.people.all_addresses(person.id), None if whole else campus_ids)

    def _check_does_not_work(self, person_id: uuid.UUID, campus_ids: Collection[uuid.UUID] | None) -> None:
        """What somebody does for a campus is its own to answer for: their roles are taken back first."""
        if self.personal.works_at(person_id, campus_ids, at=self.clock()):
            raise StillWorksHere(
                N_(
                    "Cette personne travaille encore pour un campus. Ses rôles se retirent d’abord, à la page de "
                    "l’équipe ; ensuite, ses données s’effacent."
                )
            )


def by_matter(counts: Mapping[str, int]) -> dict[Matter, int]:
    """How many rows of each kind, without what there is none of; the history's are not taken away but emptied."""
    found = dict.fromkeys(Matter, 0)
    for table, number in counts.items():
        found[HELD[table].matter] += number
    return {matter: number for matter, number in found.items() if number and matter is not Matter.HISTORY}
