"""Log the decision and evidence of an award, with proofs, before signing the credential."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from app.db.activities import FileStore
from app.db.awards import AwardEvidenceStore
from app.db.learners import ContributionStore
from app.domain.activities.files import FileNoun
from app.domain.activity_log import ARTEFACT, CONTRIBUTION, link_id
from app.domain.awards import Award
from app.domain.awards.open_badges import AwardEvidence
from app.domain.campus.campus import Campus
from app.domain.core import new_row
from app.domain.learners.portfolios import counts_for
from app.domain.publishing import Addresses
from app.services.activity_log import ActivityLog, LoggedEvents
from app.services.activity_log.evidence import Decision, EvidenceDocuments
from app.services.awards.award_context import AwardContext, CheckedLine
from sceau_credentials.evidence.documents import MEDIA_TYPE, digest_of
from sceau_credentials.keys import VerificationKey
from sceau_credentials.values import JsonObject


@dataclass(frozen=True, eq=False)
class ContributedLines:
    contributions: ContributionStore
    files: FileStore
    log: ActivityLog

    def of_awards(
        self,
        campus: Campus,
        badge_id: uuid.UUID,
        activity_id: uuid.UUID | None,
        awards: Sequence[Award],
        by_rule: Collection[uuid.UUID] = (),
    ) -> dict[uuid.UUID, list[int]]:
        """By person, in log order; `by_rule`: participations counted by the badge's rule."""
        counted = [
            each
            for each in self.contributions.confirmed(campus.id, [award.person_id for award in awards])
            if each.id in by_rule or counts_for(each, activity_id=activity_id, badge_id=badge_id)
        ]
        if not counted:
            return {}
        owner = {each.id: each.person_id for each in counted}
        pieces = {link_id(each, link): each.person_id for each in counted for link in each.links}
        for file in self.files.of_many(FileNoun.CONTRIBUTION, list(owner)):
            pieces[file.id] = owner[file.noun_id]
        store, log = self.log.store, self.log.open(campus)
        found: dict[uuid.UUID, list[int]] = {}
        for noun, owners in ((CONTRIBUTION, owner), (ARTEFACT, pieces)):
            for noun_id, number in store.newest_about(log.id, noun, owners).items():
                found.setdefault(owners[noun_id], []).append(number)
        return {person_id: sorted(numbers) for person_id, numbers in found.items()}


@dataclass(frozen=True)
class Grounded:
    """A credential that references its evidence by digest, with the position of that evidence in the log."""

    document: JsonObject
    row: AwardEvidence


@dataclass(frozen=True, eq=False)
class AwardEvidenceService:
    logged_events: LoggedEvents
    evidence: EvidenceDocuments
    store: AwardEvidenceStore
    addresses: Addresses
    contributed: ContributedLines

    def decide(
        self,
        case: AwardContext,
        awards: Sequence[Award],
        documents: Mapping[uuid.UUID, JsonObject],
        ready: Sequence[CheckedLine],
        signing_key: VerificationKey,
    ) -> dict[uuid.UUID, Grounded]:
        """Log each award of the `ready` lines with the entries it depends on, under one signed checkpoint.

        Awards cannot be backdated.
        """
        if not awards:
            return {}
        entries = self._with_contributions(case, awards, self._entries(case, awards, ready), ready)
        decisions = self.logged_events.log_award(
            case.campus,
            [(award, documents[award.id], entries[award.id]) for award in awards],
            signing_key,
        )
        checkpoint = self.logged_events.log.checkpoint(case.campus)
        written = self.evidence.written(
            checkpoint,
            [
                Decision(award.id, decision.number, decision.leaf, decision.opening, entries[award.id])
                for award, decision in zip(awards, decisions, strict=True)
            ],
        )
        return {
            award.id: self._grounded(
                award,
                documents[award.id],
                encoded,
                checkpoint.log_id,
                checkpoint.size,
                decision.number,
                entries[award.id],
            )
            for award, decision, encoded in zip(awards, decisions, written, strict=True)
        }

    def decide_again(
        self, campus: Campus, award: Award, document: JsonObject, signing_key: VerificationKey
    ) -> Grounded | None:
        """Log the decision for another edition, with the same entries; None if the first edition had none."""
        before = self.store.find(award.id)
        if before is None:
            return None
        log = self.logged_events.log.open(campus)
        entries = list(before.entries) if before.log_id == log.id else []
        [decided] = self.logged_events.log_award(campus, [(award, document, entries)], signing_key)
        checkpoint = self.logged_events.log.checkpoint(campus)
        decision = Decision(award.id, decided.number, decided.leaf, decided.opening, entries)
        [encoded] = self.evidence.written(checkpoint, [decision])
        return self._grounded(
            award, document, encoded, checkpoint.log_id, checkpoint.size, decided.number, entries
        )

    def keep(self, rows: Sequence[AwardEvidence]) -> None:
        self.store.add_all(rows)

    def _entries(
        self, case: AwardContext, awards: Sequence[Award], ready: Sequence[CheckedLine]
    ) -> dict[uuid.UUID, list[int]]:
        """The holder's counted log entries, or their participation in the activity; and their assessment."""
        there = [line.participation for line in ready if line.participation]
        known = (
            self.logged_events.entries_of(case.campus, case.activity, there)
            if case.activity and there
            else {}
        )
        taken = {each.person_id: [known[each.id]] for each in there} | self._counted(case, ready)
        assessed = self.logged_events.assessed(case.campus, awards, case.version)
        said = {award.id: [assessed[award.id]] if award.id in assessed else [] for award in awards}
        return {award.id: [*taken.get(award.person_id, ()), *said[award.id]] for award in awards}

    def _counted(self, case: AwardContext, ready: Sequence[CheckedLine]) -> dict[uuid.UUID, list[int]]:
        """By person, if more than the activity counts."""
        wanted = {
            line.person.id: [each.participation_id for each in line.rests_on if not each.is_contribution]
            for line in ready
            if line.person and line.rests_on is not None
        }
        if not wanted:
            return {}
        numbers = self.logged_events.numbers_of(
            case.campus, {one for some in wanted.values() for one in some}
        )
        return {
            person: sorted(numbers[one] for one in some if one in numbers) for person, some in wanted.items()
        }

    def _with_contributions(
        self,
        case: AwardContext,
        awards: Sequence[Award],
        entries: Mapping[uuid.UUID, Sequence[int]],
        ready: Sequence[CheckedLine],
    ) -> dict[uuid.UUID, list[int]]:
        activity_id = case.activity.id if case.activity else None
        counted = {
            each.participation_id for line in ready for each in line.rests_on or () if each.is_contribution
        }
        added = self.contributed.of_awards(case.campus, case.badge.id, activity_id, awards, counted)
        return {award.id: sorted({*entries[award.id], *added.get(award.person_id, ())}) for award in awards}

    def _grounded(
        self,
        award: Award,
        document: JsonObject,
        encoded: bytes,
        log_id: uuid.UUID,
        size: int,
        decision: int,
        entries: list[int],
    ) -> Grounded:
        digest = digest_of(encoded)
        resource: JsonObject = {
            "id": self.addresses.evidence(award.id),
            "mediaType": MEDIA_TYPE,
            "digestMultibase": digest,
        }
        row = new_row(
            AwardEvidence,
            award_id=award.id,
            log_id=log_id,
            size=size,
            decision=decision,
            entries=entries,
            digest=digest,
        )
        return Grounded({**document, "relatedResource": [resource]}, row)
