"""Contributions: declared by a learner with evidence, confirmed by a trainer, then logged."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.db.accounts import OwnAddressStore
from app.db.activities import ActivityStore, FileStore
from app.db.activity_log import ActivityLogStore, LogDisputeStore
from app.db.awards import AwardEvidenceStore, AwardStore
from app.db.badges import BadgeStore
from app.db.campus import CampusStore, HistoryStore
from app.db.campus.directory import DirectoryStore
from app.db.frameworks.pathways import PathwayStore
from app.db.learners import ContributionStore
from app.db.people import PeopleStore
from app.db.people.privacy import ConsentStore
from app.domain.activities import Activity
from app.domain.activities.files import FileNoun, FileState, StoredFile, TakenFile, check_room, new_file
from app.domain.activity_log import (
    CONTRIBUTION,
    PARTICIPATION,
    LogDispute,
    answer_dispute,
    check_words,
    contribution_fact,
    file_fact,
    link_fact,
)
from app.domain.awards import Award, AwardState, revoke
from app.domain.awards.open_badges import DisclosedContent, least_shown
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock, mark_of
from app.domain.learners.portfolios import (
    MOST_OPEN,
    Contribution,
    ContributionState,
    ContributionStatement,
    check_answer,
    check_hours,
    check_may_complete,
    check_may_correct,
    completed,
    decide,
    open_ones,
    reopen,
    withdraw,
    write,
)
from app.domain.people import Membership, Person, Role
from app.domain.people.consents import check_may_show_more
from app.domain.people.personal_data import CLOSED_REQUESTS
from app.errors import Conflict, InvalidInput, NotFound
from app.language import N_, speaking
from app.language import gettext as _
from app.services.accounts.invitations import Memberships
from app.services.activity_log import ActivityLog
from app.services.activity_log.evidence import EvidenceDocuments
from app.services.awards.bulk_revocation import WithdrawalService
from app.services.awards.reissuing import ReissueService

_OURS = FileNoun.CONTRIBUTION


@dataclass(frozen=True)
class ContributionView:
    contribution: Contribution
    person: Person
    activity: Activity | None
    files: Sequence[StoredFile]
    disputes: Sequence[LogDispute] = ()
    """Open disputes about its log entries."""

    @property
    def seen(self) -> str:
        """Of what is decided on: a decision is taken on what was read."""
        one = self.contribution
        said = [one.state, one.title, one.telling, one.part, one.done_on, one.hours, one.activity_id]
        return mark_of(*said, *one.links, *((file.id, file.is_open) for file in self.files))


@dataclass(frozen=True, eq=False)
class ContributionService:
    contributions: ContributionStore
    files: FileStore
    activities: ActivityStore
    directory: DirectoryStore
    people: PeopleStore
    own_addresses: OwnAddressStore
    badges: BadgeStore
    history: HistoryStore
    log: ActivityLog
    disputes: LogDisputeStore
    pathways: PathwayStore
    clock: Clock

    # --- for the learner

    def activities_of(self, person: Person, campus: Campus) -> list[Activity]:
        """Activities that it may belong to: those the person attended."""
        return [activity for _, activity in self.directory.participations_of(person.id, campus.id)]

    def of_person(self, person: Person, campus: Campus) -> Sequence[Contribution]:
        return self.contributions.of_person(person.id, campus.id)

    def mine(self, person: Person, campus: Campus, contribution_id: uuid.UUID) -> ContributionView:
        view = self.look(campus, contribution_id)
        if view.person.id != person.id:
            raise NotFound("Cette contribution n’existe pas ici.")
        return view

    def add(
        self,
        person: Person,
        campus: Campus,
        statement: ContributionStatement,
        activity_id: uuid.UUID | None,
        files: Sequence[TakenFile],
        *,
        today: date,
        by: Actor,
    ) -> Contribution:
        self.people.lock_all([person.id])
        if open_ones(self.of_person(person, campus)) >= MOST_OPEN:
            raise Conflict(
                "{most} contributions attendent déjà le campus : laissez-lui le temps d’y répondre.",
                most=MOST_OPEN,
            )
        at = self.clock()
        made = Contribution(
            campus_id=campus.id, person_id=person.id, title="", telling="", part=statement.part,
            done_on=statement.done_on, created_at=at, waiting_since=at,
        )  # fmt: skip
        write(made, statement, self._own_activity(person, campus, activity_id), today=today)
        self.contributions.save(made)
        self._keep(made, files)
        self._note("add", made, by)
        return made

    def complete(
        self,
        person: Person,
        campus: Campus,
        contribution_id: uuid.UUID,
        statement: ContributionStatement,
        activity_id: uuid.UUID | None,
        files: Sequence[TakenFile],
        *,
        without: Collection[uuid.UUID] = (),
        today: date,
        by: Actor,
    ) -> Contribution:
        """Edit it until a trainer decides; `without`: files to remove."""
        self.mine(person, campus, contribution_id)
        self.people.lock_all([person.id])
        contribution = self.contributions.lock(contribution_id)
        check_may_complete(contribution)
        write(contribution, statement, self._own_activity(person, campus, activity_id), today=today)
        self.files.remove_all(file.id for file in self.files.of(_OURS, contribution.id) if file.id in without)
        self._keep(contribution, files)
        completed(contribution, at=self.clock())
        self.contributions.save(contribution)
        self._note("complete", contribution, by)
        return contribution

    def withdraw(self, person: Person, campus: Campus, contribution_id: uuid.UUID, *, by: Actor) -> None:
        """Deletes its files immediately: no decision refers to them."""
        self.mine(person, campus, contribution_id)
        self.people.lock_all([person.id])
        contribution = self.contributions.lock(contribution_id)
        withdraw(contribution, at=self.clock())
        self.files.remove_all(file.id for file in self.files.of(_OURS, contribution.id))
        self.contributions.save(contribution)
        self._note("withdraw", contribution, by)

    def _own_activity(self, person: Person, campus: Campus, activity_id: uuid.UUID | None) -> Activity | None:
        if activity_id is None:
            return None
        for activity in self.activities_of(person, campus):
            if activity.id == activity_id:
                return activity
        raise InvalidInput("Choisissez une activité où vous étiez, ou aucune.")

    def _keep(self, contribution: Contribution, files: Sequence[TakenFile]) -> None:
        for each in files:
            row, content = new_file(
                each, campus_id=contribution.campus_id, noun=_OURS, noun_id=contribution.id,
                person_id=contribution.person_id, at=self.clock(),
            )  # fmt: skip
            self.files.store(row, content)
        check_room(len(self.files.of(_OURS, contribution.id)))

    # --- for the campus

    def queue(
        self, campus: Campus, states: Collection[ContributionState], *, limit: int, oldest_first: bool = True
    ) -> list[tuple[Contribution, Person, Activity | None]]:
        return self.contributions.queue(campus.id, states, limit=limit, oldest_first=oldest_first)

    def look(self, campus: Campus, contribution_id: uuid.UUID) -> ContributionView:
        found = self.contributions.get_in_campus(contribution_id, campus.id)
        activity = self.activities.find(found.activity_id) if found.activity_id else None
        return ContributionView(
            found,
            self.people.get(found.person_id),
            activity,
            self.files.of(_OURS, found.id),
            self._disputes_of(campus, found),
        )

    def _disputes_of(self, campus: Campus, contribution: Contribution) -> list[LogDispute]:
        log = self.log.store.find(campus.id)
        if log is None or contribution.state is not ContributionState.CONFIRMED:
            return []
        lines = self.log.store.payloads_of(CONTRIBUTION, [contribution.id])
        said = self.disputes.about(log.id, [each.number for each in lines if each.log_id == log.id])
        return [each for each in said if each.answered_at is None]

    def disputed(self, campus: Campus, *, limit: int) -> list[ContributionView]:
        return [self.look(campus, each.id) for each in self.contributions.disputed(campus.id, limit=limit)]

    def badges_of(self, campus: Campus) -> list[tuple[Badge, BadgeVersion]]:
        """Badges that it may count for."""
        return [pair for pair in self.badges.list_current(campus.id) if pair[0].archived_at is None]

    def confirm(
        self,
        campus: Campus,
        contribution_id: uuid.UUID,
        answer: str = "",
        *,
        badge_id: uuid.UUID | None = None,
        seen: str = "",
        by: Actor,
    ) -> None:
        """Log it, with the digests of its files and links, in the current transaction."""
        contribution = self._locked(campus, contribution_id, seen)
        files = self.files.of(_OURS, contribution.id)
        if any(file.state is FileState.WAITING for file in files):
            raise Conflict("Un fichier est en attente d’analyse : confirmez une fois qu’il est ouvert.")
        if badge_id is not None and badge_id not in {badge.id for badge, _ in self.badges_of(campus)}:
            raise InvalidInput("Ce badge n’existe plus : rechargez la page, puis recommencez.")
        decide(
            contribution,
            ContributionState.CONFIRMED,
            answer,
            trainer_id=self._decided_by(contribution, by),
            at=self.clock(),
        )
        contribution.badge_id = badge_id
        self.contributions.save(contribution)
        activity = self.activities.find(contribution.activity_id) if contribution.activity_id else None
        self.log.record(
            campus,
            [
                contribution_fact(contribution, activity),
                *(file_fact(file) for file in files if file.is_open),
                *(link_fact(contribution, link) for link in contribution.links),
            ],
        )
        self.pathways.mark_stale([contribution.person_id], at=self.clock())
        self._note("confirm", contribution, by)

    def ask_more(
        self, campus: Campus, contribution_id: uuid.UUID, question: str, *, seen: str = "", by: Actor
    ) -> None:
        self._decide(campus, contribution_id, ContributionState.MORE, question, seen, by)
        self._note("ask_more", self.contributions.get_in_campus(contribution_id, campus.id), by)

    def decline(
        self, campus: Campus, contribution_id: uuid.UUID, reason: str, *, seen: str = "", by: Actor
    ) -> None:
        """Only the person gets the reason."""
        self._decide(campus, contribution_id, ContributionState.DECLINED, reason, seen, by)
        self._note("decline", self.contributions.get_in_campus(contribution_id, campus.id), by)

    def correct(
        self,
        campus: Campus,
        contribution_id: uuid.UUID,
        *,
        telling: str,
        hours: float | None,
        reason: str,
        seen: str = "",
        by: Actor,
    ) -> None:
        """Correct a confirmed contribution: the log contains both versions, and which one counts."""
        contribution = self._locked(campus, contribution_id, seen)
        check_may_correct(contribution, self._decided_by(contribution, by))
        check_answer(reason)
        check_hours(hours)
        statement = ContributionStatement(contribution.title, telling, contribution.part, contribution.done_on, hours,
                    "\n".join(contribution.links))  # fmt: skip
        activity = self.activities.find(contribution.activity_id) if contribution.activity_id else None
        write(contribution, statement, activity, today=contribution.done_on)
        contribution.decided_by = by.person_id
        self.contributions.save(contribution)
        self._record_correction(campus, contribution, reason.strip())
        self._note("correct", contribution, by)

    def confirmed_within(self, same: Collection[uuid.UUID]) -> list[Contribution]:
        """Contributions that one of these records, all of one person, confirmed for another of them."""
        return self.contributions.confirmed_within(same)

    def reopen(self, campus: Campus, contribution_id: uuid.UUID, reason: str, *, by: Actor) -> None:
        """Return it for confirmation by another person; the log has both the confirmation and its reversal."""
        contribution = self._locked(campus, contribution_id)
        reopen(contribution, at=self.clock())
        self.contributions.save(contribution)
        self._record_correction(campus, contribution, reason)
        self._note("reopen", contribution, by)

    def _record_correction(self, campus: Campus, contribution: Contribution, reason: str) -> None:
        activity = self.activities.find(contribution.activity_id) if contribution.activity_id else None
        self.pathways.mark_stale([contribution.person_id], at=self.clock())
        log = self.log.open(campus)
        before = self.log.store.newest_about(log.id, CONTRIBUTION, [contribution.id]).get(contribution.id)
        self.log.record(campus, [contribution_fact(contribution, activity, corrects=before, reason=reason)])

    def forget_closed(self) -> None:
        """Delete contributions declined or withdrawn a year ago, with their files."""
        ids = self.contributions.closed(self.clock() - CLOSED_REQUESTS)
        self.files.remove_all(file.id for file in self.files.of_many(_OURS, ids))
        self.contributions.remove_all(ids)

    def _decide(
        self,
        campus: Campus,
        contribution_id: uuid.UUID,
        state: ContributionState,
        answer: str,
        seen: str,
        by: Actor,
    ) -> None:
        contribution = self._locked(campus, contribution_id, seen)
        decide(contribution, state, answer, trainer_id=self._decided_by(contribution, by), at=self.clock())
        self.contributions.save(contribution)

    def _decided_by(self, contribution: Contribution, by: Actor) -> uuid.UUID | None:
        """The contribution's person if the trainer is another record of theirs, else the trainer."""
        if by.person_id is None:
            return None
        with self.own_addresses.tenant_scope.across_campuses():
            same = self.own_addresses.same_person(by.person_id)
        return contribution.person_id if contribution.person_id in same else by.person_id

    def _locked(self, campus: Campus, contribution_id: uuid.UUID, seen: str = "") -> Contribution:
        """Raises if it changed since a page that showed it."""
        self.people.lock_all([self.contributions.get_in_campus(contribution_id, campus.id).person_id])
        contribution = self.contributions.lock(contribution_id)
        if seen and seen != self.look(campus, contribution_id).seen:
            raise Conflict("La contribution a changé depuis que vous l’avez ouverte. Relisez, puis décidez.")
        return contribution

    def _note(self, action: str, contribution: Contribution, by: Actor) -> None:
        self.history.write(
            by, action, "contribution", contribution.id, at=self.clock(), campus_id=contribution.campus_id
        )


# --- A person's own log entries: disputes, answered by the campus, and disclosure

DISPUTABLE = frozenset({PARTICIPATION, CONTRIBUTION})
"""Entries that campus staff can correct; for award decisions, ask the campus."""


@dataclass(frozen=True, eq=False)
class LogDisputes:
    store: ActivityLogStore
    people: PeopleStore
    disputes: LogDisputeStore
    choices: AwardEvidenceStore
    evidence: EvidenceDocuments
    awards: AwardStore
    reissuing: ReissueService
    consents: ConsentStore
    history: HistoryStore
    clock: Clock

    def dispute(
        self, person_id: uuid.UUID, campus: Campus, number: int, said: str, *, by: Actor
    ) -> LogDispute:
        """Dispute an entry about oneself; shown to staff of the activity. Idempotent until they answer."""
        log = self.store.find(campus.id)
        payload = self.store.payload(log.id, number) if log else None
        if log is None or payload is None or payload.about_id != person_id or payload.noun not in DISPUTABLE:
            raise NotFound("Cette ligne n’est pas à votre sujet.")
        said = check_words(said)
        self.people.lock_all([person_id])
        for each in self.disputes.of_person(person_id):
            if (each.log_id, each.number, each.said, each.answered_at) == (log.id, number, said, None):
                return each
        dispute = LogDispute(
            log_id=log.id, number=number, person_id=person_id, said=said, made_at=self.clock()
        )
        self.disputes.save(dispute)
        self.history.write(by, "dispute", payload.noun, payload.noun_id, at=self.clock(), campus_id=campus.id)
        return dispute

    def answer(self, campus: Campus, dispute_id: uuid.UUID, text: str, *, by: Actor) -> LogDispute:
        log = self.store.find(campus.id)
        if log is None:
            raise NotFound("Cette demande n’existe pas ici.")
        dispute = self.disputes.get(dispute_id, log.id)
        answer_dispute(dispute, text, at=self.clock())
        self.disputes.save(dispute)
        payload = self.store.payload(log.id, dispute.number)
        if payload is not None:
            self.history.write(
                by, "answer", payload.noun, payload.noun_id, at=self.clock(), campus_id=campus.id
            )
        return dispute

    def check_may_show(self, award: Award, wanted: Mapping[int, DisclosedContent]) -> None:
        """Raises where a parent agreed to a page that shows less."""
        row = self.evidence.find(award.id)
        bounds, shown = self.evidence.bounds_of(award.id), self.evidence.shown(row) if row else {}
        chosen = {number: bounds.apply(level) for number, level in wanted.items() if number in shown}
        if any(least_shown(level, shown[number]) is not level for number, level in chosen.items()):
            said = self.consents.of_person(award.person_id)
            check_may_show_more(self.people.get(award.person_id), said, award.id)

    def show(
        self, campus: Campus, award_id: uuid.UUID, wanted: Mapping[int, DisclosedContent], *, by: Actor
    ) -> None:
        """Set the disclosure of each entry: immediately on the page, and by reissue in the documents."""
        row = self.evidence.find(award_id)
        if row is None:
            raise NotFound("Ce badge ne repose sur aucune ligne du journal d’activité.")
        award = self.awards.lock(award_id)
        self.check_may_show(award, wanted)
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
