"""What an award rests on, decided in the log before anything is signed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from app.credentials.json_text import JsonObject
from app.domain.activities import Participation
from app.domain.awards import Award
from app.services.award_cases import Case
from app.services.logged_deeds import LoggedDeeds


class AwardGrounds:
    def __init__(self, deeds: LoggedDeeds) -> None:
        self.deeds = deeds

    def decide(
        self,
        case: Case,
        awards: Sequence[Award],
        documents: Mapping[uuid.UUID, JsonObject],
        participations: Sequence[Participation | None],
    ) -> None:
        """Each award in the log, with the entries it rests on, under one signed checkpoint: nobody dates one back."""
        if not awards:
            return
        campus = case.campus
        there = [each for each in participations if each is not None]
        entries = self.deeds.entries_of(campus, case.activity, there) if case.activity and there else {}
        of_person = {each.person_id: entries[each.id] for each in there}
        assessed = self.deeds.assessed(campus, awards, case.version)
        self.deeds.decided(
            campus,
            [
                (
                    award,
                    documents[award.id],
                    [
                        number
                        for number in (of_person.get(award.person_id), assessed.get(award.id))
                        if number is not None
                    ],
                )
                for award in awards
            ],
        )
        self.deeds.log.checkpoint(campus)
