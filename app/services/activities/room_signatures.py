"""What becomes of a signature in a room: noted of one person, or kept until a trainer says whose of several it is."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.db.activities.activities import ActivityStore
from app.db.activities.plans import ActivityPlanStore
from app.db.activities.rooms import RoomStore
from app.db.campus.history import HistoryStore
from app.db.privacy.consents import ConsentStore
from app.domain.activities.activities import Activity
from app.domain.activities.list_matching import free_homonym
from app.domain.activities.participant_lists import ListedPerson
from app.domain.activities.rooms import Room, RoomEntry, WaitingSignature
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.people.namesakes import OTHER, Question
from app.domain.people.people import Person
from app.domain.privacy.consents import About, consent
from app.errors import InvalidInput, NotFound
from app.language import N_
from app.services.activities.activities import ActivityService
from app.services.activities.sessions import ActivitySessions
from app.services.people.namesakes import Namesakes


@dataclass(frozen=True)
class AskedSignature:
    """Whose is it? `signed` have signed in its room already."""

    waiting: WaitingSignature
    question: Question
    signed: Collection[uuid.UUID] = ()


class RoomSignatures:
    def __init__(
        self,
        rooms: RoomStore,
        activities: ActivityStore,
        plans: ActivityPlanStore,
        history: HistoryStore,
        consents: ConsentStore,
        activity_service: ActivityService,
        sessions: ActivitySessions,
        namesakes: Namesakes,
        clock: Clock,
    ) -> None:
        self.rooms = rooms
        self.activities = activities
        self.plans = plans
        self.history = history
        self.consents = consents
        self.activity_service = activity_service
        self.sessions = sessions
        self.namesakes = namesakes
        self.clock = clock

    def note(
        self,
        room: Room,
        activity: Activity,
        line: ListedPerson,
        person: Person | None,
        *,
        phone_digest: str,
        signed_at: datetime,
        by: Actor,
    ) -> None:
        """`person` has signed, or somebody new where it is None. The activity is locked."""
        meant = {line.line_key: person.id} if person else {}
        participation, _ = self.activity_service.keep(activity, [line], by=by, meant=meant)[line.line_key]
        if room.session_id and (session := self.plans.find_session(activity.id, room.session_id)):
            self.sessions.note_one(activity, session, participation)
        self.rooms.save_entry(
            RoomEntry(
                room_id=room.id,
                participation_id=participation.id,
                phone_digest=phone_digest,
                signed_at=signed_at,
            )
        )
        told = consent(
            About.ROOM, participation.person_id, given=True, at=signed_at, campus_id=room.campus_id
        )
        self.consents.add(told)

    def let_wait(self, room: Room, line: ListedPerson, *, phone_digest: str) -> None:
        self.rooms.save_waiting(
            WaitingSignature(
                room_id=room.id,
                phone_digest=phone_digest,
                given_name=line.given_name,
                family_name=line.family_name,
                address=line.address,
                under_15=bool(line.under_15),
                signed_at=self.clock(),
            )
        )

    def asked(self, campus: Campus, activity: Activity) -> Sequence[AskedSignature]:
        waiting = self.rooms.waiting(activity.id)
        signed = {
            room_id: {person.id for _, _, person in self.rooms.entries(room_id)}
            for room_id in {one.room_id for one in waiting}
        }
        return [
            AskedSignature(one, self._question(campus, activity, one), signed[one.room_id]) for one in waiting
        ]

    def how_many_wait(self, campus: Campus, activity_id: uuid.UUID) -> int:
        return self.rooms.how_many_wait(self.activities.get_in_campus(activity_id, campus.id).id)

    def answer(
        self, campus: Campus, activity_id: uuid.UUID, waiting_id: uuid.UUID, answer: str, *, by: Actor
    ) -> None:
        """A trainer says who signed; said twice, it changes nothing. The room may be shut by then."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        self.activities.lock(activity.id)
        waiting = self.rooms.get_waiting(waiting_id)
        if waiting is None:
            return
        room = self.rooms.lock(waiting.room_id)
        if room.activity_id != activity.id:
            raise NotFound(N_("Cette signature n’est pas de cette activité."))
        line, namesake = _line_of(waiting), self._question(campus, activity, waiting).meant(answer)
        if namesake is None and answer != OTHER:
            raise InvalidInput(N_("Cette personne n’est plus parmi celles de ce nom : choisissez à nouveau."))
        if namesake is None and not line.address:
            line = replace(line, homonym=free_homonym(line, self.activities.line_keys(activity.id)))
        self.rooms.remove_waiting(waiting)
        if namesake is None or not self._has_signed(room, namesake.person):
            self.note(
                room,
                activity,
                line,
                namesake.person if namesake else None,
                phone_digest=waiting.phone_digest,
                signed_at=waiting.signed_at,
                by=by,
            )
        self.history.write(by, "tell_apart", "activity", activity.id, at=self.clock(), campus_id=campus.id)

    def _has_signed(self, room: Room, person: Person) -> bool:
        return any(one.id == person.id for _, _, one in self.rooms.entries(room.id))

    def _question(self, campus: Campus, activity: Activity, waiting: WaitingSignature) -> Question:
        return self.namesakes.may_mean(campus, activity, _line_of(waiting))


def _line_of(waiting: WaitingSignature) -> ListedPerson:
    return ListedPerson(
        1,
        given_name=waiting.given_name,
        family_name=waiting.family_name,
        address=waiting.address,
        under_15=waiting.under_15,
    )
