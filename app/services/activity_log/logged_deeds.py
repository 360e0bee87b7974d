"""Each deed that counts, said in the activity log in the transaction that does it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from app.db.activities.activities import ActivityStore
from app.db.activity_log.disputes import LogDisputeStore
from app.db.campus.campus import CampusStore
from app.domain.activities.activities import Activity, Participation
from app.domain.activity_log.activity_log import Written
from app.domain.activity_log.facts import (
    PARTICIPATION,
    assessment_fact,
    award_fact,
    correction_fact,
    definition_fact,
    erasure_fact,
    key_fact,
    participation_fact,
    revocation_fact,
    told_of,
)
from app.domain.activity_log.recovery import BADGES, KEYS, VERSIONS
from app.domain.awards.awards import Award
from app.domain.badges.badges import Badge, BadgeVersion
from app.domain.campus.campus import Campus
from app.domain.campus.keys import SealedKey
from app.domain.publishing.addresses import Addresses
from app.services.activity_log.activity_log import ActivityLog
from sceau_credentials.keys import VerificationKey
from sceau_credentials.values.json_text import JsonObject


class LoggedDeeds:
    def __init__(
        self,
        log: ActivityLog,
        activities: ActivityStore,
        campuses: CampusStore,
        disputes: LogDisputeStore,
        addresses: Addresses,
    ) -> None:
        self.log = log
        self.activities = activities
        self.campuses = campuses
        self.disputes = disputes
        self.addresses = addresses

    def noted(self, activity: Activity, participations: Sequence[Participation], reason: str) -> None:
        """Participations as they are from now on: new to a log, or in place of what it said of them before.

        An activity of several campuses stands in the log of each.
        """
        if not participations:
            return
        # Always in one order: two activities that the same campuses organise never wait for each other.
        for campus in sorted(self.activities.campuses_of(activity.id), key=lambda one: one.id):
            self._noted_in(campus, activity, participations, reason)

    def _noted_in(
        self, campus: Campus, activity: Activity, participations: Sequence[Participation], reason: str
    ) -> None:
        log = self.log.open(campus)
        known = self.log.store.newest_about(log.id, PARTICIPATION, (each.id for each in participations))
        practised = self.activities.practised_in(activity.id)
        facts = [
            correction_fact(activity, each, practised, corrects=known[each.id], reason=reason)
            if each.id in known
            else participation_fact(activity, each, practised)
            for each in participations
        ]
        self.log.record(campus, facts)

    def retold(self, activity: Activity, reason: str) -> None:
        """Of everybody of whom the logs say something else than what is true now."""
        there = [
            participation for participation, _ in self.activities.participants(activity.id, with_absent=True)
        ]
        practised = self.activities.practised_in(activity.id)
        true = {each.id: told_of(activity, each, practised) for each in there}
        for campus in sorted(self.activities.campuses_of(activity.id), key=lambda one: one.id):
            log = self.log.open(campus)
            said = {
                each.noun_id: each.facts
                for each in self.log.store.payloads_of(PARTICIPATION, true)
                if each.log_id == log.id
            }
            changed = [each for each in there if each.id in said and not _says(said[each.id], true[each.id])]
            self._noted_in(campus, activity, changed, reason)

    def joined(self, campus: Campus, activity: Activity) -> None:
        """What was recorded before the campus agreed to organise it stands in its log from now on."""
        there = [participation for participation, _ in self.activities.participants(activity.id)]
        self.entries_of(campus, activity, there)

    def entries_of(
        self, campus: Campus, activity: Activity, participations: Iterable[Participation]
    ) -> dict[uuid.UUID, int]:
        """The newest entry of each participation; what was recorded before there was a log is logged now."""
        wanted = list(participations)
        log = self.log.open(campus)
        ids = [each.id for each in wanted]
        known = self.log.store.newest_about(log.id, PARTICIPATION, ids)
        missing = [each for each in wanted if each.id not in known]
        if not missing:
            return known
        practised = self.activities.practised_in(activity.id)
        numbers = self.log.record(campus, [participation_fact(activity, each, practised) for each in missing])
        return known | {each.id: number for each, number in zip(missing, numbers, strict=True)}

    def numbers_of(self, campus: Campus, participation_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
        """The newest entry of participations in whatever activities; what only a closed log says is said anew."""
        log = self.log.open(campus)
        known = self.log.store.newest_about(log.id, PARTICIPATION, participation_ids)
        missing = self.activities.get_participations(set(participation_ids) - known.keys())
        activities = self.activities.activities_of(each.id for each in missing)
        for activity in sorted(activities.values(), key=lambda one: one.id):
            some = [each for each in missing if each.activity_id == activity.id]
            known |= self.entries_of(campus, activity, some)
        return known

    def assessed(
        self, campus: Campus, awards: Sequence[Award], version: BadgeVersion
    ) -> dict[uuid.UUID, int]:
        """What was said of each person's work, by award; awards that rest on nobody's words have none."""
        told = [award for award in awards if award.evidence]
        numbers = self.log.record(campus, [assessment_fact(award, version) for award in told])
        return {award.id: number for award, number in zip(told, numbers, strict=True)}

    def decided(
        self,
        campus: Campus,
        decisions: Sequence[tuple[Award, JsonObject, Sequence[int]]],
        signing_key: VerificationKey,
    ) -> list[Written]:
        """Each award with all that its credential is going to say, and the key that is going to sign it."""
        facts = [
            award_fact(award, credential, entries, self.addresses, signing_key)
            for award, credential, entries in decisions
        ]
        return self.log.append(campus, facts)

    def withdrawn(self, campus: Campus, awards: Sequence[Award], reason: str) -> None:
        self.log.record(campus, [revocation_fact(award, reason, self.addresses) for award in awards])

    def frozen(self, campus: Campus, badge: Badge, version: BadgeVersion) -> None:
        self.log.record(campus, [definition_fact(version, self.addresses)])
        self.log.notes.add_rows(campus, BADGES, [badge])
        self.log.notes.add_rows(campus, VERSIONS, [version])

    def key_changed(
        self, campus: Campus, key: SealedKey, last_sizes: Mapping[str, int] | None = None
    ) -> None:
        self.log.record(campus, [key_fact(key, last_sizes)])
        self.log.notes.add_rows(campus, KEYS, [key])

    def forget(self, person_id: uuid.UUID, campus: Campus, erasure_id: uuid.UUID) -> Written:
        """What the campus's logs say of somebody goes, with its keys; the line that says so leads back to nobody."""
        logs = {each.id for each in self.log.store.list_of(campus.id)}
        entries = self.log.store.erase_about(person_id, logs)
        self.disputes.forget(person_id, logs)
        self.log.notes.add_erased(campus, person_id)
        (said,) = self.log.append(campus, [erasure_fact(erasure_id, entries)])
        return said


def _says(facts: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    """Whether a line says that, whatever it says besides of the line that it corrects."""
    return {name: value for name, value in facts.items() if name not in ("corrects", "reason")} == dict(told)
