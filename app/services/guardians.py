"""Parents of the youngest: asked before a badge's page opens, heard whenever they change their mind."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from app.db.awards import AwardStore
from app.db.consents import ConsentStore
from app.db.guardians import GuardianStore
from app.db.history import HistoryStore
from app.db.letters import LetterStore
from app.db.people import PeopleStore
from app.db.portfolios import PortfolioStore
from app.domain.awards import Award, Visibility
from app.domain.campus import Campus
from app.domain.clock import Clock
from app.domain.consents import About, By, consent
from app.domain.guardians import (
    ParentAgreement,
    ParentNeeded,
    agreement_named_by,
    answer,
    ask,
    check_may_show_further,
    needs_parent,
    parent_proof,
)
from app.domain.history import Actor
from app.domain.letters import Occasion, letter_to
from app.domain.people import Person, note_age_band
from app.services.awards import AwardRecord

A_PARENT = Actor(label="a parent")


@dataclass(frozen=True)
class ParentState:
    """Whether a parent has to say yes to a badge's page, and what they said so far."""

    needed: bool
    agreement: ParentAgreement | None

    @property
    def may_open(self) -> bool:
        return not self.needed or bool(self.agreement and self.agreement.agreed)


class GuardianService:
    def __init__(
        self,
        guardians: GuardianStore,
        awards: AwardStore,
        people: PeopleStore,
        portfolios: PortfolioStore,
        letters: LetterStore,
        consents: ConsentStore,
        history: HistoryStore,
        secret: bytes,
        clock: Clock,
    ) -> None:
        self.guardians = guardians
        self.awards = awards
        self.people = people
        self.portfolios = portfolios
        self.letters = letters
        self.consents = consents
        self.history = history
        self.secret = secret
        self.clock = clock

    def state_of(self, record: AwardRecord) -> ParentState:
        return ParentState(needs_parent(record.person), self.guardians.newest_about(record.award.id))

    def ask(self, record: AwardRecord, address: str, *, by: Actor) -> ParentAgreement:
        """Write to the parent whom the child names; a new request takes the place of the last one."""
        own, at = self.people.all_addresses(record.person.id), self.clock()
        agreement = ask(record.award.id, record.person, address, own, at=at)
        self.guardians.save(agreement)
        letter = letter_to(
            agreement.address,
            Occasion.PARENT,
            agreement.id,
            campus_id=record.campus.id,
            person_id=record.person.id,
            at=at,
        )
        self.letters.promise_many([letter])
        self._write(by, "ask_parent", record.award)
        return agreement

    def token_of(self, agreement_id: uuid.UUID) -> str:
        return f"{agreement_id}.{parent_proof(self.secret, agreement_id)}"

    def asked(self, token: str) -> tuple[ParentAgreement, AwardRecord]:
        agreement = self.guardians.get(agreement_named_by(self.secret, token))
        return agreement, self.awards.get_record(agreement.award_id)

    def answer(self, token: str, *, agreed: bool) -> AwardRecord:
        """Yes lets the child open the page; no, then or later, shuts it at once."""
        agreement, record = self.asked(token)
        at = self.clock()
        if not answer(agreement, agreed=agreed, at=at):
            return record
        self.guardians.save(agreement)
        told = consent(
            About.PARENT,
            record.person.id,
            given=agreed,
            at=at,
            campus_id=record.campus.id,
            award_id=record.award.id,
            by=By.PARENT,
        )
        self.consents.add(told)
        self._write(A_PARENT, "parent_agrees" if agreed else "parent_refuses", record.award)
        if not agreed:
            self._shut(self.awards.lock(record.award.id), A_PARENT)
            self._shut_portfolio(record.person)
        return record

    def set_age_band(self, campus: Campus, person_id: uuid.UUID, under_15: bool, *, by: Actor) -> None:
        """As the campus knows it; what stands open without a parent's yes is shut."""
        person, at = self.people.get(person_id), self.clock()
        if not note_age_band(person, under_15, on=at.date()):
            return
        self.people.save(person)
        self.history.write(by, "age_band", "person", person.id, at=at, campus_id=campus.id, under_15=under_15)
        for award in self.guardians.open_awards_of(person_id) if under_15 else ():
            agreement = self.guardians.newest_about(award.id)
            if agreement is None or not agreement.agreed:
                self._shut(award, by)
        self._shut_portfolio(person)

    def _shut_portfolio(self, person: Person) -> None:
        """Nothing is left that a parent agreed to show in it."""
        portfolio = self.portfolios.find_of(person.id)
        if portfolio is None or not portfolio.is_open:
            return
        try:
            check_may_show_further(person, self.consents.of_person(person.id))
        except ParentNeeded:
            portfolio.is_open = False
            self.portfolios.add(portfolio)

    def _shut(self, award: Award, by: Actor) -> None:
        if award.visibility is Visibility.OPEN:
            award.visibility = Visibility.CLOSED
            self.awards.save(award)
            self._write(by, "close", award)

    def _write(self, by: Actor, deed: str, award: Award) -> None:
        self.history.write(by, deed, "award", award.id, at=self.clock(), campus_id=award.campus_id)
