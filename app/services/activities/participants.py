"""Participants: checks lines before anything is written; and the attendance sheet."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from enum import StrEnum
from io import BytesIO
from types import MappingProxyType

import segno
from pypdf import PdfWriter

from app.adapters.papers import Papers
from app.db.activities import ActivityStore, CheckInStore
from app.db.activities.plans import ActivityPlanStore
from app.db.awards import AwardStore
from app.db.campus.directory import DirectoryStore
from app.db.campus.people import is_known_at
from app.db.people import PeopleStore
from app.domain.activities import Activity, Participation, PartKind, adds_to, disambiguated, session_nearest
from app.domain.activities.check_in import NoSuchCode, code_at
from app.domain.activities.listed_people import KNOWN, ListedPerson, name_key_of
from app.domain.awards import AwardState
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, CampusColours
from app.domain.core import Clock
from app.domain.imports.lists.model import Line, Reading, Reason, State
from app.domain.imports.lists.vocabulary.names import fold
from app.domain.people import Person, normal_address
from app.domain.people.consents import ListAnswers, Namesake, Question
from app.domain.publishing import Addresses
from app.errors import InvalidInput, NotFound
from app.language import N_, current_locale, translated
from app.services.activities.activities import ActivityService
from app.services.activities.line_faults import fault_of


def people_of(reading: Reading) -> list[ListedPerson]:
    """The lines that are ready, as people to record."""
    return [listed_person(line) for line in reading.in_state(State.READY)]


def listed_person(line: Line) -> ListedPerson:
    """As read; what is still faulty stands there as written."""
    written = {doubt.reason: doubt.word for doubt in line.doubts}
    is_named = Reason.NO_NAME not in written
    return ListedPerson(
        line.line,
        given_name=line.given_name if is_named else "",
        family_name=line.family_name if is_named else "",
        address=line.address or normal_address(written.get(Reason.ADDRESS_INVALID, "")),
        hours=line.hours,
        part=PartKind.RESOURCE if fold(line.part).startswith("ressource") else PartKind.LEARNER,
        contribution=line.contribution,
        fault="hours" if line.hours_as_written else "",
        hours_as_written=line.hours_as_written,
        under_15={"under": True, "from": False}.get(line.age_band),
        homonym=max(line.homonym, 1),
        numbered_first=line.homonym == 1,
    )


def as_known(line: ListedPerson, namesake: Namesake) -> ListedPerson:
    person = namesake.person
    return replace(
        line, given_name=person.given_name, family_name=person.family_name, address=namesake.address
    )


class Entry(StrEnum):
    """What recording one line would do."""

    NEW = "new"
    THERE = "there"
    COMPLETED = "completed"
    """Already recorded; the line adds facts."""
    REPEATED = "repeated"
    REFUSED = "refused"
    UNCLEAR = "unclear"
    """Several people have that name and none was chosen."""


@dataclass(frozen=True)
class CheckedLine:
    line: ListedPerson
    entry: Entry
    sentence: str = ""
    """Reason for refusal: a French msgid for the catalogues."""
    question: Question | None = None
    """Which of several people with that name is meant."""


@dataclass(frozen=True)
class Movable:
    """`ready`: who moves. `held`: who holds a badge of the first activity. `absent`: how many are not in it."""

    source: Activity
    target: Activity
    ready: Sequence[tuple[Participation, Person]]
    held: Sequence[Person]
    absent: int


@dataclass(frozen=True, eq=False)
class ParticipantService:
    activity_service: ActivityService
    directory: DirectoryStore
    awards: AwardStore

    def add_known(
        self,
        campus: Campus,
        activity_id: uuid.UUID,
        person_ids: Sequence[uuid.UUID],
        *,
        by: Actor,
        facts: Mapping[uuid.UUID, Participation] | None = None,
    ) -> int:
        """Add people known to the campus, once each; returns how many were new to the activity. `facts`: part,
        hours and contribution of a person are those of another participation."""
        service = self.activity_service
        activity = service.get(campus, activity_id)
        service.activities.lock(activity.id)
        there = service.activities.participants(activity.id, with_absent=True)
        present = {person.id for participation, person in there if participation.is_present}
        people = [self._known(campus, one) for one in dict.fromkeys(person_ids) if one not in present]
        addresses = service.people.addresses_of((person.id for person in people), is_known_at(campus.id))
        taken = {participation.line_key for participation, _ in there}
        meant: dict[str, uuid.UUID] = {}
        lines: list[ListedPerson] = []
        for number, person in enumerate(people, 1):
            line = ListedPerson(
                number,
                given_name=person.given_name,
                family_name=person.family_name,
                address=addresses.get(person.id, ""),
            )
            if facts and (known := facts.get(person.id)):
                line = replace(line, hours=known.hours, part=known.part, contribution=known.contribution)
            while line.line_key in taken and not line.address:
                line = replace(line, homonym=line.homonym + 1)
            taken.add(line.line_key)
            meant[line.line_key] = person.id
            lines.append(line)
        service.keep(activity, lines, campus_id=campus.id, by=by, meant=meant)
        if lines:
            service.history.write(
                by,
                "record",
                "activity",
                activity.id,
                at=service.clock(),
                campus_id=campus.id,
                people=len(lines),
            )
        return len(lines)

    def movable(
        self, campus: Campus, from_id: uuid.UUID, to_id: uuid.UUID, person_ids: Sequence[uuid.UUID]
    ) -> Movable:
        """Who can be moved: a signed badge names its activity, so a holder of one stays."""
        service, wanted = self.activity_service, set(person_ids)
        source, target = service.get(campus, from_id), service.get(campus, to_id)
        if source.id == target.id:
            raise InvalidInput("Choisissez deux activités différentes.")
        holders = self.awards.holders_in(source.id)
        listed = service.activities.participants(source.id)
        there = [pair for pair in listed if pair[1].id in wanted]
        return Movable(
            source,
            target,
            [pair for pair in there if pair[1].id not in holders],
            [person for _, person in there if person.id in holders],
            len(wanted) - len(there),
        )

    def move(
        self,
        campus: Campus,
        from_id: uuid.UUID,
        to_id: uuid.UUID,
        person_ids: Sequence[uuid.UUID],
        *,
        reason: str,
        by: Actor,
    ) -> Movable:
        """Present in the second activity, absent from the first; both logs hold it with the reason."""
        for activity_id in sorted((from_id, to_id)):
            self.activity_service.activities.lock(activity_id)
        # Their badges are read after a merge that is under way.
        self.activity_service.hold(self.activity_service.people.list_by_id(person_ids))
        found = self.movable(campus, from_id, to_id, person_ids)
        facts = {person.id: part for part, person in found.ready}
        # Before the log is locked: who withdraws a badge of the first activity locks its counts, then the log.
        for part in facts.values():
            part.is_present = False
        self.activity_service.activities.add_participations(list(facts.values()))
        self.add_known(campus, to_id, list(facts), by=by, facts=facts)
        self.activity_service.amend_all(found.source, list(facts.values()), by=by, reason=reason)
        return found

    def _known(self, campus: Campus, person_id: uuid.UUID) -> Person:
        person = self.directory.find_person(campus.id, person_id)
        if person is None:
            raise NotFound("Cette personne n’existe pas ici.")
        return person

    def known_beside(
        self, campus: Campus, activity_id: uuid.UUID | None, lines: Sequence[tuple[str, str, str]]
    ) -> dict[int, tuple[Namesake, ...]]:
        """A family's address is normal for pupils; adults are asked about theirs."""
        activity = self.activity_service.get(campus, activity_id) if activity_id else None
        is_for_pupils = activity is not None and activity.is_for_pupils
        return self.activity_service.namesakes.known_beside(
            campus, activity, lines, at_address=not is_for_pupils
        )

    def with_known(
        self,
        campus: Campus,
        activity_id: uuid.UUID | None,
        lines: Sequence[ListedPerson],
        answers: Mapping[int, bool],
        *,
        named: Mapping[int, uuid.UUID] = MappingProxyType({}),
    ) -> list[ListedPerson]:
        """By line number, whether it is the person already known; the line of a known person is at fault without
        an answer, or where several are known. `named`: the people whom an identifier names."""
        known_names = [
            ("", "", "") if line.line in named else (line.given_name, line.family_name, line.address)
            for line in lines
        ]
        settled = self._as_named(campus, lines, named) if named else list(lines)
        for index, people in self.known_beside(campus, activity_id, known_names).items():
            answer = answers.get(lines[index].line)
            if answer and len(people) == 1:
                settled[index] = as_known(lines[index], people[0])
            elif answer is not False:
                settled[index] = replace(lines[index], fault=KNOWN)
        return settled

    def _as_named(
        self, campus: Campus, lines: Sequence[ListedPerson], named: Mapping[int, uuid.UUID]
    ) -> list[ListedPerson]:
        """With name and address as recorded; people of one name without an address are numbered."""
        store = self.activity_service.people
        people = {person.id: person for person in store.list_by_id(set(named.values()))}
        addresses = store.addresses_of(people, is_known_at(campus.id))
        taken, settled = set[str](), list[ListedPerson]()
        for line in lines:
            if line.line in named:
                person = people[named[line.line]]
                line = replace(
                    line,
                    person_id=person.id,
                    given_name=person.given_name,
                    family_name=person.family_name,
                    address=addresses.get(person.id, ""),
                )
                while line.line_key in taken and not line.address:
                    line = replace(line, homonym=line.homonym + 1)
            taken.add(line.line_key)
            settled.append(line)
        return settled

    def check(
        self, campus: Campus, activity_id: uuid.UUID, lines: Sequence[ListedPerson], answers: ListAnswers
    ) -> list[CheckedLine]:
        """Check each line as `record` would, in the given order; writes nothing."""
        activity = self.activity_service.get(campus, activity_id)
        sorted_lines = self.activity_service.namesakes.sort(
            campus, activity, [line.tidied() for line in lines], answers, asks=True
        )
        known_names = self.activity_service.people.list_named_at(
            (line.address, name_key_of(line)) for line in sorted_lines.lines if line.address
        )
        checked = [CheckedLine(line, Entry.REPEATED) for line in sorted_lines.repeated]
        seen: set[uuid.UUID] = set()
        for line in sorted_lines.lines:
            fault, question = fault_of(line), sorted_lines.questions.get(line.line)
            participation, person = sorted_lines.meant.get(line.line_key, (None, None))
            if fault is not None:
                checked.append(CheckedLine(line, Entry.REFUSED, fault.sentence))
            elif question is not None and question.is_open:
                checked.append(CheckedLine(line, Entry.UNCLEAR, question=question))
            elif person is not None and person.id in seen:
                checked.append(CheckedLine(line, Entry.REPEATED, question=question))
            else:
                entry = Entry.NEW if participation is None else Entry.THERE
                if participation and person and _says_more(line, participation, person, known_names):
                    entry = Entry.COMPLETED
                checked.append(CheckedLine(line, entry, question=question))
            if person is not None:
                seen.add(person.id)
        return sorted(checked, key=lambda one: one.line.line)


def _says_more(
    line: ListedPerson,
    participation: Participation,
    person: Person,
    known_names: Mapping[tuple[str, str], Person],
) -> bool:
    return (
        adds_to(participation, hours=line.hours, contribution=line.contribution)
        or (bool(line.address) and (line.address, name_key_of(line)) not in known_names)
        or (line.under_15 is not None and line.under_15 != (person.under_15_on is not None))
    )


# --- The attendance sheet of an activity, as a PDF; its code leads to the check-in while that is open


ON_ONE_PAGE = 30
_FEWEST_BLANK = 3
_MAC = 9
Days = Callable[[date, date], str]
Hour = Callable[[time], str]


@dataclass(frozen=True)
class ParticipantRow:
    """A participant as a row of a table."""

    person: Person
    participation: Participation
    address: str
    badges: Sequence[str]


@dataclass(frozen=True)
class AttendanceSheet:
    activity: Activity
    names: Sequence[str]
    values: dict[str, object]
    link: str


@dataclass(frozen=True, eq=False)
class AttendanceSheets:
    activities: ActivityStore
    plans: ActivityPlanStore
    rooms: CheckInStore
    people: PeopleStore
    awards: AwardStore
    papers: Papers
    addresses: Addresses
    secret: bytes
    clock: Clock

    def rows(self, campus: Campus, activity_id: uuid.UUID) -> Iterator[ParticipantRow]:
        """Everyone enrolled, present or absent, by name, with the valid badges of the campus."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        badges: dict[uuid.UUID, list[str]] = {}
        for _, person_id, name, state in self.awards.given_in(activity.id, campus.id):
            if state is AwardState.ISSUED:
                badges.setdefault(person_id, []).append(name)
        for block in self.activities.participants_in_turn(activity.id, with_absent=True):
            addresses = self.people.addresses_of((person.id for _, person in block), is_known_at(campus.id))
            for participation, person in block:
                yield ParticipantRow(
                    person, participation, addresses.get(person.id, ""), badges.get(person.id, ())
                )

    def prepare(self, campus: Campus, activity_id: uuid.UUID, *, days: Days, hour: Hour) -> AttendanceSheet:
        """`days` and `hour` write a date and a time in the current language."""
        activity = self.activities.get_in_campus(activity_id, campus.id)
        listed = sorted(
            self.activities.participants(activity.id, with_absent=True),
            key=lambda pair: (pair[1].listed_as, pair[0].line_key),
        )
        names = [
            disambiguated(part, f"{person.family_name} {person.given_name}".strip())
            for part, person in listed
        ]
        blank = max(_FEWEST_BLANK, ON_ONE_PAGE - len(names)) if len(names) != ON_ONE_PAGE else 0
        facts = [self._when(campus, activity, days, hour), activity.place, self._trainers(activity)]
        return AttendanceSheet(
            activity,
            names,
            {
                "lang": current_locale(),
                "accent": CampusColours.of(campus.hue, campus.liveliness).accent,
                "campus": translated("Campus {name}").format(name=campus.name),
                "title": translated("Émargement : {title}").format(title=activity.title),
                "facts": [fact for fact in facts if fact],
                "heads": [translated(words) for words in (N_("N°"), N_("Nom et prénom"), N_("Signature"))],
                "people": names,
                "blank": blank,
                "code-hint": translated(
                    "Sur un téléphone, pendant l’émargement : visez ce code au lieu de signer."
                ),
                "code-words": translated("Code QR de l’émargement"),
                "signature": translated("Date, nom et signature de la personne qui anime"),
                "foot": activity.title[:90],
                "page": translated("Page"),
            },
            f"{self.addresses.base_url}/presence/feuille/{self.token_of(activity.id)}",
        )

    def printed(self, sheet: AttendanceSheet) -> bytes:
        """Takes a second or more for hundreds of people: call it outside a transaction."""
        drawn = BytesIO()
        segno.make(sheet.link, error="m", micro=False).save(drawn, kind="svg", border=2, xmldecl=False)
        return self.papers.pdf("attendance", sheet.values, {"code.svg": drawn.getvalue()}, at=self.clock())

    def printed_together(self, sheets: Sequence[AttendanceSheet]) -> bytes:
        joined, out = PdfWriter(), BytesIO()
        for sheet in sheets:
            joined.append(BytesIO(self.printed(sheet)))
        joined.write(out)
        return out.getvalue()

    def _when(self, campus: Campus, activity: Activity, days: Days, hour: Hour) -> str:
        """Of a series, the session of today or the nearest one."""
        today = campus.day_of(self.clock())
        session = session_nearest(self.plans.sessions_of(activity.id), today=today)
        when = (
            days(session.held_on, session.held_on) if session else days(activity.starts_on, activity.ends_on)
        )
        times = " – ".join(hour(each) for each in (activity.start_time, activity.end_time) if each)
        return ", ".join(filter(None, (when, times)))

    def _trainers(self, activity: Activity) -> str:
        return ", ".join(person.name for person in self.plans.trainers_of(activity.id))

    # --- the printed code

    def token_of(self, activity_id: uuid.UUID) -> str:
        return base64.urlsafe_b64encode(activity_id.bytes + self._mac(activity_id)).decode().rstrip("=")

    def code_now(self, token: str) -> str:
        """The code of the open check-in of a printed sheet: it only opens what is projected just now."""
        activity_id = self._activity_of(token)
        room = self.rooms.find_open_of(activity_id, at=self.clock()) if activity_id else None
        code = code_at(self.secret, room, self.clock()) if room else ""
        if not code:
            raise NoSuchCode(
                N_(
                    "L’émargement par téléphone n’est pas ouvert. Signez la feuille, ou demandez à la personne qui anime."
                )
            )
        return code

    def _activity_of(self, token: str) -> uuid.UUID | None:
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(raw) != 16 + _MAC:
            return None
        activity_id = uuid.UUID(bytes=raw[:16])
        return activity_id if hmac.compare_digest(raw[16:], self._mac(activity_id)) else None

    def _mac(self, activity_id: uuid.UUID) -> bytes:
        message = b"attendance sheet|" + activity_id.bytes
        return hmac.digest(self.secret, message, hashlib.sha256)[:_MAC]
