"""Import preview: matched people and activities, new ones, changes. Read-only."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.db.imports import ImportStore
from app.domain.activities import Activity, Participation, check_leads
from app.domain.activities.listed_people import ListedPerson, name_key_of
from app.domain.campus.campus import Campus
from app.domain.imports.imports import (
    REPEATS,
    ActivityRecord,
    Imported,
    ImportLineOutcome,
    Record,
    news,
    would_change,
)
from app.domain.people import Person, name_key
from app.domain.people.consents import SEVERAL_OF_NAME
from app.errors import NotAllowed
from app.language import N_
from app.services.activities.activities import ActivityService
from app.services.activities.plans import ActivityPlans
from app.services.reports.surveys import ReportFactsService

ERASED = N_("Effacée à la demande de la personne, ou retirée depuis : elle n’est pas importée.")
NOTHING_TO_TAKE_BACK = N_("Rien n’avait été importé sous cet identifiant.")
CHANGES = N_("Change : {what}.")
OTHER_ACCOUNT = N_(
    "Un autre compte de cette plateforme porte ce nom, et y a déjà une participation. Si c’est une autre personne, "
    "ajoutez-la à la main."
)
CREATES = N_("Nouvelle activité et première participation.")


@dataclass(frozen=True)
class MatchedRecord:
    """One line with its match. `changes`: names of the fields it would change."""

    record: Record
    fate: ImportLineOutcome
    reason: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    activity: Activity | None = None
    activity_news: Mapping[str, Any] = field(default_factory=dict)
    participation: Participation | None = None
    person: Person | None = None
    link: Imported | None = None
    news: Mapping[str, Any] = field(default_factory=dict)
    new_address: bool = False
    """The line contains an address not known for the person."""
    is_somebody_else: bool = False
    """The identifier referred to another person until now."""


def blanks_of(activity: Activity, said: Mapping[str, Any], cells: Mapping[str, str]) -> dict[str, Any]:
    """`cells`: the facts for the report that the activity has."""
    return {
        name: value
        for name, value in said.items()
        if (name in ("place", "hours") and getattr(activity, name) in ("", None))
        or (name in cells and not cells[name])
    }


def noted_of(participation: Participation) -> dict[str, Any]:
    return {
        "hours": participation.hours,
        "part": participation.part.value,
        "contribution": participation.contribution,
    }


def is_same_person(one: MatchedRecord) -> bool:
    """Whether the line names the person its identifier already refers to."""
    return one.person is not None and name_key_of(one.record.person) == name_key(
        one.person.given_name, one.person.family_name
    )


def refused(one: MatchedRecord, reason: str) -> MatchedRecord:
    return replace(one, fate=ImportLineOutcome.REFUSED, reason=reason, activity_news={})


def said_again(
    one: MatchedRecord, participation: Participation | None, person: Person | None, who: str
) -> MatchedRecord:
    """A line with a known identifier: compares its current values with the previous ones."""
    assert one.link is not None
    assert one.participation is not None
    assert one.person is not None
    if one.link.said.get("who") == who or is_same_person(one):
        fresh = news(one.record.said(), one.link.said)
        return changing(one, fresh, is_back=bool(one.link.said.get("withdrawn")))
    if participation is not None and participation.is_present:
        return refused(one, N_("Nomme une autre personne, qui a déjà une participation à cette activité."))
    return replace(
        one,
        fate=ImportLineOutcome.CHANGED,
        reason=CHANGES,
        values={"what": sorted({"person", *one.activity_news})},
        news=one.record.said(),
        person=person,
        is_somebody_else=True,
    )


def changing(one: MatchedRecord, fresh: Mapping[str, Any], *, is_back: bool) -> MatchedRecord:
    assert one.participation is not None
    noted = noted_of(one.participation)
    real = {name: value for name, value in fresh.items() if noted[name] != value}
    more = [*(["present"] if is_back else []), *(["address"] if one.new_address else [])]
    what = sorted({*real, *one.activity_news, *more})
    if not what:
        return replace(one, fate=ImportLineOutcome.SAME)
    return replace(one, fate=ImportLineOutcome.CHANGED, reason=CHANGES, values={"what": what}, news=real)


_Named = Mapping[tuple[str, str], Person]
"""People by (address, matching name)."""


@dataclass(frozen=True)
class _People:
    """Known people of one activity: by line key, and the source's previous values per participation."""

    meant: Mapping[str, tuple[Participation | None, Person]]
    standing: Mapping[uuid.UUID, Sequence[Imported]]
    unclear: Collection[str] = ()


@dataclass(frozen=True)
class _Known:
    """Existing rows, queried once for many lines."""

    links: Mapping[str, Imported]
    activities: Mapping[uuid.UUID, Activity]
    by_title: Mapping[tuple[str, str], Activity]
    parts: Mapping[uuid.UUID, tuple[Participation, Person]]
    cells: Mapping[uuid.UUID, Mapping[str, str]]
    """Facts for the report of these activities, if a line has some."""


@dataclass(frozen=True, eq=False)
class ImportMatching:
    imports: ImportStore
    activity_service: ActivityService
    plans: ActivityPlans
    report_facts: ReportFactsService
    secret: bytes

    def key(self, campus: Campus, source: str, own_key: Sequence[str]) -> str:
        """A source's identifier as stored: a keyed digest, since it may be an address."""
        words = json.dumps(["import", str(campus.id), source, *own_key], ensure_ascii=False)
        return hmac.new(self.secret, words.encode(), hashlib.sha256).hexdigest()

    def match(
        self, campus: Campus, source: str, records: Sequence[Record], *, restates: bool = False
    ) -> list[MatchedRecord]:
        """Each line in the given order. `restates`: one participation may have several identifiers."""
        good = [record for record in records if not record.fault]
        known = self._known(campus, source, good)
        placed = [self._placed(campus, source, record, known, restates) for record in records]
        named = self._named(placed)
        people = self._people(campus, source, placed, named)
        matched = (
            self._with_person(one, people, named, self.identity(campus, source, one.record), restates)
            if one.fate is ImportLineOutcome.WAITING
            else one
            for one in placed
        )
        return [self._without_refused_address(campus, one) for one in matched]

    def _without_refused_address(self, campus: Campus, one: MatchedRecord) -> MatchedRecord:
        """An address that the campus may not add is left out; where nothing else changes, its refusal is the reason of the line."""
        if one.fate is not ImportLineOutcome.CHANGED or not one.new_address or one.person is None:
            return one
        refusal = self.activity_service.given_addresses.refusal(
            one.person, one.record.person.address, campus_id=campus.id, by_name=one.link is None
        )
        if refusal is None or one.is_somebody_else:
            return one
        what = [name for name in one.values["what"] if name != "address"]
        if not what:
            return replace(one, fate=ImportLineOutcome.SAME, reason=refusal, values={}, new_address=False)
        return replace(one, values={"what": [*what, "no_address"]}, new_address=False)

    def _named(self, placed: Sequence[MatchedRecord]) -> dict[tuple[str, str], Person]:
        lines = (one.record.person for one in placed if one.fate is ImportLineOutcome.WAITING)
        return self.activity_service.people.list_named_at(
            (line.address, name_key_of(line)) for line in lines if line.address
        )

    def identity(self, campus: Campus, source: str, record: Record) -> dict[str, str]:
        """Stored digests of the person's name and account: a name corrected here since then is not another person."""
        found = {"who": self.key(campus, source, ("who", name_key_of(record.person)))}
        if record.account:
            found["account"] = self.key(campus, source, ("account", record.account))
        return found

    def _known(self, campus: Campus, source: str, records: Sequence[Record]) -> _Known:
        keys = {self.key(campus, source, record.own_key) for record in records}
        keys |= {self.key(campus, source, record.activity.own_key) for record in records}
        links = self.imports.known(campus.id, keys)
        rows = [link.row_id for link in links.values() if link.row_id]
        days = {record.activity.starts_on for record in records if record.activity.starts_on}
        on_days = self.imports.activities_on(campus.id, days)
        parts = self.imports.participations(rows)
        of_parts = {participation.activity_id for participation, _ in parts.values()}
        activities = self.imports.activities(campus.id, {*rows, *of_parts})
        by_title = {(name_key("", each.title), str(each.starts_on)): each for each in reversed(on_days)}
        has_facts = any(record.activity.report for record in records)
        rows_of = {each.id: each for each in (*activities.values(), *on_days)} if has_facts else {}
        cells = self.report_facts.cells_of_many(campus, list(rows_of.values()))
        return _Known(links, activities, by_title, parts, cells)

    # --- matching the activity

    def _placed(
        self, campus: Campus, source: str, record: Record, known: _Known, restates: bool
    ) -> MatchedRecord:
        """Refused or decided without matching people, or pending with its activity."""
        if record.fault:
            fate = ImportLineOutcome.SAME if record.fault == REPEATS else ImportLineOutcome.REFUSED
            return MatchedRecord(record, fate, record.fault, record.values)
        link = known.links.get(self.key(campus, source, record.own_key))
        if record.withdrawn:
            return self._taken_back(record, link, known)
        if link is not None and (link.row_id is None or link.row_id not in known.parts):
            return MatchedRecord(record, ImportLineOutcome.REFUSED, ERASED)
        activity_link = known.links.get(self.key(campus, source, record.activity.own_key))
        activity = self._activity(record.activity, activity_link, known)
        if activity_link is not None and activity is None:
            return MatchedRecord(
                record,
                ImportLineOutcome.REFUSED,
                N_("L’activité de cette ligne n’est plus dans ce campus : elle n’est pas importée."),
            )
        one = MatchedRecord(record, ImportLineOutcome.WAITING, activity=activity, link=link)
        if link is not None and link.row_id is not None:
            participation, person = known.parts[link.row_id]
            if activity is None or participation.activity_id != activity.id:
                return self._moved(record, participation, known)
            one = replace(one, participation=participation, person=person)
        return self._with_activity_news(campus, one, activity_link, known, restates)

    @staticmethod
    def _activity(record: ActivityRecord, link: Imported | None, known: _Known) -> Activity | None:
        if link is not None:
            return known.activities.get(link.row_id) if link.row_id else None
        return known.by_title.get((name_key("", record.title), str(record.starts_on)))

    @staticmethod
    def _moved(record: Record, participation: Participation, known: _Known) -> MatchedRecord:
        before = known.activities.get(participation.activity_id)
        if before is None:
            return MatchedRecord(record, ImportLineOutcome.REFUSED, ERASED)
        return MatchedRecord(
            record,
            ImportLineOutcome.REFUSED,
            N_(
                "Cet identifiant désigne déjà une participation à « {title} » : une participation ne change pas "
                "d’activité. Donnez-lui un autre identifiant, ou un identifiant à l’activité."
            ),
            {"title": before.title},
        )

    @staticmethod
    def _taken_back(record: Record, link: Imported | None, known: _Known) -> MatchedRecord:
        found = known.parts.get(link.row_id) if link is not None and link.row_id else None
        if link is None or found is None:
            return MatchedRecord(record, ImportLineOutcome.REFUSED, NOTHING_TO_TAKE_BACK)
        participation, person = found
        if link.said.get("withdrawn"):
            return MatchedRecord(record, ImportLineOutcome.SAME)
        activity = known.activities.get(participation.activity_id)
        return MatchedRecord(
            record,
            ImportLineOutcome.CHANGED,
            N_("Retirée par la source."),
            activity=activity,
            participation=participation,
            person=person,
            link=link,
        )

    def _with_activity_news(
        self, campus: Campus, one: MatchedRecord, link: Imported | None, known: _Known, restates: bool
    ) -> MatchedRecord:
        """What the line changes in an existing activity; nothing if another campus leads it."""
        if one.activity is None:
            return one
        said = one.record.activity.said()
        # An activity matched by title keeps its values; only an identifier lets the source update it.
        current = known.cells.get(one.activity.id, {})
        fresh = news(said, link.said) if link is not None else blanks_of(one.activity, said, current)
        if restates:
            # For such a source, dates belong to its lines, not to the activity.
            fresh = {name: value for name, value in fresh.items() if name not in ("starts_on", "ends_on")}
        changed = would_change(one.activity, fresh, current)
        if changed and not self._leads(campus, one.activity):
            return one
        return replace(one, activity_news={name: fresh[name] for name in changed})

    def _leads(self, campus: Campus, activity: Activity) -> bool:
        place = self.plans.plans.place_of(activity.id, campus.id)
        try:
            if place is not None:
                check_leads(place)
        except NotAllowed:
            return False
        return place is not None

    # --- matching the person

    def _people(
        self, campus: Campus, source: str, placed: Sequence[MatchedRecord], named: _Named
    ) -> dict[uuid.UUID, _People]:
        groups: dict[uuid.UUID, list[MatchedRecord]] = {}
        for one in placed:
            if one.fate is ImportLineOutcome.WAITING and one.activity is not None:
                groups.setdefault(one.activity.id, []).append(one)
        return {
            activity_id: self._people_in(campus, source, activity_id, group, named)
            for activity_id, group in groups.items()
        }

    def _people_in(
        self,
        campus: Campus,
        source: str,
        activity_id: uuid.UUID,
        group: Sequence[MatchedRecord],
        named: _Named,
    ) -> _People:
        """A name alone only matches people without an identifier in this source."""
        lines = [one.record.person for one in group if not is_same_person(one)]
        if not lines:
            return _People({}, {})
        at_hand = [named.get((line.address, name_key_of(line))) for line in lines]
        there = self._there(activity_id, lines, filter(None, at_hand))
        standing = self.imports.standing_for(
            campus.id, source, (participation.id for participation, _ in there)
        )
        free = [participation for participation, _ in there if participation.id not in standing]
        matches = self.activity_service.namesakes.match(lines, there, open_to_name=free)
        return _People(matches.meant, standing, matches.unclear.keys())

    def _there(
        self, activity_id: uuid.UUID, lines: Sequence[ListedPerson], people: Iterable[Person]
    ) -> Sequence[tuple[Participation, Person]]:
        """Possible matches in the activity: a line without an address may match anyone with that name."""
        store = self.activity_service.activities
        if not all(line.address for line in lines):
            return store.participants(activity_id, with_absent=True)
        return store.participants_among(
            activity_id,
            person_ids={person.id for person in people},
            line_keys={key for line in lines for key in (line.line_key, *_keys_of_name(line))},
        )

    @staticmethod
    def _with_person(
        one: MatchedRecord,
        people: Mapping[uuid.UUID, _People],
        named: _Named,
        identity: Mapping[str, str],
        restates: bool,
    ) -> MatchedRecord:
        there = people[one.activity.id] if one.activity else _People({}, {})
        line = one.record.person
        participation, person = there.meant.get(line.line_key, (None, None))
        one = replace(one, new_address=bool(line.address) and (line.address, name_key_of(line)) not in named)
        if line.line_key in there.unclear:
            return refused(one, SEVERAL_OF_NAME)
        if one.link is not None and one.participation is not None:
            return said_again(one, participation, person, identity["who"])
        if participation is None:
            reason = "" if one.activity else CREATES
            return replace(
                one, fate=ImportLineOutcome.CREATED, reason=reason, person=person, news=one.record.said()
            )
        one = replace(one, participation=participation, person=person)
        if standing := there.standing.get(participation.id):
            if (account := identity.get("account")) and any(
                each.said.get("account", account) != account for each in standing
            ):
                return refused(one, OTHER_ACCOUNT)
            if restates:
                return changing(one, one.record.said(), is_back=not participation.is_present)
            return refused(
                one,
                N_("Cette personne a déjà une participation à cette activité, sous un autre identifiant."),
            )
        # Values recorded by a trainer take precedence; a later source only fills blanks.
        noted = noted_of(participation)
        blanks = {name: value for name, value in one.record.said().items() if noted[name] in (None, "")}
        return changing(one, blanks, is_back=not participation.is_present)


def _keys_of_name(line: ListedPerson) -> tuple[str, str]:
    """Keys of the first and second person of that name without an address: two make it ambiguous."""
    return f"|{name_key_of(line)}", f"|{name_key_of(line)}#2"
