"""From a request to eligibility: which people are meant, and what the rules decide for each."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from app.db.accounts import OwnAddressStore
from app.db.activities import ActivityStore
from app.db.awards import AwardRecord, AwardStore
from app.db.awards.batches import HolderStore
from app.db.badges import BadgeStore
from app.db.campus.integration import IntegrationStore
from app.db.campus.people import is_known_at
from app.db.people import PeopleStore
from app.domain.accounts.permissions import Permission, may
from app.domain.activities import Activity, Participation, PartKind
from app.domain.activities.listed_people import ListedPerson, without_repeats
from app.domain.awards import (
    ONESELF,
    Award,
    AwardState,
    EligibilityResult,
    LineOutcome,
    check_eligibility,
    check_evidence_text,
    may_renew,
)
from app.domain.awards.batches import AwardBatch, BatchLine, chosen_in, listed
from app.domain.awards.open_badges import Disclosed
from app.domain.awards.skills import Practice
from app.domain.badges import Badge, check_given, check_open
from app.domain.badges.rules import CountedLine
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.integration import NamedKind
from app.domain.core import Clock
from app.domain.people import Person, Role, mailbox_key, roles_at
from app.errors import NotAllowed
from app.language import N_
from app.services.activities.activities import ActivityService
from app.services.awards.award_context import (
    NO_GIVER,
    NO_LONGER_MAY,
    NO_LONGER_OPEN,
    NO_LONGER_OPENED,
    NO_LONGER_ORGANISED,
    SAMPLE,
    SUSPENDED,
    AwardContext,
    AwardCounting,
    AwardRequest,
    CheckedLine,
    CountedEvidence,
    GivenBefore,
    GiverRecords,
    MatchedRecipient,
    Preview,
    Recipient,
    as_recorded,
    award_of,
    deduplicate,
    disclosed_at_first,
    line_of,
    line_of_person,
    name_known_to_campus,
    projected_participation,
    repeated_line,
    unclear_line,
)
from app.services.awards.rule_ledger import RuleLedger
from app.services.badges import BadgeService
from app.services.badges.openings import OpeningService

MADE_BEFORE = EligibilityResult(
    LineOutcome.ALREADY_HELD,
    N_("Cet identifiant désigne déjà cette attribution : rien n’est fait de nouveau."),
)
NAMES_OTHER_AWARD = EligibilityResult(
    LineOutcome.NOT_ALLOWED, N_("Cet identifiant désigne déjà l’attribution d’un autre badge.")
)
NAMES_OTHER_PERSON = EligibilityResult(
    LineOutcome.NOT_ALLOWED, N_("Cet identifiant désigne déjà l’attribution à une autre personne.")
)


@dataclass(frozen=True, eq=False)
class EligibilityService:
    """Finds the people of a request and checks the eligibility of each separately (I25)."""

    people: PeopleStore
    badges: BadgeStore
    activities: ActivityStore
    awards: AwardStore
    holders: HolderStore
    activity_service: ActivityService
    openings: OpeningService
    own_addresses: OwnAddressStore
    counting: AwardCounting
    badge_service: BadgeService
    integration: IntegrationStore
    clock: Clock

    def preview(self, campus: Campus, request: AwardRequest, *, by: Actor, renewing: bool = False) -> Preview:
        """What awarding would decide now; read-only. `renewing`: as if badges that may be renewed were not held."""
        case = self.case(campus, request, by)
        found, answered = self.meant(case, request)
        people = [person.id for _, _, person in found if person]
        held, counted = self._held(case, people), self.counting.read(case, people)
        if renewing:
            held = {
                one: award
                for one, award in held.items()
                if not may_renew(award, days=case.version.validity_days, at=self.clock())
            }
        named = self._named_elsewhere(case, found)
        checked = [
            named.get(line.award_external_id) or self._checked(case, line, part, person, held, counted)
            for line, part, person in found
        ]
        checked = [replace(each, line=line) for each, (line, _, _) in zip(checked, found, strict=True)]
        lines = [*checked, *answered]
        sample, disclosed = self._sample(case, checked)
        practice = self.badge_service.practice_of(case.version, case.activity) if sample else Practice()
        ready = [each.person.id for each in checked if each.person and each.eligibility.is_ready]
        activity_id = case.activity.id if case.activity else None
        withdrawn = self.awards.held(case.badge, ready, activity_id, AwardState.REVOKED) if ready else {}
        content = self.badge_service.content_mark(campus, case.version, case.activity)
        return Preview(
            campus,
            case.badge,
            case.version,
            case.activity,
            lines,
            disclosed,
            sample,
            practice,
            withdrawn,
            content,
        )

    def _sample(self, case: AwardContext, checked: Sequence[CheckedLine]) -> tuple[Award | None, Disclosed]:
        """The award of the first ready line, and what its documents would disclose."""
        first = next((line for line in checked if line.eligibility.is_ready), None)
        if first is None:
            return None, Disclosed()
        known, at = first.person or self._new_person(first.line), self.clock()
        person = as_recorded(known, first.line, case.activity, at)
        part = projected_participation(first.line, case.activity, first.participation, person, at)
        known_as = self.holders.names_in_campus(case.campus.id, [known.id]).get(known.id, ())
        name = name_known_to_campus(known, first.line, known_as)
        sample = award_of(case, person, part, name=name, at=at, rests_on=first.rests_on)
        return sample, disclosed_at_first(person, case.activity)

    def case(self, campus: Campus, request: AwardRequest, by: Actor) -> AwardContext:
        """The part of the request common to all lines; raises if no one could be awarded."""
        check_evidence_text(request.evidence)
        badge = self.badges.get_of(campus.id, request.badge_id)
        check_open(badge)
        roles: frozenset[Role] = frozenset()
        if by.person_id is not None and not request.by_review:
            roles = self._roles(campus, by.person_id)
            self.openings.check(badge, by.person_id, roles)
        activity = (
            self.activities.get_in_campus(request.activity_id, campus.id) if request.activity_id else None
        )
        version = self.badges.current_version(badge.id)
        check_given(version)
        grounds = None if request.grounds is None else frozenset(request.grounds)
        return AwardContext(
            campus,
            badge,
            version,
            activity,
            request.evidence,
            by,
            self._giver(by),
            SAMPLE if activity is not None and activity.is_sample else None,
            grounds=grounds,
            giver_is=self._records_of(by),
            giver_roles=roles,
        )

    def case_of(self, campus: Campus, batch: AwardBatch) -> AwardContext:
        """As `case`, for a batch being processed now, possibly long after it was enqueued."""
        version = self.badges.get_version_by_id(batch.version_id)
        badge = self.badges.get(version.badge_id)
        activity = self.activities.find(batch.activity_id) if batch.activity_id else None
        by = Actor(batch.requested_by, batch.actor_label)
        refusal = NO_LONGER_OPEN if badge.archived_at else None
        if activity is not None and activity.is_sample:
            refusal = SAMPLE
        if activity is not None and not self.activities.is_organised_by(activity.id, campus.id):
            refusal = NO_LONGER_ORGANISED
        if refusal is None and not batch.by_review:
            refusal = self._refused_now(campus, badge, by)
        return AwardContext(
            campus,
            badge,
            version,
            activity,
            batch.evidence,
            by,
            self._giver(by),
            refusal,
            chosen_in(batch),
            self._records_of(by),
            batch.id,
        )

    def case_now(self, case: AwardContext, batch: AwardBatch) -> AwardContext:
        """As `case_of`, in the transaction that read `case`, checked its opening and enqueued the batch."""
        refusal = case.refusal
        if refusal is None and not batch.by_review:
            refusal = _refusal_of(case.campus, case.by, case.giver_roles)
        return replace(case, refusal=refusal, batch_id=batch.id)

    def _records_of(self, by: Actor) -> GiverRecords:
        if by.person_id is None:
            return NO_GIVER
        with self.own_addresses.tenant_scope.across_campuses():
            own = self.own_addresses.list_of(by.person_id)
            return GiverRecords(
                frozenset(self.own_addresses.same_person(by.person_id, own)),
                frozenset(mailbox_key(row.address) for row in own if row.verified_at is not None),
            )

    def _giver(self, by: Actor) -> Person | None:
        return self.people.get(by.person_id) if by.person_id else None

    def _refused_now(self, campus: Campus, badge: Badge, by: Actor) -> EligibilityResult | None:
        roles = self._roles(campus, by.person_id) if by.person_id else frozenset[Role]()
        refusal = _refusal_of(campus, by, roles)
        if refusal is not None or by.person_id is None:
            return refusal
        return None if self.openings.is_open(badge, by.person_id, roles) else NO_LONGER_OPENED

    def _roles(self, campus: Campus, person_id: uuid.UUID) -> frozenset[Role]:
        memberships = [membership for membership, _ in self.people.memberships_of(person_id)]
        return roles_at(memberships, campus.id, at=self.clock())

    def meant_in_turn(
        self, case: AwardContext, request: AwardRequest
    ) -> Iterator[tuple[list[MatchedRecipient], list[CheckedLine]]]:
        """As `meant`, but the activity's participants come in chunks; a list is matched as a whole."""
        if request.lines:
            yield self.meant(case, request)
            return
        for some in self._chosen_in_turn(case, request):
            yield [*some], []

    def meant(
        self, case: AwardContext, request: AwardRequest
    ) -> tuple[list[MatchedRecipient], list[CheckedLine]]:
        """Each person once, known or not; and the lines that are duplicates or have an ambiguous name."""
        kept, repeated = without_repeats([line.tidied() for line in request.lines])
        known = self.activity_service.known(case.activity, kept)
        unclear = [line for line in kept if line.line_key in known.unclear and case.fault_of(line) is None]
        open_keys = {line.line_key for line in unclear}
        listed = [
            (line, *known.meant.get(line.line_key, (None, None)))
            for line in kept
            if line.line_key not in open_keys
        ]
        found, again = deduplicate(self._chosen(case, request), listed)
        answered = [repeated_line(line) for line in [*repeated, *again]]
        return found, [*answered, *map(unclear_line, unclear)]

    def decide(
        self, case: AwardContext, lines: Sequence[BatchLine], *, given: GivenBefore
    ) -> list[CheckedLine]:
        """Eligibility of each line. Creates missing people; every READY line has `person` set."""
        if case.activity is not None:
            self.activities.lock(case.activity.id)
        found = [(listed(line), None, None) for line in lines] if case.refusal else self._record(case, lines)
        self.activity_service.hold(person for _, _, person in found if person)
        people = [person.id for _, _, person in found if person]
        held, counted, before = self._held(case, people), self.counting.read(case, people), given(people)
        named = self._named_elsewhere(case, found)
        checked = []
        for line, participation, person in found:
            if line.award_external_id in named:
                checked.append(replace(named[line.award_external_id], line=line))
                continue
            if person is not None and person.id in before:
                checked.append(repeated_line(line))
                continue
            checked.append(self._checked(case, line, participation, person, held, counted))
            if person is not None:
                before.add(person.id)
        return checked

    def _named_elsewhere(
        self, case: AwardContext, found: Sequence[MatchedRecipient]
    ) -> dict[str, CheckedLine]:
        """By identifier, lines with an award that the campus's own system has named before: nothing is awarded again."""
        values = {line.award_external_id for line, _, _ in found if line.award_external_id}
        named = self.integration.named(case.campus.id, NamedKind.AWARD, values)
        records = self.awards.records_among(list(named.values()), case.campus.id) if named else []
        awards = {record.award.id: record.award for record in records}
        checked: dict[str, CheckedLine] = {}
        for line, _, person in found:
            award = awards.get(named[line.award_external_id]) if line.award_external_id in named else None
            if award is None:
                continue
            eligibility = MADE_BEFORE
            if award.badge_id != case.badge.id:
                eligibility = NAMES_OTHER_AWARD
            elif not case.refusal and (person is None or person.id != award.person_id):
                eligibility = NAMES_OTHER_PERSON
            checked[line.award_external_id] = CheckedLine(
                line, eligibility, held=award if eligibility is MADE_BEFORE else None
            )
        return checked

    def _chosen(self, case: AwardContext, request: AwardRequest) -> list[Recipient]:
        return [one for some in self._chosen_in_turn(case, request) for one in some]

    def _chosen_in_turn(self, case: AwardContext, request: AwardRequest) -> Iterator[list[Recipient]]:
        activity = case.activity
        if activity is None and request.person_ids:
            yield self._of_the_log(case, request.person_ids)
        if activity is None or not (request.everybody or request.participation_ids):
            return
        wanted = set(request.participation_ids)
        # Individually chosen people keep their line, and are reported as absent if so recorded.
        for some in self.activities.participants_in_turn(activity.id, with_absent=bool(wanted)):
            there = [one for one in some if one[0].id in wanted or (request.everybody and one[0].is_present)]
            # What the campus may read: an e-mail goes to the address that the person prefers, unseen.
            ids = [person.id for _, person in there]
            addresses = self.people.addresses_of(ids, is_known_at(case.campus.id))
            yield [
                (line_of(participation, person, addresses.get(person.id, "")), participation, person)
                for participation, person in there
            ]

    def _of_the_log(self, case: AwardContext, person_ids: Sequence[uuid.UUID]) -> list[Recipient]:
        """Only people with entries in this campus's log: prevents access to other campuses' people by id."""
        there = self.counting.ledger.lines_of(case.campus, set(person_ids))
        people = {person.id: person for person in self.people.list_by_id(there)}
        addresses = self.people.addresses_of(people, is_known_at(case.campus.id))
        return [
            (line_of_person(people[one], addresses.get(one, "")), None, people[one])
            for one in dict.fromkeys(person_ids)
            if one in people
        ]

    def _record(self, case: AwardContext, lines: Sequence[BatchLine]) -> list[MatchedRecipient]:
        """Participants chosen in the activity as recorded; list lines are recorded unless faulty."""
        chosen = self._chosen_before(case, lines)
        named = self._named_before(case, lines)
        read = {
            line.position: listed(line)
            for line in lines
            if line.participation_id not in chosen and line.person_id not in named
        }
        good = [line for line in read.values() if case.fault_of(line) is None]
        meant = {
            read[line.position].line_key: line.person_id
            for line in lines
            if line.person_id and line.position in read
        }
        kept = self._recorded(case, good, meant)
        found: list[MatchedRecipient] = []
        for line in lines:
            if line.participation_id in chosen:
                found.append((listed(line), *chosen[line.participation_id]))
            elif line.person_id in named:
                found.append((listed(line), None, named[line.person_id]))
            else:
                one = read[line.position]
                found.append((one, *kept.get(one.line_key, (None, None))))
        return found

    def _chosen_before(
        self, case: AwardContext, lines: Sequence[BatchLine]
    ) -> dict[uuid.UUID | None, tuple[Participation, Person]]:
        ids = [line.participation_id for line in lines if line.participation_id]
        if case.activity is None or not ids:
            return {}
        there = self.activities.read_participants(case.activity.id, ids)
        return {participation.id: (participation, person) for participation, person in there}

    def _named_before(self, case: AwardContext, lines: Sequence[BatchLine]) -> dict[uuid.UUID | None, Person]:
        """Without an activity, a person known when the batch was enqueued is the person meant."""
        if case.activity is not None:
            return {}
        ids = [line.person_id for line in lines if line.person_id]
        return {person.id: person for person in self.people.list_by_id(ids)}

    def _recorded(
        self, case: AwardContext, lines: Sequence[ListedPerson], meant: Mapping[str, uuid.UUID]
    ) -> dict[str, tuple[Participation | None, Person]]:
        if not lines:
            return {}
        if case.activity is not None:
            return {
                **self.activity_service.keep(
                    case.activity,
                    lines,
                    campus_id=case.campus.id,
                    by=case.by,
                    meant=meant,
                    absent_stay=True,
                    batch_id=case.batch_id,
                )
            }
        return {key: (None, person) for key, person in self.activity_service.people_of(lines).items()}

    def _held(self, case: AwardContext, people: Sequence[uuid.UUID]) -> dict[uuid.UUID, Award]:
        return self.awards.held(case.badge, people, case.activity.id if case.activity else None)

    def _checked(
        self,
        case: AwardContext,
        line: ListedPerson,
        participation: Participation | None,
        person: Person | None,
        held: dict[uuid.UUID, Award],
        counted: CountedEvidence,
    ) -> CheckedLine:
        if case.refusal is not None:
            return CheckedLine(line, case.refusal)
        if person is not None and person.is_sample:
            return CheckedLine(line, SAMPLE, participation, person)
        fault = case.fault_of(line, known=person is not None)
        if fault is not None:
            return CheckedLine(line, EligibilityResult(fault.outcome, fault.sentence))
        if case.activity is not None and case.is_giver_by_name(line):
            return CheckedLine(line, ONESELF, participation, person)
        if case.is_giver(line, person):
            return CheckedLine(line, ONESELF, participation, person)
        someone = person or self._new_person(line)
        part = projected_participation(line, case.activity, participation, someone, self.clock())
        count = self.counting.count(case, counted, someone.id, part)
        eligibility = check_eligibility(
            case.version,
            person=someone,
            giver_id=case.by.person_id,
            activity=case.activity,
            participation=part,
            evidence=case.evidence,
            held=held.get(someone.id),
            repeat=case.badge.repeat,
            progress=count.progress,
        )
        return CheckedLine(
            line,
            eligibility,
            participation,
            person,
            held.get(someone.id),
            count.rests_on,
            count.progress,
        )

    def of_renewal(self, campus: Campus, record: AwardRecord, evidence: str, *, by: Actor) -> CheckedLine:
        """Whether the holder may have the badge again now, by the records and by `evidence` of the time since."""
        award, person = record.award, record.person
        case = self.case(campus, AwardRequest(record.badge.id, award.activity_id, evidence=evidence), by)
        known = is_known_at(campus.id)
        address = self.people.addresses_of([person.id], known).get(person.id, "")
        part = self.activities.participation_of(person.id, award.activity_id) if award.activity_id else None
        counted = self.counting.read(case, [person.id])
        return self._checked(case, line_of_person(person, address), part, person, {}, counted)

    def check_may_give(self, campus: Campus, record: AwardRecord, *, by: Actor) -> None:
        """Raises unless `by` may award this badge to this holder; a program's right was checked before."""
        if by.person_id is None:
            return
        if record.person.id in self._records_of(by).records:
            raise NotAllowed("On ne rend pas valable son propre badge : une autre personne le fait.")
        if (refusal := self._refused_now(campus, record.badge, by)) is not None:
            raise NotAllowed(refusal.sentence)

    def _new_person(self, line: ListedPerson) -> Person:
        return Person(given_name=line.given_name, family_name=line.family_name, created_at=self.clock())


MOST_OFFERED = 60


@dataclass(frozen=True)
class OfferedLine:
    """`id`: an activity, or one person's participation if there is only one person.

    `is_own`: the activity of the award, which the credential always references.
    """

    id: uuid.UUID
    title: str
    starts_on: date
    ends_on: date
    people: int
    minutes: int
    part: PartKind | None
    is_chosen: bool
    is_own: bool


@dataclass(frozen=True, eq=False)
class AwardChoices:
    ledger: RuleLedger
    activities: ActivityStore

    def offered(self, preview: Preview) -> list[OfferedLine]:
        """Ordered by how many ready people share the entry, then latest first."""
        ready = {line.person.id: line for line in preview.ready if line.person}
        if not ready:
            return []
        lines = self.ledger.lines_of(preview.campus, ready)
        activities = self.activities.activities_of(
            line.participation_id for some in lines.values() for line in some
        )
        own = preview.activity.id if preview.activity else None
        offered: dict[uuid.UUID, OfferedLine] = {}
        for person_id, some in lines.items():
            chosen = _chosen(ready[person_id])
            for line in some:
                activity = activities.get(line.participation_id)
                if activity is None:
                    continue
                one = _offer(line, activity, alone=len(ready) == 1, own=own, chosen=chosen)
                before = offered.get(one.id)
                offered[one.id] = one if before is None else _together(before, one)
        return sorted(
            offered.values(),
            key=lambda one: (
                not one.is_own,
                not one.is_chosen,
                -one.people,
                -one.starts_on.toordinal(),
                one.title,
            ),
        )[:MOST_OFFERED]


def _chosen(line: CheckedLine) -> set[uuid.UUID]:
    return {each.participation_id for each in line.rests_on or ()}


def _offer(
    line: CountedLine, activity: Activity, *, alone: bool, own: uuid.UUID | None, chosen: set[uuid.UUID]
) -> OfferedLine:
    is_own = activity.id == own
    return OfferedLine(
        line.participation_id if alone else activity.id,
        line.title,
        line.starts_on,
        line.ends_on,
        1,
        line.minutes,
        line.part if alone else None,
        is_own or line.participation_id in chosen,
        is_own,
    )


def _together(one: OfferedLine, other: OfferedLine) -> OfferedLine:
    return replace(
        one,
        people=one.people + other.people,
        minutes=max(one.minutes, other.minutes),
        is_chosen=one.is_chosen or other.is_chosen,
    )


def suggested(offered: Sequence[OfferedLine]) -> frozenset[uuid.UUID]:
    return frozenset(one.id for one in offered if one.is_chosen and not one.is_own)


def _refusal_of(campus: Campus, by: Actor, roles: frozenset[Role]) -> EligibilityResult | None:
    """An API token's permission was checked when it made the request."""
    if campus.suspended_at is not None:
        return SUSPENDED
    return NO_LONGER_MAY if by.person_id is not None and not may(roles, Permission.AWARD) else None
