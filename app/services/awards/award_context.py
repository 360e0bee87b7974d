"""An award request (badge, people, evidence) and the eligibility of each line."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from app.db.activities import ActivityStore
from app.domain.activities import Activity, Participation, adds_to, complete
from app.domain.activities.listed_people import ListedPerson
from app.domain.activity_log import participation_facts
from app.domain.awards import Award, EligibilityResult, LineOutcome, new_award
from app.domain.awards.batches import AwardBatch, BatchLine, line_facts
from app.domain.awards.open_badges import Disclosed, bounds_for
from app.domain.awards.skills import NO_PRACTICE, Practice
from app.domain.badges import Badge, BadgeVersion
from app.domain.badges.rules import CountedLine, Progress, Rule, counted_line, grounds_words, rule_of
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import new_row
from app.domain.people import Person, Role, are_spellings, mailbox_key, name_key, note_age_band, suppose_pupil
from app.domain.people.consents import SEVERAL_OF_NAME, is_minor_for
from app.language import N_, speaking
from app.services.activities.line_faults import LineFault, fault_of
from app.services.awards.rule_ledger import Lines, RuleLedger


@dataclass(frozen=True)
class AwardRequest:
    """A badge for people: those recorded in the activity, those of a list, or both."""

    badge_id: uuid.UUID
    activity_id: uuid.UUID | None = None
    everybody: bool = False
    """All participants recorded in the activity."""
    participation_ids: tuple[uuid.UUID, ...] = ()
    lines: tuple[ListedPerson, ...] = ()
    person_ids: tuple[uuid.UUID, ...] = ()
    """People with entries in the campus's log; only those who meet the badge's rule are awarded."""
    grounds: tuple[uuid.UUID, ...] | None = None
    """Activities and log entries that the issuer chose; None: the badge decides."""
    evidence: str = ""
    idempotency_key: str | None = None
    tells: bool = True
    """Whether recipients get an e-mail."""
    by_review: bool = False
    """Decided by the reviewers of a request; their own award permissions are not checked."""

    @property
    def means_everybody(self) -> bool:
        """All participants of the activity, and no one else."""
        return self.everybody and not (self.participation_ids or self.lines)

    def digest(self) -> str:
        """Digest of the request for idempotency checks; excludes the idempotency key."""
        said: tuple[object, ...] = (
            self.badge_id,
            self.activity_id,
            self.everybody,
            self.participation_ids,
            self.lines,
            self.evidence,
        )
        if self.person_ids or self.grounds is not None:
            said += (self.person_ids, self.grounds)
        if any(line.award_external_id for line in self.lines):
            said += (tuple(line.award_external_id for line in self.lines),)
        return hashlib.sha256(repr(said).encode()).hexdigest()


@dataclass(frozen=True)
class CheckedLine:
    """One person of a request and their eligibility; `person` is None until recorded."""

    line: ListedPerson
    eligibility: EligibilityResult
    participation: Participation | None = None
    person: Person | None = None
    held: Award | None = None
    rests_on: Sequence[CountedLine] | None = None
    """Log entries, in addition to the written assessment; None: only the participation in the activity."""
    progress: Progress | None = None


@dataclass(frozen=True)
class Preview:
    campus: Campus
    badge: Badge
    version: BadgeVersion
    activity: Activity | None
    lines: Sequence[CheckedLine]
    disclosed: Disclosed
    """What the documents of `sample` would initially disclose."""
    sample: Award | None = None
    """One award that would be issued; neither signed nor stored."""
    practice: Practice = NO_PRACTICE
    """What its documents would contain about the activity."""
    withdrawn: Mapping[uuid.UUID, Award] = field(default_factory=dict)
    """By person: the award of this badge that was withdrawn from them."""
    content: str = ""
    """As `BadgeService.content_mark`."""

    def with_outcome(self, *outcomes: LineOutcome) -> list[CheckedLine]:
        return [line for line in self.lines if line.eligibility.outcome in outcomes]

    @property
    def ready(self) -> list[CheckedLine]:
        return self.with_outcome(LineOutcome.READY)


Recipient = tuple[ListedPerson, Participation | None, Person]
"""A line with its recorded person."""
MatchedRecipient = tuple[ListedPerson, Participation | None, Person | None]
"""A line with its person, if known."""
GivenBefore = Callable[[Sequence[uuid.UUID]], set[uuid.UUID]]
"""Returns those of these people who already got the badge from the same batch."""

NO_LONGER_OPEN = EligibilityResult(
    LineOutcome.NOT_ALLOWED, N_("Ce badge a été archivé entre-temps : il n’est plus attribué.")
)
SAMPLE = EligibilityResult(
    LineOutcome.NOT_ALLOWED,
    N_("C’est un exemple : rien n’est signé. Créez votre activité pour attribuer un badge."),
)
SUSPENDED = EligibilityResult(
    LineOutcome.NOT_ALLOWED, N_("Ce campus a été suspendu entre-temps : il n’attribue plus de badge.")
)
NO_LONGER_ORGANISED = EligibilityResult(
    LineOutcome.NOT_ALLOWED, N_("Votre campus n’organise plus cette activité.")
)
NO_LONGER_OPENED = EligibilityResult(
    LineOutcome.NOT_ALLOWED, N_("Ce badge n’est plus ouvert à la personne qui l’a demandé.")
)
NO_LONGER_MAY = EligibilityResult(
    LineOutcome.NOT_ALLOWED, N_("La personne qui l’a demandé n’a plus le droit d’attribuer ce badge.")
)


@dataclass(frozen=True)
class GiverRecords:
    """All records of the issuing person, and the mailboxes that they verified."""

    records: frozenset[uuid.UUID] = frozenset()
    mailboxes: frozenset[str] = frozenset()


NO_GIVER = GiverRecords()


@dataclass(frozen=True)
class AwardContext:
    """Badge, evidence and issuer of an award; `refusal`: why it cannot be awarded any more."""

    campus: Campus
    badge: Badge
    version: BadgeVersion
    activity: Activity | None
    evidence: str
    by: Actor
    giver: Person | None
    refusal: EligibilityResult | None = None
    grounds: frozenset[uuid.UUID] | None = None
    giver_is: GiverRecords = NO_GIVER
    batch_id: uuid.UUID | None = None
    giver_roles: frozenset[Role] = frozenset()

    @cached_property
    def rule(self) -> Rule | None:
        return rule_of(self.version.rule)

    @property
    def asks_the_log(self) -> bool:
        """Whether log entries count beyond the participation in the activity."""
        return self.rule is not None or self.grounds is not None

    def is_giver_by_name(self, line: ListedPerson) -> bool:
        """A line with only a name always creates a new person; only an address separates a namesake (T02)."""
        giver = self.giver
        return (
            giver is not None
            and not line.address
            and name_key(line.given_name, line.family_name) == name_key(giver.given_name, giver.family_name)
        )

    def is_giver(self, line: ListedPerson, person: Person | None) -> bool:
        """Also true for the issuer's other records, or another name at a mailbox that they verified."""
        is_record = person is not None and person.id in self.giver_is.records
        return is_record or (bool(line.address) and mailbox_key(line.address) in self.giver_is.mailboxes)

    def fault_of(self, line: ListedPerson, *, known: bool = False) -> LineFault | None:
        """`known`: the batch itself identifies the person."""
        return fault_of(line, needs_address=self.activity is None and not known)


def name_known_to_campus(person: Person, line: ListedPerson, known: Sequence[str]) -> str:
    """The name for a new badge. `known`: names that the campus wrote or accepted for the person, the latest first.

    A person may have renamed themselves, or by another campus: this one signs a name that it has not accepted
    only if it writes it.
    """
    written = "" if line.is_chosen or line.person_id else f"{line.given_name} {line.family_name}".strip()
    if are_spellings(written, person.name) or any(are_spellings(each, person.name) for each in known):
        return person.name
    if known:
        return next((each for each in known if are_spellings(each, written)), known[0])
    return written or person.name


def award_of(
    case: AwardContext,
    person: Person,
    participation: Participation | None,
    *,
    name: str = "",
    at: datetime,
    award_id: uuid.UUID | None = None,
    batch_id: uuid.UUID | None = None,
    rests_on: Sequence[CountedLine] | None = None,
) -> Award:
    return new_award(
        case.badge,
        case.version,
        person=person,
        activity=case.activity,
        participation=participation,
        evidence=case.evidence,
        show_name=case.campus.names_in_credentials
        and person.allows_name
        and not is_minor_for(person, case.activity),
        name=name,
        giver_id=case.by.person_id,
        at=at,
        zone=case.campus.time_zone,
        award_id=award_id,
        batch_id=batch_id,
        grounds=_grounds_text(case, rests_on),
    )


def disclosed_at_first(person: Person | None, activity: Activity | None) -> Disclosed:
    """What the documents of a new award disclose before its holder chooses."""
    is_minor = person is not None and is_minor_for(person, activity)
    return Disclosed.uniform(bounds_for(is_minor=is_minor).default)


def as_recorded(person: Person, line: ListedPerson, activity: Activity | None, at: datetime) -> Person:
    """The name and age group that recording the line would leave; read-only for known people."""
    copy = Person(
        id=person.id,
        given_name=person.given_name,
        family_name=person.family_name,
        allows_name=person.allows_name,
        under_15_on=person.under_15_on,
        age_group=person.age_group,
        created_at=person.created_at,
    )
    if activity is not None and activity.is_for_pupils:
        suppose_pupil(copy)
    if activity is not None and line.under_15 is not None:
        note_age_band(copy, line.under_15, on=at.date())
    return copy


def _grounds_text(case: AwardContext, rests_on: Sequence[CountedLine] | None) -> str:
    if not rests_on:
        return ""
    with speaking(case.version.language):
        return grounds_words(rests_on)


def line_of(participation: Participation, person: Person, address: str) -> ListedPerson:
    return replace(
        line_of_person(person, address),
        hours=participation.hours,
        part=participation.part,
        contribution=participation.contribution,
    )


def line_of_person(person: Person, address: str) -> ListedPerson:
    return ListedPerson(
        line=0,
        is_chosen=True,
        given_name=person.given_name,
        family_name=person.family_name,
        address=address,
    )


def projected_participation(
    line: ListedPerson,
    activity: Activity | None,
    participation: Participation | None,
    person: Person,
    at: datetime,
) -> Participation | None:
    """The participation as recording the line would leave it, to check eligibility beforehand."""
    if activity is None:
        return None
    if participation is not None:
        if not participation.is_present or not adds_to(
            participation, hours=line.hours, contribution=line.contribution
        ):
            return participation
        copy = Participation(**participation.model_dump())
        complete(copy, hours=line.hours, contribution=line.contribution)
        return copy
    return Participation(
        activity_id=activity.id,
        person_id=person.id,
        line_key=line.line_key,
        part=line.part,
        hours=line.hours,
        contribution=line.contribution,
        recorded_at=at,
    )


def deduplicate(
    recorded: Sequence[Recipient], listed: Sequence[MatchedRecipient]
) -> tuple[list[MatchedRecipient], list[ListedPerson]]:
    """Each person once, and the duplicate lines. For recorded people, the list's values take precedence."""
    named = {person.id for _, _, person in listed if person}
    once: list[MatchedRecipient] = [someone for someone in recorded if someone[2].id not in named]
    again: list[ListedPerson] = []
    seen: set[uuid.UUID] = set()
    for line, participation, person in listed:
        if person is not None and person.id in seen:
            again.append(line)
            continue
        once.append((line, participation, person))
        if person is not None:
            seen.add(person.id)
    return once, again


_AGAIN = N_("Cette personne est déjà plus haut dans la liste.")
_SAME_NAME = N_(
    "Ce nom est déjà plus haut, sans adresse. Si c’est une autre personne, écrivez « (2) » après son nom."
)


def repeated_line(line: ListedPerson) -> CheckedLine:
    return CheckedLine(
        line, EligibilityResult(LineOutcome.REPEATED_LINE, _AGAIN if line.address else _SAME_NAME)
    )


def unclear_line(line: ListedPerson) -> CheckedLine:
    return CheckedLine(line, EligibilityResult(LineOutcome.SEVERAL_OF_NAME, SEVERAL_OF_NAME))


@dataclass(frozen=True)
class CountedEvidence:
    """Evidence read once for all people of a batch; `activity_of` maps each entry to its activity."""

    lines: Lines = field(default_factory=dict)
    activity_of: Mapping[uuid.UUID, uuid.UUID] = field(default_factory=dict)
    practised: Sequence[uuid.UUID] = ()


NOTHING = CountedEvidence()


@dataclass(frozen=True)
class Count:
    """For one person. `rests_on` is None if only the participation in the activity counts."""

    progress: Progress | None = None
    rests_on: Sequence[CountedLine] | None = None


@dataclass(frozen=True, eq=False)
class AwardCounting:
    ledger: RuleLedger
    activities: ActivityStore

    def read(self, case: AwardContext, person_ids: Iterable[uuid.UUID]) -> CountedEvidence:
        """Reads nothing for a badge without a rule when the issuer chose no entries."""
        if not case.asks_the_log:
            return NOTHING
        lines = self.ledger.lines_of(case.campus, set(person_ids))
        activity_of = {}
        if case.grounds is not None:
            ids = [line.participation_id for some in lines.values() for line in some]
            activity_of = {one: activity.id for one, activity in self.activities.activities_of(ids).items()}
        practised = self.activities.practised_in(case.activity.id) if case.activity else ()
        return CountedEvidence(lines, activity_of, practised)

    def count(
        self,
        case: AwardContext,
        counted: CountedEvidence,
        person_id: uuid.UUID,
        participation: Participation | None,
    ) -> Count:
        """`participation` as it would be recorded: it counts before it is logged."""
        if not case.asks_the_log:
            return Count()
        lines = _with(counted, counted.lines.get(person_id, ()), case.activity, participation)
        own = participation.id if participation else None
        contributed = [line for line in lines if line.is_contribution]
        if case.grounds is not None:
            lines = [
                line
                for line in lines
                if line.is_contribution or line.participation_id == own or _is_chosen(case, counted, line)
            ]
        if case.rule is None:
            return Count(None, [line for line in lines if not line.is_contribution])
        progress = case.rule.progress(lines, today=case.campus.day_of(self.ledger.clock()))
        if case.grounds is not None:
            # An issuer chooses activities; contributions counted by the rule are added.
            left_out = {line.participation_id for line in contributed} - {
                line.participation_id for line in progress.lines
            }
            return Count(progress, [line for line in lines if line.participation_id not in left_out])
        kept = {line.participation_id for line in progress.lines} | {own}
        return Count(progress, [line for line in lines if line.participation_id in kept])


def _with(
    counted: CountedEvidence,
    lines: Sequence[CountedLine],
    activity: Activity | None,
    participation: Participation | None,
) -> list[CountedLine]:
    if activity is None or participation is None:
        return list(lines)
    others = [line for line in lines if line.participation_id != participation.id]
    own = counted_line(
        participation.id, None, participation_facts(activity, participation, counted.practised)
    )
    return [*others, own] if own else others


def _is_chosen(case: AwardContext, counted: CountedEvidence, line: CountedLine) -> bool:
    assert case.grounds is not None, "asked only where the giver chose"
    return (
        line.participation_id in case.grounds
        or counted.activity_of.get(line.participation_id) in case.grounds
    )


# --- lines of a batch


def waiting_line(batch: AwardBatch, position: int, found: MatchedRecipient) -> BatchLine:
    line, participation, person = found
    # In a list, only people chosen in the activity have no line number.
    chosen = participation if participation is not None and line.line == 0 else None
    return new_row(
        BatchLine,
        batch_id=batch.id,
        position=position,
        outcome=LineOutcome.READY,
        given_name=line.given_name[:400],
        family_name=line.family_name[:400],
        address=line.address[:400],
        told=line_facts(line),
        person_id=person.id if person else None,
        participation_id=chosen.id if chosen else None,
    )


def answered_line(batch: AwardBatch, position: int, checked: CheckedLine) -> BatchLine:
    row = waiting_line(batch, position, (checked.line, None, None))
    row.outcome = checked.eligibility.outcome
    row.reason, row.reason_values = checked.eligibility.sentence, checked.eligibility.values or {}
    return row
