"""The attendance sheet of an activity, as a PDF; its code leads to the check-in while that is open."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time
from io import BytesIO
from zoneinfo import ZoneInfo

import segno
from pypdf import PdfWriter

from app.adapters.papers import Papers
from app.db.activities import ActivityStore, CheckInStore
from app.db.activities.plans import ActivityPlanStore
from app.db.awards import AwardStore
from app.db.campus.people import is_known_at
from app.db.people import PeopleStore
from app.domain.activities import Activity, Participation, disambiguated, session_nearest
from app.domain.activities.check_in import NoSuchCode, code_at
from app.domain.awards import AwardState
from app.domain.campus.campus import Campus, CampusColours
from app.domain.core import Clock
from app.domain.people import Person
from app.domain.publishing import Addresses
from app.language import N_, current_locale
from app.language.typography import translated

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
                "campus": translated(N_("Campus {name}")).format(name=campus.name),
                "title": translated(N_("Émargement : {title}")).format(title=activity.title),
                "facts": [fact for fact in facts if fact],
                "heads": [translated(words) for words in (N_("N°"), N_("Nom et prénom"), N_("Signature"))],
                "people": names,
                "blank": blank,
                "code-hint": translated(
                    N_("Sur un téléphone, pendant l’émargement : visez ce code au lieu de signer.")
                ),
                "code-words": translated(N_("Code QR de l’émargement")),
                "signature": translated(N_("Date, nom et signature de la personne qui anime")),
                "foot": activity.title[:90],
                "page": translated(N_("Page")),
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
        today = self.clock().astimezone(ZoneInfo(campus.time_zone)).date()
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
