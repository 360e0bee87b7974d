"""Signing in from one's own phone: a room opened by a trainer, a code on the wall, one entry for each phone."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.db.activities import ActivityStore
from app.db.activity_plans import ActivityPlanStore
from app.db.campus import CampusStore
from app.db.consents import ConsentStore
from app.db.history import HistoryStore
from app.db.people import PeopleStore
from app.db.rooms import Pulse, RoomStore
from app.domain.activities import Activity, Participation
from app.domain.activity_plans import ActivitySession, session_nearest
from app.domain.campus import Campus
from app.domain.clock import Clock
from app.domain.consents import About, consent
from app.domain.history import Actor
from app.domain.list_matching import free_homonym, matched, name_key_of
from app.domain.participant_lists import ListedPerson, tidy
from app.domain.people import Person, name_key
from app.domain.rooms import (
    SIGN_LENGTH,
    NoSuchCode,
    Room,
    RoomEntry,
    Ticket,
    check_capacity,
    check_open,
    check_place_left,
    check_ticket,
    close_room,
    code_at,
    is_code_of,
    is_open,
    new_sign,
    open_room,
    phone_digest,
    read_room_code,
    seconds_left,
)
from app.errors import Conflict, InvalidInput
from app.language import N_
from app.services.activities import ActivityService, fault_of
from app.services.activity_sessions import ActivitySessions

BY_PHONE = Actor(label="phone in a room")
_NOT_SHOWN = N_("Ce code n’est plus affiché. Lisez celui qui est à l’écran maintenant.")


class Signed(StrEnum):
    """What became of what a phone sent."""

    NEW = "new"
    LISTED = "listed"
    """They stood on a list already, and now are known to be there."""
    AGAIN = "again"
    """This phone had signed for this person."""
    ELSEWHERE = "elsewhere"
    """They had signed from another phone, and say so."""


class Namesake(Conflict):
    """Somebody of that name signed from another phone: only the person can say who they are."""


class OtherPerson(Conflict):
    """This phone signed for somebody else before."""


@dataclass(frozen=True)
class RoomPage:
    """A room as the trainer has it; `room` is None until it was opened once."""

    activity: Activity
    session: ActivitySession | None
    """Of a series, the one that is held now."""
    room: Room | None
    is_open: bool
    code: str
    seconds_left: int
    pulse: Pulse
    entries: Sequence[tuple[RoomEntry, Participation, Person]] = ()
    addresses: Mapping[uuid.UUID, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Door:
    """A room as a phone comes to it."""

    room: Room
    activity: Activity
    campus: Campus
    signed_as: str = ""
    """The name this phone signed for."""


class RoomService:
    def __init__(
        self,
        rooms: RoomStore,
        activities: ActivityStore,
        campuses: CampusStore,
        people: PeopleStore,
        history: HistoryStore,
        plans: ActivityPlanStore,
        activity_service: ActivityService,
        sessions: ActivitySessions,
        consents: ConsentStore,
        secret: bytes,
        clock: Clock,
    ) -> None:
        self.rooms = rooms
        self.activities = activities
        self.campuses = campuses
        self.people = people
        self.history = history
        self.plans = plans
        self.activity_service = activity_service
        self.sessions = sessions
        self.consents = consents
        self.secret = secret
        self.clock = clock

    def open(self, campus: Campus, activity_id: uuid.UUID, *, capacity: int | None, by: Actor) -> Room:
        """Open it, or open it again; a room that is open only takes the new number of places."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        check_capacity(capacity)
        self.activities.lock(activity.id)
        at = self.clock()
        self.rooms.shut_overdue(at)
        session = self.session_of(campus, activity)
        found = self.rooms.find_of(activity.id, _id_of(session))
        room = self.rooms.lock(found.id) if found else None
        if room is not None and is_open(room, at=at):
            room.capacity = capacity
            self.rooms.save(room)
            return room
        room = room or Room(
            activity_id=activity.id,
            session_id=_id_of(session),
            campus_id=campus.id,
            opened_at=at,
            closes_at=at,
        )
        open_room(room, sign=self._free_sign(), capacity=capacity, at=at)
        self.rooms.save(room)
        self.history.write(by, "open_room", "activity", activity.id, at=at, campus_id=campus.id)
        return room

    def close(self, campus: Campus, activity_id: uuid.UUID, *, by: Actor) -> None:
        activity = self.activities.get_in_campus(activity_id, campus.id)
        self.activities.lock(activity.id)
        found = self.rooms.find_of(activity.id, _id_of(self.session_of(campus, activity)))
        if found is None or not is_open(room := self.rooms.lock(found.id), at=self.clock()):
            return
        close_room(room, at=self.clock())
        self.rooms.save(room)
        signed = self.rooms.pulse(room.id).signed
        self.history.write(
            by, "close_room", "activity", activity.id, at=self.clock(), campus_id=campus.id, people=signed
        )

    def page(self, campus: Campus, activity_id: uuid.UUID) -> RoomPage:
        found = self.glance(campus, activity_id)
        entries = self.rooms.entries(found.room.id) if found.room else []
        addresses = self.people.addresses_of(person.id for _, _, person in entries)
        return replace(found, entries=entries, addresses=addresses)

    def glance(self, campus: Campus, activity_id: uuid.UUID) -> RoomPage:
        """As `page`, without anybody's name: for looking again every second."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        session, at = self.session_of(campus, activity), self.clock()
        room = self.rooms.find_of(activity.id, _id_of(session))
        return RoomPage(
            activity,
            session,
            room,
            room is not None and is_open(room, at=at),
            code_at(self.secret, room, at) if room else "",
            seconds_left(at),
            self.rooms.pulse(room.id) if room else Pulse(),
        )

    def unsigned(self, campus: Campus, activity_id: uuid.UUID) -> list[tuple[Participation, Person]]:
        """Whoever stands on the list by another way than a phone, ticked or not."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        room = self.rooms.find_of(activity.id, _id_of(self.session_of(campus, activity)))
        signed = {participation.id for _, participation, _ in self.rooms.entries(room.id)} if room else set()
        there = self.activities.participants(activity.id, with_absent=True)
        return [pair for pair in there if pair[0].id not in signed]

    def door(self, typed: str, phone: str) -> Door:
        """The room whose code is on the wall now, or was a moment ago."""
        code = read_room_code(typed)
        room = self.rooms.find_signed(code[:SIGN_LENGTH])
        if room is None or not is_code_of(self.secret, room, code, at=self.clock()):
            raise NoSuchCode(_NOT_SHOWN)
        return self._door(room, phone)

    def door_of(self, ticket: Ticket) -> Door:
        """The room of a ticket, open or not."""
        room = self.rooms.find(ticket.room_id)
        if room is None:
            raise NoSuchCode(_NOT_SHOWN)
        return self._door(room, ticket.phone)

    def sign(self, ticket: Ticket, line: ListedPerson, *, namesake: str = "") -> tuple[Door, Signed]:
        """Note that somebody is there; sent again, from the same phone, it changes nothing.

        `namesake` answers who they are where somebody of that name has signed: "same" or "other".
        """
        door = self.door_of(ticket)
        line = tidy(line)
        self.activities.lock(door.activity.id)
        room = self.rooms.lock(door.room.id)
        digest = phone_digest(self.secret, room, ticket.phone)
        if (entry := self.rooms.find_entry(room.id, digest)) is not None:
            _check_same_person(entry[1], line)
            return self._door(room, ticket.phone), Signed.AGAIN
        check_open(room, at=self.clock())
        check_ticket(ticket, at=self.clock())
        if fault := fault_of(line):
            raise InvalidInput(fault.sentence)
        line, known, signed_elsewhere = self._who(door.activity, room, line, namesake)
        if signed_elsewhere:
            return door, Signed.ELSEWHERE
        check_place_left(room, self.rooms.pulse(room.id).present)
        kept = self.activity_service.keep(door.activity, [line], by=BY_PHONE)
        participation, _ = kept[line.line_key]
        if room.session_id and (session := self.plans.find_session(door.activity.id, room.session_id)):
            self.sessions.note_one(door.activity, session, participation)
        self.rooms.save_entry(
            RoomEntry(
                room_id=room.id,
                participation_id=participation.id,
                phone_digest=digest,
                signed_at=self.clock(),
            )
        )
        told = consent(
            About.ROOM, participation.person_id, given=True, at=self.clock(), campus_id=room.campus_id
        )
        self.consents.add(told)
        return self._door(room, ticket.phone), Signed.LISTED if known else Signed.NEW

    def _who(
        self, activity: Activity, room: Room, line: ListedPerson, namesake: str
    ) -> tuple[ListedPerson, Participation | None, bool]:
        """The line, numbered where it is a namesake; whose place on the list it is; whether they signed already."""
        there = self.activities.participants(activity.id, with_absent=True)
        named = self.people.list_named_at([(line.address, name_key_of(line))] if line.address else [])
        known, _ = matched([line], there, named).get(line.line_key, (None, None))
        if known is None or not self.rooms.has_entry_of(room.id, known.id):
            return line, known, False
        # The same name at the same address is one person, whichever phone it is.
        if namesake == "same" or (line.address and known.line_key == line.line_key):
            return line, known, True
        if namesake != "other":
            raise Namesake(
                N_("Une personne de ce nom a déjà signé, depuis un autre téléphone. Est-ce vous ?")
            )
        return replace(line, homonym=max(2, free_homonym(line, there))), None, False

    def _door(self, room: Room, phone: str) -> Door:
        entry = self.rooms.find_entry(room.id, phone_digest(self.secret, room, phone))
        return Door(
            room,
            self.activities.get(room.activity_id),
            self.campuses.get_by_id(room.campus_id),
            entry[1].name if entry else "",
        )

    def session_of(self, campus: Campus, activity: Activity) -> ActivitySession | None:
        """Of a series, the session of today or the nearest one."""
        today = self.clock().astimezone(ZoneInfo(campus.time_zone)).date()
        return session_nearest(self.plans.sessions_of(activity.id), today=today)

    def _free_sign(self) -> str:
        while self.rooms.find_signed(sign := new_sign()) is not None:
            continue
        return sign


def _id_of(session: ActivitySession | None) -> uuid.UUID | None:
    return session.id if session else None


def _check_same_person(person: Person, line: ListedPerson) -> None:
    if name_key(person.given_name, person.family_name) != name_key_of(line):
        raise OtherPerson(
            N_(
                "Ce téléphone a déjà signé pour {name}. Un téléphone inscrit une personne : pour vous, dites votre nom à la personne qui anime."
            ),
            name=person.name,
        )
