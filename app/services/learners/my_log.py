"""A person's own log entries: view, dispute, export; disputes are answered by the campus."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.accounts import OwnAddressStore
from app.db.activity_log import ActivityLogStore, LogDisputeStore
from app.db.awards import AwardEvidenceStore, AwardStore
from app.db.campus import CampusStore, HistoryStore
from app.db.people import PeopleStore
from app.domain.activity_log import (
    CONTRIBUTION,
    PARTICIPATION,
    EntryKind,
    LogDispute,
    LogPayload,
    answer_dispute,
    check_words,
)
from app.domain.awards import AwardState, revoke
from app.domain.awards.open_badges import DisclosedContent
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.people import Membership, Role
from app.errors import NotFound
from app.language import N_, speaking
from app.language import gettext as _
from app.services.accounts.invitations import Memberships
from app.services.activity_log.evidence import EvidenceDocuments
from app.services.awards.bulk_revocation import WithdrawalService
from app.services.awards.reissuing import ReissueService
from app.services.learners.contributions import ContributionService
from sceau_credentials.values import JsonObject, dump_json, format_timestamp

DISPUTABLE = frozenset({PARTICIPATION, CONTRIBUTION})
"""Entries that campus staff can correct; for award decisions, ask the campus."""
_IDENTIFIERS = frozenset({"person", "by"})


@dataclass(frozen=True)
class PersonalLine:
    """One entry about a person, its content, and their dispute."""

    campus: Campus
    log_id: uuid.UUID
    number: int
    kind: EntryKind
    at: datetime
    noun: str
    noun_id: uuid.UUID
    facts: JsonObject
    disputes: Sequence[LogDispute]

    def to_document(self) -> JsonObject:
        disputes: list[JsonObject] = [
            {"said": each.said, "at": format_timestamp(each.made_at), "answer": each.answer}
            for each in self.disputes
        ]
        return {
            "campus": self.campus.name,
            "line": self.number,
            "kind": self.kind.value,
            "at": format_timestamp(self.at),
            "says": {name: value for name, value in self.facts.items() if name not in _IDENTIFIERS},
            "disputes": [*disputes],
        }


@dataclass(frozen=True, eq=False)
class PersonalLog:
    store: ActivityLogStore
    disputes: LogDisputeStore
    choices: AwardEvidenceStore
    evidence: EvidenceDocuments
    awards: AwardStore
    reissuing: ReissueService
    campuses: CampusStore
    history: HistoryStore
    clock: Clock

    def lines(
        self,
        person_id: uuid.UUID,
        campus_ids: Collection[uuid.UUID],
        *,
        only_of: uuid.UUID | None = None,
    ) -> list[PersonalLine]:
        """All entries about the person in these campuses' logs, latest first per log.

        With `only_of`, those of one award and of its evidence.
        """
        said: dict[tuple[uuid.UUID, int], list[LogDispute]] = {}
        for each in self.disputes.of_person(person_id):
            said.setdefault((each.log_id, each.number), []).append(each)
        by_log: dict[uuid.UUID, list[LogPayload]] = {}
        for payload in self.store.payloads_about(person_id):
            by_log.setdefault(payload.log_id, []).append(payload)
        found = []
        for log_id, payloads in by_log.items():
            campus = self.campuses.get_by_id(self.store.get(log_id).campus_id)
            if campus.id in campus_ids:
                found += self._of_one_log(campus, log_id, payloads, said)
        return found if only_of is None else self._of_award(only_of, found)

    def _of_award(self, award_id: uuid.UUID, lines: Sequence[PersonalLine]) -> list[PersonalLine]:
        row = self.evidence.find(award_id)
        proof = {(row.log_id, each) for each in (*row.entries, row.decision)} if row else set()
        return [each for each in lines if each.noun_id == award_id or (each.log_id, each.number) in proof]

    def _of_one_log(
        self,
        campus: Campus,
        log_id: uuid.UUID,
        payloads: Sequence[LogPayload],
        said: Mapping[tuple[uuid.UUID, int], Sequence[LogDispute]],
    ) -> list[PersonalLine]:
        entries = {
            entry.number: entry for entry in self.store.numbered(log_id, (each.number for each in payloads))
        }
        return [
            PersonalLine(
                campus,
                log_id,
                each.number,
                entries[each.number].kind,
                entries[each.number].at,
                each.noun,
                each.noun_id,
                each.facts,
                said.get((log_id, each.number), ()),
            )
            for each in reversed(payloads)
        ]

    def document(
        self,
        person_id: uuid.UUID,
        campus_ids: Collection[uuid.UUID],
        *,
        only_of: uuid.UUID | None = None,
    ) -> bytes:
        """The same as JSON."""
        lines = [line.to_document() for line in self.lines(person_id, campus_ids, only_of=only_of)]
        return dump_json(
            {"type": "PersonalActivityLog", "made": format_timestamp(self.clock()), "lines": lines}
        )

    def dispute(
        self, person_id: uuid.UUID, campus: Campus, number: int, said: str, *, by: Actor
    ) -> LogDispute:
        """Dispute an entry about oneself; shown to staff of the activity."""
        log = self.store.find(campus.id)
        payload = self.store.payload(log.id, number) if log else None
        if log is None or payload is None or payload.about_id != person_id or payload.noun not in DISPUTABLE:
            raise NotFound(N_("Cette ligne n’est pas à votre sujet."))
        dispute = LogDispute(
            log_id=log.id, number=number, person_id=person_id, said=check_words(said), made_at=self.clock()
        )
        self.disputes.save(dispute)
        self.history.write(by, "dispute", payload.noun, payload.noun_id, at=self.clock(), campus_id=campus.id)
        return dispute

    def answer(self, campus: Campus, dispute_id: uuid.UUID, text: str, *, by: Actor) -> LogDispute:
        log = self.store.find(campus.id)
        if log is None:
            raise NotFound(N_("Cette demande n’existe pas ici."))
        dispute = self.disputes.get(dispute_id, log.id)
        answer_dispute(dispute, text, at=self.clock())
        self.disputes.save(dispute)
        payload = self.store.payload(log.id, dispute.number)
        if payload is not None:
            self.history.write(
                by, "answer", payload.noun, payload.noun_id, at=self.clock(), campus_id=campus.id
            )
        return dispute

    def show(
        self, campus: Campus, award_id: uuid.UUID, wanted: Mapping[int, DisclosedContent], *, by: Actor
    ) -> None:
        """Set the disclosure of each entry: immediately on the page, and by reissue in the documents."""
        row = self.evidence.find(award_id)
        if row is None:
            raise NotFound(N_("Ce badge ne repose sur aucune ligne du journal d’activité."))
        award = self.awards.lock(award_id)
        for number in row.entries:
            if number in wanted:
                self.choices.choose(award_id, number, wanted[number], at=self.clock())
        award.disclosures += 1
        self.awards.save(award)
        self.history.write(by, "disclose", "award", award_id, at=self.clock(), campus_id=campus.id)
        self.reissuing.align(award_id, by=by)


RULE = Actor(label="rule on self-awards")
REASON = N_(
    "Ce badge a été attribué ou examiné par la personne qui l’a reçu, ou par une seule personne sous deux adresses."
)
CONFIRMED_BY_ITS_PERSON = N_("Confirmée par la personne elle-même, sous une autre adresse.")


@dataclass(frozen=True, eq=False)
class SelfAwards:
    """The result does not depend on the order of award, address confirmation and merge."""

    own: OwnAddressStore
    people: PeopleStore
    awards: AwardStore
    campuses: CampusStore
    withdrawals: WithdrawalService
    memberships: Memberships
    contributions: ContributionService
    clock: Clock

    def end_those_of(self, person_id: uuid.UUID) -> None:
        """After a merge or address confirmation. Another person may award the badge again. Idempotent."""
        with self.own.tenant_scope.across_campuses():
            same = self.own.same_person(person_id)
            if len(same) > 1:
                self._withdraw(same)
                self._reopen_contributions(same)
                self._end_protection(same)

    def _withdraw(self, same: set[uuid.UUID]) -> None:
        found = self.awards.given_within(same)
        for campus_id in sorted({award.campus_id for award in found}):
            campus, at = self.campuses.lock(campus_id), self.clock()
            wanted = [award.id for award in found if award.campus_id == campus_id]
            locked = self.awards.lock_all(wanted, campus_id)
            standing = [award for award in locked.values() if award.state is AwardState.ISSUED]
            with speaking(campus.language):
                reason = _(REASON)
            for award in standing:
                revoke(award, reason, at=at)
            self.withdrawals.keep(campus, standing, at=at, by=RULE)

    def _reopen_contributions(self, same: set[uuid.UUID]) -> None:
        for contribution in self.contributions.confirmed_within(same):
            campus = self.campuses.get_by_id(contribution.campus_id)
            with speaking(campus.language):
                self.contributions.reopen(campus, contribution.id, _(CONFIRMED_BY_ITS_PERSON), by=RULE)

    def _end_protection(self, same: set[uuid.UUID]) -> None:
        """An administrator of a campus must not be its data protection officer under another record."""
        roles: dict[uuid.UUID, list[Membership]] = {}
        for record in same:
            for membership, campus in self.people.memberships_of(record):
                roles.setdefault(campus.id, []).append(membership)
        for campus_id, found in roles.items():
            administers = {each.person_id for each in found if each.role is Role.CAMPUS_ADMIN}
            for each in found:
                if each.role is Role.DPO and administers - {each.person_id}:
                    campus = self.campuses.get_by_id(campus_id)
                    self.memberships.take_back(campus, self.people.get(each.person_id), Role.DPO, by=RULE)
