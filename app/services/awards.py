"""Awarding: judged line by line, signed, kept once; withdrawn, opened and closed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from app.credentials.issuing import Batch
from app.credentials.json_text import parse_json
from app.credentials.model import Achievement
from app.db.activities import ActivityStore
from app.db.awards import AwardRecord, AwardStore
from app.db.badges import BadgeStore
from app.db.campus import CampusStore
from app.db.history import HistoryStore
from app.domain.activities import Activity
from app.domain.addresses import Addresses
from app.domain.awards import (
    Award,
    AwardBatch,
    AwardState,
    BatchLine,
    LineOutcome,
    Visibility,
    check_same_request,
    new_award,
    revoke,
)
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus import Campus
from app.domain.clock import Clock
from app.domain.columns import new_id, new_row, whole_second
from app.domain.history import Actor
from app.domain.open_badges import BadgeDocuments, profile_of
from app.services.award_documents import signed_document
from app.services.awarding import AwardRequest, JudgedLine, Judging, Preview
from app.services.badges import BadgeService
from app.services.letters import LetterService
from app.services.signing import Signing
from app.services.status import StatusService

__all__ = ["AwardRecord", "AwardRequest", "AwardService", "BatchResult", "JudgedLine", "Preview"]


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


@dataclass(frozen=True)
class GivenBadge:
    award_id: uuid.UUID
    name: str
    revoked: bool


@dataclass(frozen=True)
class Happening:
    """One entry of a history, with the name of who acted."""

    at: datetime
    deed: str
    actor: str


class AwardService:
    def __init__(
        self,
        campuses: CampusStore,
        badges: BadgeStore,
        activities: ActivityStore,
        awards: AwardStore,
        history: HistoryStore,
        judging: Judging,
        badge_service: BadgeService,
        status: StatusService,
        signing: Signing,
        letters: LetterService,
        addresses: Addresses,
        clock: Clock,
    ) -> None:
        self.campuses = campuses
        self.badges = badges
        self.activities = activities
        self.awards = awards
        self.history = history
        self.judging = judging
        self.badge_service = badge_service
        self.status = status
        self.signing = signing
        self.letters = letters
        self.addresses = addresses
        self.clock = clock

    def preview(self, campus: Campus, request: AwardRequest, *, by: Actor) -> Preview:
        """What `award` would do now; nothing is written."""
        return self.judging.preview(campus, request, by=by)

    def award(self, campus: Campus, request: AwardRequest, *, by: Actor) -> BatchResult:
        """Give the badge to every line that is ready; say of each other line why not. Safe to repeat."""
        self.campuses.lock(campus.id)  # 1. One request of a campus is decided after the other.
        before = self._answered_before(campus, request)
        if before is not None:
            return before
        decided = self.judging.decide(campus, request, by=by)  # 2. Decide, line by line.
        awards = self._sign_and_keep(decided, request, by)  # 3. Sign what is ready, and keep the bytes.
        return self._keep_batch(request, decided, awards, by)  # 4. Remember what became of every line.

    # --- signing and keeping

    def _sign_and_keep(self, decided: Preview, request: AwardRequest, by: Actor) -> dict[int, uuid.UUID]:
        """The ids of the awards by position of their line."""
        ready = [(position, line) for position, line in enumerate(decided.lines) if line.judgement.is_ready]
        if not ready:
            return {}
        at, campus = self.clock(), decided.campus
        self.badge_service.freeze(campus, decided.badge, decided.version)
        ids = [new_id() for _ in ready]
        places = self.status.reserve(campus, ids, at=at)
        documents, batch = self._documents_of(decided), self._batch_of(campus, at)
        for start in range(0, len(ready), _AT_A_TIME):
            awards = [
                _award_of(decided, line, request, by, at, award_id)
                for (_, line), award_id in zip(
                    ready[start : start + _AT_A_TIME], ids[start : start + _AT_A_TIME], strict=True
                )
            ]
            self.awards.add_all(
                awards, [signed_document(award, documents, batch, places) for award in awards]
            )
        self.status.keep(places)
        version = str(decided.version.id)
        self.history.write_all(by, "award", "award", ids, at=at, campus_id=campus.id, version=version)
        return {position: award_id for (position, _), award_id in zip(ready, ids, strict=True)}

    def _documents_of(self, decided: Preview) -> BadgeDocuments:
        return BadgeDocuments(
            achievement=_achievement_in(decided.version),
            issuer=profile_of(decided.campus, self.addresses),
            campus=decided.campus,
            version=decided.version,
            activity=decided.activity,
            addresses=self.addresses,
        )

    def _batch_of(self, campus: Campus, at: datetime) -> Batch:
        signers = self.signing.signers_of(campus)
        return Batch(signer=signers.embedded, jwt_signer=signers.jwt, at=whole_second(at))

    def _keep_batch(
        self, request: AwardRequest, decided: Preview, awards: dict[int, uuid.UUID], by: Actor
    ) -> BatchResult:
        activity = decided.activity
        batch = AwardBatch(
            campus_id=decided.campus.id,
            activity_id=activity.id if activity else None,
            version_id=decided.version.id,
            requested_by=by.person_id,
            requested_at=self.clock(),
            idempotency_key=request.idempotency_key,
            request_digest=request.digest(),
        )
        lines = [
            _batch_line(batch, position, line, awards.get(position))
            for position, line in enumerate(decided.lines)
        ]
        self.awards.add_batch(batch, lines)
        generations = dict.fromkeys(awards.values(), 0)
        return BatchResult(batch, lines, decided.badge, decided.version, activity, generations)

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

    def history_of(self, campus: Campus, award_id: uuid.UUID) -> list[Happening]:
        self.awards.get_record_in_campus(award_id, campus.id)
        return [
            Happening(entry.at, entry.deed, person.name if person else entry.actor_label)
            for entry, person in self.history.list_of("award", award_id)
        ]

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

    def given_in(self, campus: Campus, activity_id: uuid.UUID) -> dict[uuid.UUID, list[GivenBadge]]:
        """The badges that the campus gave for an activity, by person."""
        given: dict[uuid.UUID, list[GivenBadge]] = {}
        for award, version in self.awards.given_in(activity_id, campus.id):
            badge = GivenBadge(award.id, version.name, award.state is AwardState.REVOKED)
            given.setdefault(award.person_id, []).append(badge)
        return given

    def revoke(self, campus: Campus, award_id: uuid.UUID, reason: str, *, by: Actor) -> AwardRecord:
        """Withdraw an award for good; the status list that the world reads says so at once."""
        record = self.awards.get_record_in_campus(award_id, campus.id)
        at = self.clock()
        award = self.awards.lock(award_id)
        revoke(award, reason, at=at)
        self.awards.save(award)
        self.status.raise_for(campus, award, at=at)
        self.letters.tell_of_withdrawal([award])
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

    def example(self) -> uuid.UUID | None:
        """An open award worth looking at, for a house whose people are invented."""
        award = self.awards.find_open(at=self.clock())
        return award.id if award else None

    def record(self, award_id: uuid.UUID) -> AwardRecord:
        """Any award, for its holder or for public pages, which look at its visibility themselves."""
        return self.awards.get_record(award_id)


_AT_A_TIME = 500  # awards of one request whose bytes are in memory together


def _award_of(
    decided: Preview, line: JudgedLine, request: AwardRequest, by: Actor, at: datetime, award_id: uuid.UUID
) -> Award:
    assert line.person is not None, "a line that is ready has its person"
    return new_award(
        decided.badge,
        decided.version,
        person=line.person,
        activity=decided.activity,
        participation=line.participation,
        evidence=request.evidence,
        show_name=decided.campus.names_in_credentials and line.person.allows_name,
        giver_id=by.person_id,
        at=at,
        award_id=award_id,
    )


def _achievement_in(version: BadgeVersion) -> Achievement:
    """The achievement exactly as the frozen definition says it."""
    definition = parse_json(version.definition)
    assert isinstance(definition, dict)
    return Achievement.from_document(
        {name: value for name, value in definition.items() if name != "@context"}
    )


def _batch_line(
    batch: AwardBatch, position: int, judged: JudgedLine, award_id: uuid.UUID | None
) -> BatchLine:
    line = judged.line
    return new_row(
        BatchLine,
        batch_id=batch.id,
        position=position,
        outcome=LineOutcome.AWARDED if award_id else judged.judgement.outcome,
        reason=judged.judgement.sentence,
        reason_values=judged.judgement.values or {},
        given_name=line.given_name[:400],
        family_name=line.family_name[:400],
        address=line.address[:400],
        told={
            "hours": line.hours if line.hours is not None else line.hours_as_written or None,
            "part": line.part.value,
            "contribution": line.contribution,
        },
        award_id=award_id or (judged.held.id if judged.held else None),
    )
