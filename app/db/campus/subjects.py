"""The names of what a history tells of: an award's person and badge, an activity's title."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlmodel import Session, col, select

from app.db.activities.activities import organised_by
from app.db.awards.awards import AwardStore
from app.db.badges.badges import BadgeStore
from app.domain.accounts.access import ApiToken
from app.domain.activities.activities import Activity, ActivityCampus, Participation
from app.domain.awards.batches import AwardBatch
from app.domain.campus.campus import Campus, Label, Network
from app.domain.campus.team import Invitation
from app.domain.frameworks.competencies import Competency, Framework
from app.domain.learners.requests import BadgeRequest
from app.domain.people.people import Person
from app.domain.trust.recognition import FollowedList, NetworkKey, Recognition

Names = dict[uuid.UUID, str]
PROGRAM = "token "


class SubjectStore:
    """Of one campus; what belongs to another has no name here."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def names(
        self, campus_id: uuid.UUID, subjects: Iterable[tuple[str, uuid.UUID]]
    ) -> dict[tuple[str, uuid.UUID], str]:
        """A few queries for a page of entries, however many they are."""
        wanted: dict[str, list[uuid.UUID]] = defaultdict(list)
        for noun, noun_id in subjects:
            wanted[noun].append(noun_id)
        found = {}
        for noun, ids in wanted.items():
            named = self._ways.get(noun)
            for noun_id, name in (named(campus_id, ids) if named else {}).items():
                found[noun, noun_id] = name
        return found

    def names_of_service(self, subjects: Iterable[tuple[str, uuid.UUID]]) -> dict[tuple[str, uuid.UUID], str]:
        """The same of what belongs to no campus, and of campuses themselves."""
        wanted: dict[str, list[uuid.UUID]] = defaultdict(list)
        for noun, noun_id in subjects:
            wanted[noun].append(noun_id)
        found = {}
        for noun, ids in wanted.items():
            query = self._of_service.get(noun)
            for noun_id, name in self.session.exec(query(ids)) if query else ():
                found[noun, noun_id] = name
        return found

    @property
    def _of_service(self) -> dict[str, Callable[[Sequence[uuid.UUID]], Any]]:
        name = col(Person.given_name) + " " + col(Person.family_name)
        of_key = select(NetworkKey.id, Network.name).join(
            Network, col(Network.id) == col(NetworkKey.network_id)
        )
        return {
            "operator": lambda ids: select(Person.id, name).where(col(Person.id).in_(ids)),
            "campus": lambda ids: select(Campus.id, Campus.name).where(col(Campus.id).in_(ids)),
            "network": lambda ids: select(Network.id, Network.name).where(col(Network.id).in_(ids)),
            "network_key": lambda ids: of_key.where(col(NetworkKey.id).in_(ids)),
            "recognition": lambda ids: select(Recognition.id, Recognition.name).where(
                col(Recognition.id).in_(ids)
            ),
            "label": lambda ids: select(Label.id, Label.issuer).where(col(Label.id).in_(ids)),
            "followed_list": lambda ids: select(FollowedList.id, FollowedList.url).where(
                col(FollowedList.id).in_(ids)
            ),
        }

    def programs(self, campus_id: uuid.UUID, labels: Iterable[str]) -> dict[str, str]:
        """What each program is called, by the label under which it acts."""
        ids = {label: _id_in(label.removeprefix(PROGRAM)) for label in labels if label.startswith(PROGRAM)}
        named = self._tokens(campus_id, [one for one in ids.values() if one])
        return {label: named[one] for label, one in ids.items() if one in named}

    @property
    def _ways(self) -> dict[str, Callable[[uuid.UUID, Sequence[uuid.UUID]], Names]]:
        return {
            "person": self._people,
            "award": self._awards,
            "award_batch": self._batches,
            "badge": self._badges,
            "request": self._requests,
            "framework": self._frameworks,
            "competency": self._competencies,
            "activity": self._activities,
            "participation": self._participations,
            "invitation": self._invitations,
            "token": self._tokens,
        }

    def _people(self, _: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        return {
            person.id: person.name
            for person in self.session.exec(select(Person).where(col(Person.id).in_(ids)))
        }

    def _awards(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        return {
            record.award.id: f"{record.person.name}, {record.version.name}"
            for record in AwardStore(self.session).records_among(ids, campus_id)
        }

    def _batches(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        batches = self.session.exec(
            select(AwardBatch).where(col(AwardBatch.id).in_(ids), AwardBatch.campus_id == campus_id)
        )
        badges = BadgeStore(self.session)
        return {batch.id: badges.get_version_by_id(batch.version_id).name for batch in batches}

    def _badges(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        wanted = set(ids)
        return {
            badge.id: version.name
            for badge, version in BadgeStore(self.session).list_newest(campus_id)
            if badge.id in wanted
        }

    def _requests(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        """The badge alone: who asked for it is a matter between them and the reviewers."""
        query = select(BadgeRequest.id, BadgeRequest.badge_id).where(
            col(BadgeRequest.id).in_(ids), BadgeRequest.campus_id == campus_id
        )
        asked = dict(self.session.exec(query).all())
        names = self._badges(campus_id, list(asked.values()))
        return {request_id: names[badge_id] for request_id, badge_id in asked.items() if badge_id in names}

    def _frameworks(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        query = select(Framework).where(col(Framework.id).in_(ids), Framework.campus_id == campus_id)
        return {framework.id: framework.name for framework in self.session.exec(query)}

    def _competencies(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        query = (
            select(Competency)
            .join(Framework, col(Framework.id) == col(Competency.framework_id))
            .where(col(Competency.id).in_(ids), Framework.campus_id == campus_id)
        )
        return {each.id: f"{each.code} {each.statement}" for each in self.session.exec(query)}

    def _activities(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        query = (
            select(Activity)
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(col(Activity.id).in_(ids), ActivityCampus.campus_id == campus_id)
        )
        return {activity.id: activity.title for activity in self.session.exec(query)}

    def _participations(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        query = (
            select(Participation, Person, Activity)
            .join(Person, col(Person.id) == col(Participation.person_id))
            .join(Activity, col(Activity.id) == col(Participation.activity_id))
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(col(Participation.id).in_(ids), organised_by(campus_id))
        )
        return {
            participation.id: f"{person.name}, {activity.title}"
            for participation, person, activity in self.session.exec(query)
        }

    def _invitations(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        query = select(Invitation).where(col(Invitation.id).in_(ids), Invitation.campus_id == campus_id)
        return {invitation.id: invitation.address for invitation in self.session.exec(query)}

    def _tokens(self, campus_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Names:
        query = select(ApiToken).where(col(ApiToken.id).in_(ids), ApiToken.campus_id == campus_id)
        return {token.id: token.label for token in self.session.exec(query)}


def _id_in(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
