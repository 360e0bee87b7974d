"""Check-in by phone: a trainer opens it, a code is displayed, each phone makes one entry."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from app.db.activities import ActivityStore, CheckInStore, Pulse
from app.db.activities.plans import ActivityPlanStore
from app.db.campus import CampusStore, HistoryStore
from app.db.campus.people import is_known_at
from app.db.people import PeopleStore
from app.db.people.privacy import ConsentStore
from app.domain.activities import Activity, ActivitySession, Participation, session_nearest
from app.domain.activities.check_in import (
    REMEMBERED_FOR,
    SIGN_LENGTH,
    CheckIn,
    CheckInEntry,
    NoSuchCode,
    RememberedPhone,
    Ticket,
    WaitingSignature,
    check_capacity,
    check_in_time,
    check_place_left,
    close_check_in,
    code_at,
    is_code_of,
    is_late,
    is_open,
    new_phone,
    new_sign,
    open_check_in,
    phone_digest,
    read_check_in_code,
    remembered_digest,
    seconds_left,
    time_made,
)
from app.domain.activities.listed_people import ListedPerson, free_homonym, name_key_of
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, check_works
from app.domain.core import Clock
from app.domain.people import AgeGroup, Person, check_own_name, is_gone, name_key
from app.domain.people.consents import OTHER, About, Question, consent
from app.errors import Conflict, InvalidInput, NotFound
from app.language import N_
from app.services.activities.activities import ActivityService
from app.services.activities.line_faults import fault_of
from app.services.activities.plans import ActivitySessions
from app.services.people.record_merge import Namesakes


@dataclass(frozen=True)
class AskedSignature:
    """A signature that several people may have made. `signed`: those who already checked in."""

    waiting: WaitingSignature
    question: Question
    signed: Collection[uuid.UUID] = ()


@dataclass(frozen=True, eq=False)
class CheckInSignatures:
    rooms: CheckInStore
    activities: ActivityStore
    plans: ActivityPlanStore
    history: HistoryStore
    consents: ConsentStore
    activity_service: ActivityService
    sessions: ActivitySessions
    namesakes: Namesakes
    clock: Clock

    def note(
        self,
        room: CheckIn,
        activity: Activity,
        line: ListedPerson,
        person: Person | None,
        *,
        phone_digest: str,
        signed_at: datetime,
        by: Actor,
        received_at: datetime | None = None,
    ) -> Person:
        """Record that `person` signed, or a new person if None. The activity must be locked."""
        meant = {line.line_key: person.id} if person else {}
        kept = self.activity_service.keep(
            activity, [line], campus_id=room.campus_id, by=by, meant=meant, by_phone=True
        )
        participation, person = kept[line.line_key]
        if room.session_id and (session := self.plans.find_session(activity.id, room.session_id)):
            self.sessions.note_one(activity, session, participation)
        self.rooms.save(
            CheckInEntry(
                room_id=room.id,
                participation_id=participation.id,
                phone_digest=phone_digest,
                signed_at=signed_at,
                received_at=received_at,
            )
        )
        answer = consent(
            About.ROOM, participation.person_id, given=True, at=signed_at, campus_id=room.campus_id
        )
        self.consents.add(answer)
        return person

    def take_back(
        self, room: CheckIn, activity: Activity, entry: CheckInEntry, participation: Participation
    ) -> None:
        """The signature no longer counts; awards already given are unchanged. The activity must be locked."""
        self.rooms.remove(entry)
        if room.session_id and (session := self.plans.find_session(activity.id, room.session_id)):
            self.sessions.unnote_one(activity, session, participation)
        else:
            self.activity_service.note_absent(activity, participation, by=BY_PHONE)

    def withdraw_consent(self, person_id: uuid.UUID, campus: Campus) -> int:
        """Take back what a person agreed to when they checked in at that campus; returns how many signatures.

        Only signatures still linked to a phone can be distinguished from other participations.
        """
        found = self.rooms.entries_of_person(person_id, campus.id)
        for entry, participation in found:
            activity = self.activities.lock(participation.activity_id)
            self.take_back(self.rooms.lock(entry.room_id), activity, entry, participation)
        self.rooms.forget_phones_of(person_id, campus.id)
        self.consents.add(consent(About.ROOM, person_id, given=False, at=self.clock(), campus_id=campus.id))
        return len(found)

    def let_wait(
        self,
        room: CheckIn,
        line: ListedPerson,
        *,
        phone_digest: str,
        signed_at: datetime,
        received_at: datetime | None,
    ) -> None:
        self.rooms.save(
            WaitingSignature(
                room_id=room.id,
                phone_digest=phone_digest,
                given_name=line.given_name,
                family_name=line.family_name,
                address=line.address,
                under_15=line.age_group is AgeGroup.UNDER_15,
                declared=line.age_group or "",
                signed_at=signed_at,
                received_at=received_at,
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
        """A trainer identifies who signed. Idempotent; works after the check-in is closed."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        self.activities.lock(activity.id)
        waiting = self.rooms.get_waiting(waiting_id)
        if waiting is None:
            return
        room = self.rooms.lock(waiting.room_id)
        if room.activity_id != activity.id:
            raise NotFound("Cette signature n’est pas de cette activité.")
        line, namesake = _line_of(waiting), self._question(campus, activity, waiting).meant(answer)
        if namesake is None and answer != OTHER:
            raise InvalidInput("Cette personne n’est plus parmi celles de ce nom : choisissez à nouveau.")
        if namesake is None and not line.address:
            line = replace(line, homonym=free_homonym(line, self.activities.line_keys(activity.id)))
        self.rooms.remove(waiting)
        if namesake is None or not self._has_signed(room, namesake.person):
            self.note(
                room,
                activity,
                line,
                namesake.person if namesake else None,
                phone_digest=waiting.phone_digest,
                signed_at=waiting.signed_at,
                received_at=waiting.received_at,
                by=by,
            )
        self.history.write(by, "tell_apart", "activity", activity.id, at=self.clock(), campus_id=campus.id)

    def _has_signed(self, room: CheckIn, person: Person) -> bool:
        return any(one.id == person.id for _, _, one in self.rooms.entries(room.id))

    def _question(self, campus: Campus, activity: Activity, waiting: WaitingSignature) -> Question:
        return self.namesakes.may_mean(campus, activity, _line_of(waiting))


def _line_of(waiting: WaitingSignature) -> ListedPerson:
    return ListedPerson(
        1,
        given_name=waiting.given_name,
        family_name=waiting.family_name,
        address=waiting.address,
        age_group=AgeGroup(waiting.declared)
        if waiting.declared
        else AgeGroup.UNDER_15
        if waiting.under_15
        else AgeGroup.FROM_15,
    )


BY_PHONE = Actor(label="phone in a room")
_NOT_SHOWN = N_("Ce code n’est plus affiché. Lisez celui qui est à l’écran maintenant.")


class Signed(StrEnum):
    """Outcome of a signature sent by a phone."""

    NEW = "new"
    LISTED = "listed"
    """Already listed, now marked present."""
    WAITING = "waiting"
    """Several people have that name, or one without that address: a trainer answers later; the phone does not wait."""
    AGAIN = "again"
    """This phone had already signed for this person."""
    ELSEWHERE = "elsewhere"
    """The person confirms that they signed from another phone."""


class Namesake(Conflict):
    """A person of that name signed from another phone: only the signer can tell whether it is them."""


class OtherPerson(Conflict):
    """This phone has already signed for another person."""


@dataclass(frozen=True)
class CheckInPage:
    """A check-in as the trainer sees it; `room` is None until it is first opened."""

    activity: Activity
    session: ActivitySession | None
    """For a series, the current session."""
    room: CheckIn | None
    is_open: bool
    code: str
    seconds_left: int
    pulse: Pulse
    entries: Sequence[tuple[CheckInEntry, Participation, Person]] = ()
    asked: Sequence[AskedSignature] = ()
    """Across all check-ins of the activity: signatures of a past session may still be pending."""
    addresses: Mapping[uuid.UUID, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckInAccess:
    """A check-in as a phone sees it."""

    room: CheckIn
    activity: Activity
    campus: Campus
    signed_as: str = ""
    """The name that this phone signed for."""
    person_id: uuid.UUID | None = None
    """The person that this phone signed for, where certain."""


@dataclass(frozen=True, eq=False)
class CheckInService:
    rooms: CheckInStore
    activities: ActivityStore
    campuses: CampusStore
    people: PeopleStore
    history: HistoryStore
    plans: ActivityPlanStore
    signatures: CheckInSignatures
    secret: bytes
    clock: Clock

    def open(self, campus: Campus, activity_id: uuid.UUID, *, capacity: int | None, by: Actor) -> CheckIn:
        """Open or reopen it; if already open, only the capacity changes."""
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
        room = room or CheckIn(
            activity_id=activity.id,
            session_id=_id_of(session),
            campus_id=campus.id,
            opened_at=at,
            closes_at=at,
        )
        if not self.activities.is_organised_by(activity.id, room.campus_id):
            room.campus_id = campus.id
        open_check_in(room, sign=self._free_sign(), capacity=capacity, at=at)
        self.rooms.save(room)
        self.history.write(by, "open_room", "activity", activity.id, at=at, campus_id=campus.id)
        return room

    def close(self, campus: Campus, activity_id: uuid.UUID, *, by: Actor) -> None:
        activity = self.activities.get_in_campus(activity_id, campus.id)
        self.activities.lock(activity.id)
        found = self.rooms.find_of(activity.id, _id_of(self.session_of(campus, activity)))
        if found is None or not is_open(room := self.rooms.lock(found.id), at=self.clock()):
            return
        close_check_in(room, at=self.clock())
        self.rooms.save(room)
        signed = self.rooms.pulse(room.id).signed
        self.history.write(
            by, "close_room", "activity", activity.id, at=self.clock(), campus_id=campus.id, people=signed
        )

    def page(self, campus: Campus, activity_id: uuid.UUID) -> CheckInPage:
        found = self.glance(campus, activity_id)
        entries = self.rooms.entries(found.room.id) if found.room else []
        addresses = self.people.addresses_of((person.id for _, _, person in entries), is_known_at(campus.id))
        asked = self.signatures.asked(campus, found.activity)
        return replace(found, entries=entries, addresses=addresses, asked=asked)

    def glance(self, campus: Campus, activity_id: uuid.UUID) -> CheckInPage:
        """As `page`, without names; for polling every second."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        session, at = self.session_of(campus, activity), self.clock()
        room = self.rooms.find_of(activity.id, _id_of(session))
        return CheckInPage(
            activity,
            session,
            room,
            room is not None and is_open(room, at=at),
            code_at(self.secret, room, at) if room else "",
            seconds_left(at),
            self.rooms.pulse(room.id) if room else Pulse(),
        )

    def unsigned(self, campus: Campus, activity_id: uuid.UUID) -> list[tuple[Participation, Person]]:
        """Participants not recorded by phone, present or not."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        room = self.rooms.find_of(activity.id, _id_of(self.session_of(campus, activity)))
        signed = {participation.id for _, participation, _ in self.rooms.entries(room.id)} if room else set()
        there = self.activities.participants(activity.id, with_absent=True)
        return [pair for pair in there if pair[0].id not in signed]

    def access(self, typed: str, phone: str) -> CheckInAccess:
        """The check-in with this code, current or just rotated."""
        code = read_check_in_code(typed)
        room = self.rooms.find_signed(code[:SIGN_LENGTH])
        if room is None or not is_code_of(self.secret, room, code, at=self.clock()):
            raise NoSuchCode(_NOT_SHOWN)
        found = self._access(room, phone)
        check_works(found.campus)
        return found

    def access_of(self, ticket: Ticket) -> CheckInAccess:
        """The check-in of a ticket, open or not."""
        room = self.rooms.find(ticket.room_id)
        if room is None:
            raise NoSuchCode(_NOT_SHOWN)
        return self._access(room, ticket.phone)

    def sign(
        self,
        ticket: Ticket,
        line: ListedPerson,
        *,
        namesake: str = "",
        elapsed: timedelta | None = None,
        remembered: Person | None = None,
    ) -> tuple[CheckInAccess, Signed]:
        """Record a presence. Idempotent per phone.

        `namesake`: the signer's answer when a person of that name has already signed: "same" or "other".
        `elapsed`: from the scan to the signature, as the phone counts; it may arrive late. `remembered`: the
        person of a remembered phone.
        """
        access, at = self.access_of(ticket), self.clock()
        check_works(access.campus)
        line = line.tidied()
        self.activities.lock(access.activity.id)
        room = self.rooms.lock(access.room.id)
        digest = phone_digest(self.secret, room, ticket.phone)
        if (entry := self.rooms.find_entry(room.id, digest)) is not None:
            _check_same_person(entry[1], line)
            return self._access(room, ticket.phone), Signed.AGAIN
        if (waiting := self.rooms.find_waiting(room.id, digest)) is not None:
            _check_same_person(waiting, line)
            return self._access(room, ticket.phone), Signed.AGAIN
        made = time_made(ticket, elapsed, at=at)
        check_in_time(room, ticket, made, at=at)
        check_own_name(line.given_name, line.family_name)
        if fault := fault_of(line):
            raise InvalidInput(fault.sentence)
        received = at if is_late(room, made, at=at) else None
        if remembered is not None:
            return self._sign_remembered(access, room, digest, remembered, made, received)
        there = self.activities.participants(access.activity.id, with_absent=True)
        matches = self.signatures.namesakes.match([line], there)
        known, person = matches.meant.get(line.line_key, (None, None))
        signed = known is not None and self.rooms.has_entry_of(room.id, known.id)
        question = None
        if known is None:
            question = self.signatures.namesakes.of_line(access.campus, access.activity, line)
        elif not signed and person is not None and self._is_new_address(person, line):
            # Anyone can type a name: only a trainer adds an address to a listed record.
            question = self.signatures.namesakes.may_mean(access.campus, access.activity, line)
        if question is not None and self._have_all_signed(room, question):
            signed, question = True, None
        if signed:
            # The same name and address is one person, whatever the phone.
            if namesake == "same" or (known and line.address and known.line_key == line.line_key):
                return access, Signed.ELSEWHERE
            if namesake != "other":
                raise Namesake(
                    N_("Une personne de ce nom a déjà signé, depuis un autre téléphone. Est-ce vous ?")
                )
            taken = {participation.line_key for participation, _ in there}
            line, known, person = replace(line, homonym=max(2, free_homonym(line, taken))), None, None
        check_place_left(room, self.rooms.pulse(room.id).places_taken)
        if question is not None:
            self.signatures.let_wait(room, line, phone_digest=digest, signed_at=made, received_at=received)
            return self._access(room, ticket.phone), Signed.WAITING
        someone = self.signatures.note(
            room,
            access.activity,
            line,
            person,
            phone_digest=digest,
            signed_at=made,
            received_at=received,
            by=BY_PHONE,
        )
        access = replace(access, signed_as=someone.name, person_id=someone.id)
        return access, Signed.LISTED if known else Signed.NEW

    def _sign_remembered(
        self,
        access: CheckInAccess,
        room: CheckIn,
        digest: str,
        person: Person,
        made: datetime,
        received: datetime | None,
    ) -> tuple[CheckInAccess, Signed]:
        there = self.activities.participants_among(
            access.activity.id, person_ids={person.id}, line_keys=set()
        )
        known = next((participation for participation, _ in there), None)
        done = replace(access, signed_as=person.name, person_id=person.id)
        if known is not None and self.rooms.has_entry_of(room.id, known.id):
            return done, Signed.ELSEWHERE
        check_place_left(room, self.rooms.pulse(room.id).places_taken)
        self.signatures.note(
            room,
            access.activity,
            self._line_of_person(access.campus, access.activity, person),
            person,
            phone_digest=digest,
            signed_at=made,
            received_at=received,
            by=BY_PHONE,
        )
        return done, Signed.LISTED if known else Signed.NEW

    def _line_of_person(self, campus: Campus, activity: Activity, person: Person) -> ListedPerson:
        line = ListedPerson(
            1,
            given_name=person.given_name,
            family_name=person.family_name,
            address=self.people.addresses_of([person.id], is_known_at(campus.id)).get(person.id, ""),
        )
        taken = self.activities.line_keys(activity.id)
        return line if line.address else replace(line, homonym=free_homonym(line, taken))

    def take_back(self, ticket: Ticket) -> CheckInAccess:
        """The person of this phone takes back their presence and their agreement. Idempotent."""
        access = self.access_of(ticket)
        self.activities.lock(access.activity.id)
        room = self.rooms.lock(access.room.id)
        digest = phone_digest(self.secret, room, ticket.phone)
        if (waiting := self.rooms.find_waiting(room.id, digest)) is not None:
            self.rooms.remove(waiting)
        if (found := self.rooms.find_entry(room.id, digest)) is not None:
            entry, person = found
            participation, _ = self.activities.get_participation(entry.participation_id, access.activity.id)
            self.signatures.take_back(room, access.activity, entry, participation)
            answer = consent(About.ROOM, person.id, given=False, at=self.clock(), campus_id=room.campus_id)
            self.signatures.consents.add(answer)
        return replace(access, signed_as="", person_id=None)

    # --- phones that a campus remembers

    def remembered(self, campus: Campus, secrets: Sequence[str]) -> Person | None:
        """The person of that phone at that campus."""
        digests = [remembered_digest(self.secret, each) for each in secrets]
        found = self.rooms.remembered(campus.id, digests, at=self.clock()) if digests else None
        return found[1] if found and not is_gone(found[1]) else None

    def remember(self, campus: Campus, person_id: uuid.UUID) -> str:
        """Remember a phone; returns the secret for its cookie."""
        secret, at = new_phone(), self.clock()
        self.rooms.remember(
            RememberedPhone(
                campus_id=campus.id,
                person_id=person_id,
                secret_digest=remembered_digest(self.secret, secret),
                remembered_at=at,
                expires_at=at + REMEMBERED_FOR,
            )
        )
        return secret

    def forget(self, secrets: Sequence[str]) -> None:
        """Forget a phone at every campus. Idempotent."""
        digests = [remembered_digest(self.secret, each) for each in secrets]
        self.rooms.forget_phones([each.id for each in self.rooms.remembered_among(digests)])

    def agreed_with(self, person_id: uuid.UUID) -> list[Campus]:
        """Campuses where the person's last answer at check-in was to agree."""
        last: dict[uuid.UUID, bool] = {}
        for each in self.signatures.consents.of_person(person_id):
            if each.about is About.ROOM and each.campus_id is not None:
                last.setdefault(each.campus_id, each.given)
        return [self.campuses.get_by_id(campus_id) for campus_id, given in last.items() if given]

    def count_remembered(self, person_id: uuid.UUID) -> int:
        return self.rooms.count_remembered(person_id)

    def forget_phones_of(self, person_id: uuid.UUID) -> None:
        """For a lost phone, from the person's own page."""
        self.rooms.forget_phones_of(person_id)

    def _is_new_address(self, person: Person, line: ListedPerson) -> bool:
        return bool(line.address) and line.address not in self.people.all_addresses(person.id)

    def _have_all_signed(self, room: CheckIn, question: Question) -> bool:
        """If true, only the signer can tell whether they are one of them."""
        there = [each.participation for each in question.namesakes]
        return all(part is not None and self.rooms.has_entry_of(room.id, part.id) for part in there)

    def _access(self, room: CheckIn, phone: str) -> CheckInAccess:
        digest = phone_digest(self.secret, room, phone)
        entry, waiting = self.rooms.find_entry(room.id, digest), self.rooms.find_waiting(room.id, digest)
        return CheckInAccess(
            room,
            self.activities.get(room.activity_id),
            self.campuses.get_by_id(room.campus_id),
            entry[1].name if entry else waiting.name if waiting else "",
            entry[1].id if entry else None,
        )

    def session_of(self, campus: Campus, activity: Activity) -> ActivitySession | None:
        """Of a series, the session of today or the nearest one."""
        today = campus.day_of(self.clock())
        return session_nearest(self.plans.sessions_of(activity.id), today=today)

    def _free_sign(self) -> str:
        while self.rooms.find_signed(sign := new_sign()) is not None:
            continue
        return sign


def _id_of(session: ActivitySession | None) -> uuid.UUID | None:
    return session.id if session else None


def _check_same_person(person: Person | WaitingSignature, line: ListedPerson) -> None:
    if name_key(person.given_name, person.family_name) != name_key_of(line):
        raise OtherPerson(
            N_(
                "Ce téléphone a déjà signé pour une autre personne. Pour vous, dites votre nom à la personne qui anime."
            )
        )
