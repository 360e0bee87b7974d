"""The lines of confirmed contributions, and of their pieces, that an award rests on besides the activity."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence

from app.db.activities.files import FileStore
from app.db.learners.contributions import ContributionStore
from app.domain.activities.files import FileNoun
from app.domain.activity_log.artefact_facts import ARTEFACT, CONTRIBUTION, link_id
from app.domain.awards.awards import Award
from app.domain.campus.campus import Campus
from app.domain.learners.contributions import counts_for
from app.services.activity_log.activity_log import ActivityLog


class ContributedLines:
    def __init__(self, contributions: ContributionStore, files: FileStore, log: ActivityLog) -> None:
        self.contributions = contributions
        self.files = files
        self.log = log

    def of_awards(
        self,
        campus: Campus,
        badge_id: uuid.UUID,
        activity_id: uuid.UUID | None,
        awards: Sequence[Award],
        by_rule: Collection[uuid.UUID] = (),
    ) -> dict[uuid.UUID, list[int]]:
        """By person, in the order of the log; `by_rule` are those that the badge's rule counted."""
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
