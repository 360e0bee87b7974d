"""Parental consent for children under 15: required before a badge's page is public, revocable at any time."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.awards import AwardRecord, AwardStore
from app.db.campus import HistoryStore
from app.db.engine.row_level_security import TenantScope
from app.db.messages import LetterStore
from app.db.people import GuardianStore, PeopleStore
from app.db.people.privacy import ConsentStore
from app.domain.awards import Award
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.messages import Occasion, letter_to
from app.domain.people import GONE_MEANWHILE, AgeGroup, Person, is_gone, is_own_address
from app.domain.people.consents import (
    About,
    By,
    ParentAgreement,
    ParentNeeded,
    ParentRefused,
    agreement_named_by,
    answer,
    ask,
    check_may_ask_again,
    check_may_show_further,
    check_may_show_more,
    check_no_refusal,
    closed_by_refusal,
    consent,
    is_asked_again,
    is_older_agreement,
    is_replaced,
    may_ask_again,
    needs_guardian_for,
    refusals_in_force,
    refused_by_another,
)
from app.errors import Conflict, Gone, InvalidInput, NotAllowed, NotFound
from app.language import N_
from app.services.people.names import AgeBands

ANOTHER_REFUSED = N_("Un « non » a été répondu depuis une autre adresse : pour le moment, il compte.")
A_PARENT = Actor(label="a parent")


@dataclass(frozen=True)
class ParentState:
    """Whether a badge's page needs parental consent, and the answer so far."""

    needed: bool
    agreement: ParentAgreement | None
    is_older: bool = False
    """Consent was given to an older text: it covers that text, nothing more."""
    may_be_found: bool = True
    """Consent covers search engines, or is not needed."""
    may_ask_again: bool = False
    closed_until: datetime | None = None
    """A parent refused: no address is asked about this badge until then."""
    is_unknown: bool = False
    """The age group of this participant of an activity for pupils is unknown."""

    @property
    def is_asked_again(self) -> bool:
        return self.agreement is not None and is_asked_again(self.agreement)

    @property
    def may_open(self) -> bool:
        return not self.needed or bool(self.agreement and self.agreement.agreed)


@dataclass(frozen=True, eq=False)
class GuardianService:
    guardians: GuardianStore
    awards: AwardStore
    people: PeopleStore
    letters: LetterStore
    consents: ConsentStore
    history: HistoryStore
    age_bands: AgeBands
    tenant_scope: TenantScope
    secret: bytes
    clock: Clock

    def state_of(self, record: AwardRecord) -> ParentState:
        said = self.guardians.about(record.award.id)
        agreement = next(iter(said), None)
        return ParentState(
            needs_guardian_for(record.person, record.activity),
            agreement,
            is_older=bool(agreement and agreement.agreed) and self._is_older(record),
            may_be_found=self._may_be_found(record),
            is_unknown=record.person.age_group is AgeGroup.PUPIL,
            may_ask_again=agreement is not None and may_ask_again(agreement, at=self.clock()),
            closed_until=closed_by_refusal(record.award.id, said, at=self.clock()),
        )

    def check_may_add(self, record: AwardRecord) -> None:
        """To the page: raises where a parent agreed to less."""
        check_may_show_more(record.person, self.consents.of_person(record.person.id), record.award.id)

    def _is_older(self, record: AwardRecord) -> bool:
        return is_older_agreement(self.consents.of_person(record.person.id), record.award.id)

    def _may_be_found(self, record: AwardRecord) -> bool:
        try:
            check_may_show_further(record.person, self.consents.of_person(record.person.id), record.award.id)
        except ParentNeeded:
            return False
        return True

    def ask(self, record: AwardRecord, address: str, *, by: Actor) -> ParentAgreement:
        """E-mail the parent whom the child names; replaces an unanswered request to another mailbox. One mailbox has
        one link about a badge, however often it is asked."""
        record = self._held(record)
        own, at = self.people.all_addresses(record.person.id), self.clock()
        agreement = ask(record.award.id, record.person, address, own, at=at)
        check_no_refusal(agreement, self._said(record), at=at)
        asked = self.guardians.about(record.award.id)
        known = next((each for each in asked if is_own_address(each.address, [agreement.address])), None)
        if known is None:
            self._send(record, agreement, by=by)
            return agreement
        if known.agreed:
            raise Conflict("Ce parent a déjà dit oui pour ce badge.")
        known.address, known.asked_at, known.agreed, known.answered_at = agreement.address, at, None, None
        self._send(record, known, by=by, once=at.isoformat(timespec="seconds"))
        return known

    def _held(self, record: AwardRecord) -> AwardRecord:
        """One after the other: a refusal of the same second counts, whichever campus's badge it is about."""
        self.awards.lock(record.award.id)
        return self.awards.get_record(record.award.id)

    def _said(self, record: AwardRecord) -> Sequence[ParentAgreement]:
        with self.tenant_scope.across_campuses():
            return self.guardians.of_person(record.person.id)

    def refusals(self, campus: Campus, person: Person) -> Sequence[tuple[ParentAgreement, AwardRecord]]:
        """Those in force about badges of this campus, the newest first."""
        if not person.needs_guardian:
            return []
        said = refusals_in_force(self.guardians.of_person(person.id), at=self.clock())
        records = self.awards.records_among([each.award_id for each in said], campus.id)
        of_award = {each.award.id: each for each in records}
        found = [(each, of_award[each.award_id]) for each in said if each.award_id in of_award]
        return sorted(found, key=lambda one: (one[0].asked_at, str(one[0].id)), reverse=True)

    def correct_address(
        self, campus: Campus, person_id: uuid.UUID, refusal_id: uuid.UUID, address: str, *, by: Actor
    ) -> None:
        """E-mail the parent, after a refusal from a mistyped address.

        At this campus, the links sent to the old address stop working, its refusals no longer count, and the pages
        that it agreed to close. Refusals from other addresses still count.
        """
        self.guardians.lock(refusal_id)
        self.people.lock_all([person_id])
        person, at = self.people.get(person_id), self.clock()
        refused = next((each for each in self.refusals(campus, person) if each[0].id == refusal_id), None)
        if refused is None:
            raise NotFound("Ce refus ne compte plus, ou n’est pas d’ici. Rechargez la page.")
        old, record = refused
        agreement = ask(record.award.id, person, address, self.people.all_addresses(person_id), at=at)
        if by.person_id is not None and is_own_address(address, self.people.all_addresses(by.person_id)):
            raise InvalidInput(
                "C’est votre propre adresse : une autre personne de l’administration doit l’écrire."
            )
        if is_own_address(address, [old.address]):
            raise InvalidInput(
                "C’est l’adresse d’où vient ce refus. Il se reprend par le lien qui y a été envoyé."
            )
        of_old, others = list[ParentAgreement](), list[ParentAgreement]()
        for each in self._said(record):
            (of_old if is_own_address(each.address, [old.address]) else others).append(each)
        check_no_refusal(agreement, others, at=at)
        records = self.awards.records_among([each.award_id for each in of_old], campus.id)
        awards = {each.award.id: each.award for each in records}
        for each in of_old:
            if each.award_id in awards:
                self._discard(each, person, awards[each.award_id], by=by)
                self._write(by, "correct_parent", awards[each.award_id])
        self._send(record, agreement, by=by)

    def drop_requests(self, person: Person, award: Award, *, by: Actor) -> None:
        """What was asked of parents from a false mailbox of the child; a refusal still counts."""
        for each in self.guardians.about(award.id):
            if each.agreed is not False:
                self._discard(each, person, award, by=by)

    def _discard(self, agreement: ParentAgreement, person: Person, award: Award, *, by: Actor) -> None:
        if agreement.agreed:
            self._note_answer(person, award, agreed=False)
            self._close(person, award, by)
        self.guardians.remove(agreement)

    def _note_answer(self, person: Person, award: Award, *, agreed: bool) -> None:
        answer = consent(
            About.PARENT,
            person.id,
            given=agreed,
            at=self.clock(),
            campus_id=award.campus_id,
            award_id=award.id,
            by=By.PARENT,
        )
        self.consents.add(answer)

    def _close(self, person: Person, award: Award, by: Actor) -> None:
        self.age_bands.shut(self.awards.lock(award.id), by)
        self.age_bands.shut_portfolio(person)

    def ask_again(self, record: AwardRecord, *, by: Actor) -> None:
        """Ask a parent who consented to an older text; until they answer, that consent stays valid."""
        record = self._held(record)
        state, at = self.state_of(record), self.clock()
        if not state.is_older or state.agreement is None:
            raise Conflict("Il n’y a rien à redemander : l’accord de ton parent dit déjà tout.")
        check_may_ask_again(state.agreement, at=at)
        state.agreement.asked_at = at
        self._send(record, state.agreement, by=by, once=at.isoformat(timespec="seconds"))

    def _send(self, record: AwardRecord, agreement: ParentAgreement, *, by: Actor, once: str = "") -> None:
        self.guardians.add(agreement)
        letter = letter_to(
            agreement.address,
            Occasion.PARENT,
            agreement.id,
            once=once,
            campus_id=record.campus.id,
            person_id=record.person.id,
            at=self.clock(),
        )
        self.letters.enqueue_many([letter])
        self._write(by, "ask_parent", record.award)

    def asked(self, token: str) -> tuple[ParentAgreement, AwardRecord]:
        """Raises Gone where the link shows nothing any more: who received it by mistake is no parent, and a person of
        15 or more decides alone."""
        agreement = self.guardians.get(agreement_named_by(self.secret, token))
        record = self.awards.get_record(agreement.award_id)
        if not record.person.needs_guardian:
            raise Gone("Ce badge n’est plus celui d’un enfant de moins de 15 ans : la personne décide seule.")
        if is_replaced(agreement, self.guardians.about(agreement.award_id)):
            raise Gone("Cette demande a été remplacée : l’enfant a donné une autre adresse depuis.")
        return agreement, record

    def refused_by_another(self, agreement: ParentAgreement) -> datetime | None:
        """Until when this parent's consent opens nothing; None where it may."""
        said = self.guardians.about(agreement.award_id)
        return refused_by_another(agreement, said, at=self.clock())

    def answer(self, token: str, *, agreed: bool) -> AwardRecord:
        """Consent allows the child to make the page public, unless a refusal of another parent is in force; refusal, now
        or later, closes it immediately, also where another parent agreed after an earlier refusal."""
        self.guardians.lock(agreement_named_by(self.secret, token))
        agreement, record = self.asked(token)
        at = self.clock()
        self.people.lock_all([record.person.id])
        if agreed and self.refused_by_another(agreement):
            raise ParentRefused(ANOTHER_REFUSED)
        others = [] if agreed else self.guardians.agreed_about(record.award.id, but=agreement.id)
        for other in others:
            other.agreed = None
            self.guardians.add(other)
        if not answer(agreement, agreed=agreed, renews=self._is_older(record), at=at) and not others:
            return record
        agreement.answered_at = at
        self.guardians.add(agreement)
        self._note_answer(record.person, record.award, agreed=agreed)
        self._write(A_PARENT, "parent_agrees" if agreed else "parent_refuses", record.award)
        if not agreed:
            self._close(record.person, record.award, A_PARENT)
        return record

    def set_age_group(self, campus: Campus, person_id: uuid.UUID, group: AgeGroup, *, by: Actor) -> None:
        """As known to the campus; closes what is public without a required consent."""
        person = self.people.get(person_id)
        if not self.age_bands.lock([person]) or is_gone(person):
            raise Conflict(GONE_MEANWHILE)
        _check_noted(self.age_bands.set_group(person, group, by=by, campus_id=campus.id))
        self.people.save(person)

    def _write(self, by: Actor, action: str, award: Award) -> None:
        self.history.write(by, action, "award", award.id, at=self.clock(), campus_id=award.campus_id)


def _check_noted(is_noted: bool) -> None:
    if not is_noted:
        raise NotAllowed(
            "Un autre campus a noté cet âge : vous pouvez protéger davantage cette personne, pas moins."
        )
