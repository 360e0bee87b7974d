"""Awarding: judged line by line, signed, kept once; withdrawn, opened and closed."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.credentials.errors import CredentialError
from app.credentials.issuing import SignedCredential, issue
from app.credentials.json_text import parse_json
from app.credentials.model import Achievement
from app.db.activities import ActivityStore
from app.db.awards import AwardRecord, AwardStore
from app.db.badges import BadgeStore
from app.db.campus import CampusStore
from app.db.history import HistoryStore
from app.db.people import PeopleStore
from app.domain.activities import Activity, Participation
from app.domain.addresses import Addresses
from app.domain.awards import (
    Award,
    AwardBatch,
    BatchLine,
    Judgement,
    LineOutcome,
    SignedDocument,
    Visibility,
    check_evidence_text,
    check_same_request,
    judge,
    new_award,
    revoke,
)
from app.domain.badges import Badge, BadgeVersion, check_open
from app.domain.campus import Campus
from app.domain.clock import Clock
from app.domain.history import Actor
from app.domain.open_badges import credential_of, profile_of
from app.domain.participant_lists import ListedPerson, tidy, without_repeats
from app.domain.people import Person, name_key
from app.errors import NotFound, Unavailable
from app.language import N_
from app.services.activities import ActivityService, fault_of
from app.services.badges import BadgeService
from app.services.signing import CampusSigners, Signing
from app.services.status import Places, StatusService

__all__ = ["AwardRecord", "AwardRequest", "AwardService", "BatchResult", "JudgedLine", "Preview"]


@dataclass(frozen=True)
class AwardRequest:
    """A badge for people: those recorded in the activity, those of a list, or both."""

    badge_id: uuid.UUID
    activity_id: uuid.UUID | None = None
    everybody: bool = False
    """All who are recorded in the activity."""
    participation_ids: tuple[uuid.UUID, ...] = ()
    lines: tuple[ListedPerson, ...] = ()
    evidence: str = ""
    idempotency_key: str | None = None

    def digest(self) -> str:
        """What an idempotency key stands for; the key itself is no part of it."""
        said = (
            self.badge_id,
            self.activity_id,
            self.everybody,
            self.participation_ids,
            self.lines,
            self.evidence,
        )
        return hashlib.sha256(repr(said).encode()).hexdigest()


@dataclass(frozen=True)
class JudgedLine:
    """One person of a request and what the rules say; `person` is None until somebody is recorded."""

    line: ListedPerson
    judgement: Judgement
    participation: Participation | None = None
    person: Person | None = None
    held: Award | None = None


@dataclass(frozen=True)
class Preview:
    campus: Campus
    badge: Badge
    version: BadgeVersion
    activity: Activity | None
    lines: Sequence[JudgedLine]

    def with_outcome(self, *outcomes: LineOutcome) -> list[JudgedLine]:
        return [line for line in self.lines if line.judgement.outcome in outcomes]

    @property
    def ready(self) -> list[JudgedLine]:
        return self.with_outcome(LineOutcome.READY)


@dataclass(frozen=True)
class BatchResult:
    batch: AwardBatch
    lines: Sequence[BatchLine]
    badge: Badge
    version: BadgeVersion
    activity: Activity | None
    generations: dict[uuid.UUID, int] = field(default_factory=dict)

    def with_outcome(self, *outcomes: LineOutcome) -> list[BatchLine]:
        return [line for line in self.lines if line.outcome in outcomes]

    @property
    def refused(self) -> list[BatchLine]:
        return [line for line in self.lines if line.outcome.is_refused]


class AwardService:
    def __init__(
        self,
        campuses: CampusStore,
        people: PeopleStore,
        badges: BadgeStore,
        activities: ActivityStore,
        awards: AwardStore,
        history: HistoryStore,
        activity_service: ActivityService,
        badge_service: BadgeService,
        status: StatusService,
        signing: Signing,
        addresses: Addresses,
        clock: Clock,
    ) -> None:
        self.campuses = campuses
        self.people = people
        self.badges = badges
        self.activities = activities
        self.awards = awards
        self.history = history
        self.activity_service = activity_service
        self.badge_service = badge_service
        self.status = status
        self.signing = signing
        self.addresses = addresses
        self.clock = clock

    def preview(self, campus: Campus, request: AwardRequest, *, by: Actor) -> Preview:
        """What `award` would do now; nothing is written."""
        badge, version, activity = self._load(campus, request)
        recorded = self._recorded(request, activity)
        kept, repeated = self._listed(request, recorded)
        known = self._known(kept, activity)
        people = [person.id for _, _, person in recorded] + [person.id for _, person in known.values()]
        held = self.awards.held(badge, people, activity.id if activity else None)
        judged = [
            self._judged(version, line, participation, person, held, request, activity, by)
            for line, participation, person in recorded
        ]
        for line in kept:
            participation, person = known.get(line.line_key, (None, None))
            judged.append(self._judged(version, line, participation, person, held, request, activity, by))
        judged.extend(_repeated(line) for line in repeated)
        return Preview(campus, badge, version, activity, judged)

    def award(self, campus: Campus, request: AwardRequest, *, by: Actor) -> BatchResult:
        """Give the badge to every line that is ready; say of each other line why not. Safe to repeat."""
        self.campuses.lock(campus.id)
        before = self._answered_before(campus, request)
        if before is not None:
            return before
        badge, version, activity = self._load(campus, request)
        recorded = self._recorded(request, activity)
        kept, repeated = self._listed(request, recorded)
        recorded += self._record(kept, activity, by)
        refused = [line for line in kept if fault_of(line)]
        held = self.awards.held(badge, [p.id for _, _, p in recorded], activity.id if activity else None)
        judged = [
            self._judged(version, line, participation, person, held, request, activity, by)
            for line, participation, person in recorded
        ]
        judged += [self._judged(version, line, None, None, held, request, activity, by) for line in refused]
        judged += [_repeated(line) for line in repeated]
        awards = self._sign_and_keep(campus, badge, version, activity, judged, request, by)
        return self._keep_batch(campus, request, badge, version, activity, judged, awards, by)

    # --- deciding

    def _load(self, campus: Campus, request: AwardRequest) -> tuple[Badge, BadgeVersion, Activity | None]:
        check_evidence_text(request.evidence)
        badge = self.badges.get(request.badge_id)
        if badge.campus_id != campus.id:
            raise NotFound(N_("Ce badge n’existe pas ici."))
        check_open(badge)
        activity = (
            self.activities.get_in_campus(request.activity_id, campus.id) if request.activity_id else None
        )
        return badge, self.badges.current_version(badge.id), activity

    def _recorded(
        self, request: AwardRequest, activity: Activity | None
    ) -> list[tuple[ListedPerson, Participation | None, Person]]:
        if activity is None or not (request.everybody or request.participation_ids):
            return []
        wanted = set(request.participation_ids)
        there = [
            (participation, person)
            for participation, person in self.activities.participants(activity.id)
            if request.everybody or participation.id in wanted
        ]
        addresses = self.people.addresses_of(person.id for _, person in there)
        return [
            (_line_of(participation, person, addresses.get(person.id, "")), participation, person)
            for participation, person in there
        ]

    def _listed(
        self, request: AwardRequest, recorded: Sequence[tuple[ListedPerson, Participation | None, Person]]
    ) -> tuple[list[ListedPerson], list[ListedPerson]]:
        """The lines of the list that say somebody new, and those that repeat a line or somebody recorded."""
        kept, repeated = without_repeats([tidy(line) for line in request.lines])
        there = {participation.line_key for _, participation, _ in recorded if participation}
        return (
            [line for line in kept if line.line_key not in there],
            repeated + [line for line in kept if line.line_key in there],
        )

    def _known(
        self, lines: Sequence[ListedPerson], activity: Activity | None
    ) -> dict[str, tuple[Participation | None, Person]]:
        """Who among the lines of a list we know already."""
        there = (
            {p.line_key: (p, person) for p, person in self.activities.participants(activity.id)}
            if activity
            else {}
        )
        named = self.people.list_named_at(
            (line.address, name_key(line.given_name, line.family_name)) for line in lines if line.address
        )
        known: dict[str, tuple[Participation | None, Person]] = {}
        for line in lines:
            person = named.get((line.address, name_key(line.given_name, line.family_name)))
            if line.line_key in there:
                known[line.line_key] = there[line.line_key]
            elif person is not None:
                known[line.line_key] = (None, person)
        return known

    def _record(
        self, lines: Sequence[ListedPerson], activity: Activity | None, by: Actor
    ) -> list[tuple[ListedPerson, Participation | None, Person]]:
        good = [line for line in lines if fault_of(line) is None]
        if activity is not None:
            self.activities.lock(activity.id)
            kept = self.activity_service.keep(activity, good, by=by)
            return [(line, *kept[line.line_key]) for line in good]
        at = self.clock()
        return [
            (
                line,
                None,
                self.people.get_or_add(
                    Person(given_name=line.given_name, family_name=line.family_name, created_at=at),
                    line.address,
                ),
            )
            for line in good
        ]

    def _judged(
        self,
        version: BadgeVersion,
        line: ListedPerson,
        participation: Participation | None,
        person: Person | None,
        held: dict[uuid.UUID, Award],
        request: AwardRequest,
        activity: Activity | None,
        by: Actor,
    ) -> JudgedLine:
        fault = fault_of(line)
        if fault is not None:
            return JudgedLine(line, Judgement(fault.outcome, fault.sentence))
        if activity is None and not line.address:
            return JudgedLine(
                line,
                Judgement(
                    LineOutcome.INVALID_ADDRESS, N_("Sans activité, il faut une adresse électronique.")
                ),
            )
        someone = person or Person(
            given_name=line.given_name, family_name=line.family_name, created_at=self.clock()
        )
        judgement = judge(
            version,
            person=someone,
            giver_id=by.person_id,
            activity=activity,
            participation=participation or _would_be(line, activity, someone, self.clock()),
            evidence=request.evidence,
            held=held.get(someone.id),
        )
        return JudgedLine(line, judgement, participation, person, held.get(someone.id))

    # --- signing and keeping

    def _sign_and_keep(
        self,
        campus: Campus,
        badge: Badge,
        version: BadgeVersion,
        activity: Activity | None,
        judged: Sequence[JudgedLine],
        request: AwardRequest,
        by: Actor,
    ) -> dict[int, Award]:
        """The awards by position of their line."""
        ready = [(position, line) for position, line in enumerate(judged) if line.judgement.is_ready]
        if not ready:
            return {}
        at = self.clock()
        self.badge_service.freeze(campus, badge, version)
        awards = [
            new_award(
                badge,
                version,
                person=_known_person(line),
                activity=activity,
                participation=line.participation,
                evidence=request.evidence,
                show_name=campus.names_in_credentials and _known_person(line).allows_name,
                giver_id=by.person_id,
                at=at,
            )
            for _, line in ready
        ]
        places = self.status.reserve(campus, awards, at=at)
        documents = self._sign(campus, version, activity, awards, places, self.signing.signers_of(campus))
        self.awards.add_all(awards, documents)
        self.status.keep(places)
        for award in awards:
            self.history.write(
                by, "award", "award", award.id, at=at, campus_id=campus.id, version=str(version.id)
            )
        return {position: award for (position, _), award in zip(ready, awards, strict=True)}

    def _sign(
        self,
        campus: Campus,
        version: BadgeVersion,
        activity: Activity | None,
        awards: Sequence[Award],
        places: Places,
        signers: CampusSigners,
    ) -> list[SignedDocument]:
        achievement = _achievement_in(version)
        issuer = profile_of(campus, self.addresses)
        documents = []
        for award in awards:
            credential = credential_of(
                award,
                achievement=achievement,
                issuer=issuer,
                campus=campus,
                version=version,
                activity=activity,
                status=places.entry_of(award.id),
                addresses=self.addresses,
            )
            try:
                signed = issue(
                    credential, signer=signers.embedded, jwt_signer=signers.jwt, at=award.awarded_at
                )
            except CredentialError as error:
                raise Unavailable(
                    N_("Le badge n’a pas pu être signé. Votre liste est gardée. Réessayez dans une minute.")
                ) from error
            documents.append(_document_of(award, signed))
        return documents

    def _keep_batch(
        self,
        campus: Campus,
        request: AwardRequest,
        badge: Badge,
        version: BadgeVersion,
        activity: Activity | None,
        judged: Sequence[JudgedLine],
        awards: dict[int, Award],
        by: Actor,
    ) -> BatchResult:
        batch = AwardBatch(
            campus_id=campus.id,
            activity_id=activity.id if activity else None,
            version_id=version.id,
            requested_by=by.person_id,
            requested_at=self.clock(),
            idempotency_key=request.idempotency_key,
            request_digest=request.digest(),
        )
        lines = [
            _batch_line(batch, position, line, awards.get(position)) for position, line in enumerate(judged)
        ]
        self.awards.add_batch(batch, lines)
        return BatchResult(
            batch, lines, badge, version, activity, dict.fromkeys((a.id for a in awards.values()), 0)
        )

    def _answered_before(self, campus: Campus, request: AwardRequest) -> BatchResult | None:
        if request.idempotency_key is None:
            return None
        batch = self.awards.find_batch_by_key(campus.id, request.idempotency_key)
        if batch is None:
            return None
        check_same_request(batch, request.digest())
        return self.batch(campus, batch.id)

    # --- afterwards

    def batch(self, campus: Campus, batch_id: uuid.UUID) -> BatchResult:
        batch = self.awards.get_batch(batch_id, campus.id)
        version = self.badges.get_version_by_id(batch.version_id)
        lines = self.awards.lines_of(batch.id)
        generations = self.awards.generations_of([line.award_id for line in lines if line.award_id])
        activity = self.activities.find(batch.activity_id) if batch.activity_id else None
        return BatchResult(batch, lines, self.badges.get(version.badge_id), version, activity, generations)

    def get(self, campus: Campus, award_id: uuid.UUID) -> AwardRecord:
        return self.awards.get_record_in_campus(award_id, campus.id)

    def list_in(
        self,
        campus: Campus,
        *,
        before: tuple[datetime, uuid.UUID] | None = None,
        badge_id: uuid.UUID | None = None,
        activity_id: uuid.UUID | None = None,
        limit: int = 50,
    ) -> list[AwardRecord]:
        return self.awards.list_in_campus(
            campus.id, before=before, badge_id=badge_id, activity_id=activity_id, limit=limit
        )

    def revoke(self, campus: Campus, award_id: uuid.UUID, reason: str, *, by: Actor) -> AwardRecord:
        """Withdraw an award for good; the status list that the world reads says so at once."""
        record = self.awards.get_record_in_campus(award_id, campus.id)
        at = self.clock()
        award = self.awards.lock(award_id)
        revoke(award, reason, at=at)
        self.awards.save(award)
        self.status.raise_for(campus, award, at=at)
        self.history.write(by, "revoke", "award", award.id, at=at, campus_id=campus.id)
        return record

    def set_visibility(self, award_id: uuid.UUID, visibility: Visibility, *, by: Actor) -> AwardRecord:
        """The holder opens the award's page to the world, or shuts it again."""
        record = self.awards.get_record(award_id)
        award = self.awards.lock(award_id)
        if award.visibility is not visibility:
            award.visibility = visibility
            self.awards.save(award)
            deed = "open" if visibility is Visibility.OPEN else "close"
            self.history.write(by, deed, "award", award.id, at=self.clock(), campus_id=award.campus_id)
        return record

    def record(self, award_id: uuid.UUID) -> AwardRecord:
        """Any award, for its holder or for public pages, which look at its visibility themselves."""
        return self.awards.get_record(award_id)


def _line_of(participation: Participation, person: Person, address: str) -> ListedPerson:
    return ListedPerson(
        line=0,
        given_name=person.given_name,
        family_name=person.family_name,
        address=address,
        hours=participation.hours,
        part=participation.part,
        contribution=participation.contribution,
    )


def _would_be(
    line: ListedPerson, activity: Activity | None, person: Person, at: datetime
) -> Participation | None:
    """The participation that recording the line would make, for judging it beforehand."""
    if activity is None:
        return None
    return Participation(
        activity_id=activity.id,
        person_id=person.id,
        line_key=line.line_key,
        part=line.part,
        hours=line.hours,
        contribution=line.contribution,
        recorded_at=at,
    )


def _repeated(line: ListedPerson) -> JudgedLine:
    return JudgedLine(
        line, Judgement(LineOutcome.REPEATED_LINE, N_("Cette personne est déjà plus haut dans la liste."))
    )


def _known_person(line: JudgedLine) -> Person:
    assert line.person is not None, "a line that is ready has its person"
    return line.person


def _achievement_in(version: BadgeVersion) -> Achievement:
    """The achievement exactly as the frozen definition says it."""
    definition = parse_json(version.definition)
    assert isinstance(definition, dict)
    return Achievement.from_document(
        {name: value for name, value in definition.items() if name != "@context"}
    )


def _document_of(award: Award, signed: SignedCredential) -> SignedDocument:
    return SignedDocument(
        award_id=award.id,
        embedded=signed.embedded,
        token=signed.token,
        embedded_digest=hashlib.sha256(signed.embedded).hexdigest(),
        token_digest=hashlib.sha256(signed.token.encode()).hexdigest(),
        signed_at=award.awarded_at,
    )


def _batch_line(batch: AwardBatch, position: int, judged: JudgedLine, award: Award | None) -> BatchLine:
    line = judged.line
    return BatchLine(
        batch_id=batch.id,
        position=position,
        outcome=LineOutcome.AWARDED if award else judged.judgement.outcome,
        reason=judged.judgement.sentence,
        reason_values=judged.judgement.values or {},
        given_name=line.given_name[:400],
        family_name=line.family_name[:400],
        address=line.address[:400],
        told={"hours": line.hours, "part": line.part.value, "contribution": line.contribution},
        award_id=award.id if award else (judged.held.id if judged.held else None),
    )
