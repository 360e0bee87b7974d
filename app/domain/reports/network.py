"""One year of a network of campuses: what each campus shares, and figures that count shared work once."""

from __future__ import annotations

import uuid
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlmodel import Field, SQLModel

from app.domain.core import primary_foreign_key, utc_datetime
from app.domain.reports.indicators import SMALL, hidden_counts
from app.domain.reports.ledger import (
    MOBILISED,
    ActivityRow,
    Period,
    establishments_of,
    organisations_of,
    unpacked,
)
from app.language import N_


class Topic(StrEnum):
    ACTIONS = "actions"
    PEOPLE = "people"
    PARTNERS = "partners"


TOPICS: Final = {
    Topic.ACTIONS: N_("Les actions : combien, et le titre de celles menées à plusieurs"),
    Topic.PEOPLE: N_("Les personnes : combien, jamais qui ; leurs heures, et où"),
    Topic.PARTNERS: N_("Les partenaires : combien d’entreprises ; les établissements, par leur nom"),
}


class ReportSharing(SQLModel, table=True):
    """What a campus shows of its year on the page of a network; without a row, nothing."""

    __tablename__ = "report_sharing"
    campus_id: uuid.UUID = Field(sa_column=primary_foreign_key("campus"))
    network_id: uuid.UUID = Field(sa_column=primary_foreign_key("network"))
    actions: bool = False
    people: bool = False
    partners: bool = False
    changed_at: datetime = Field(sa_column=utc_datetime())

    @property
    def topics(self) -> frozenset[Topic]:
        return frozenset(topic for topic in Topic if getattr(self, topic.value))


@dataclass(frozen=True)
class NetworkFigure:
    """`by_campus` has None where a count of people is hidden; `network` is `total` less `duplicates`.

    `duplicates` is None where its exact number would tell of fewer than five people; `network` is then None too.
    """

    name: str
    by_campus: Mapping[uuid.UUID, int | None]
    total: int | None
    duplicates: int | None
    network: int | None
    is_few: bool = False
    """Between one and four duplicates, hidden."""


# --- what may be counted by now, whatever pages a reader has saved
#
# Every period is made of halves (January to August, September to December), every half of parts (the people of one set
# of organising campuses), and every part of blocks of whole months, which end with the first month in which it has
# grown by none or by at least SMALL. A part is counted up to its last block: what each number shows depends on the
# activities of one set of campuses alone, so that no two pages, of any two days, periods or networks, differ by a
# small count. A small rest at the end of a half is in no number.


@dataclass(frozen=True)
class Countable:
    """`last`: the day up to which all people are counted; of later activities only `rows` are. None before any."""

    last: date | None
    rows: Sequence[ActivityRow]
    campuses: frozenset[uuid.UUID] = frozenset()
    """With people who are not counted yet, or never."""
    hides_places: bool = False


def countable(rows: Collection[ActivityRow], period: Period) -> Countable:
    """`rows` name all their campuses, also those outside the network; `period` ends with a complete month.

    The table by département waits until its halves are over, each with enough people.
    """
    counted, hides = list[ActivityRow](), False
    for first, last in _halves(period):
        until, parts = min(last, period.last), defaultdict[_Part, list[ActivityRow]](list)
        for row in rows:
            if first <= max(row.starts_on, period.first) <= until:
                parts[frozenset(row.campuses), row.starts_on < first, row.ends_on > last].append(row)
        for some in parts.values():
            blocks = _blocks(some, first, until)
            counted += [row for row in some if blocks and row.starts_on <= blocks[-1]]
            hides |= until < last or _has_few_somewhere(some, blocks)
    there = {row.id for row in counted}
    begun = [row for row in rows if row.starts_on <= period.last and row.people and row.id not in there]
    if begun and not any(row.people for row in counted):
        return Countable(None, (), hides_places=True)
    first = min((max(row.starts_on, period.first) for row in begun), default=period.last)
    return Countable(
        first.replace(day=1) - timedelta(days=1) if begun else period.last,
        counted,
        frozenset(campus for row in begun for campus in row.campuses),
        hides or bool(begun),
    )


def _halves(period: Period) -> Iterator[tuple[date, date]]:
    """First and last day of each, though the period ends within it."""
    first = period.first
    while first <= period.last:
        last = date(first.year, 8, 31) if first.month < 9 else date(first.year, 12, 31)
        yield first, last
        first = last + timedelta(days=1)


_Part = tuple[frozenset[uuid.UUID], bool, bool]
"""The campuses that organise, and whether the activities begin before the half, or end after it.

Those are in periods that hold either half, and so apart from the others.
"""


def _blocks(rows: Sequence[ActivityRow], first: date, until: date) -> list[date]:
    """Last days of the months up to which the people of a part may be counted."""
    ends, day = list[date](), first
    while day <= until:
        day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        month_end = day - timedelta(days=1)
        if not _is_few(_growth(rows, ends[-1] if ends else None, month_end)):
            ends.append(month_end)
    return ends


def _growth(rows: Sequence[ActivityRow], after: date | None, day: date) -> tuple[int, int]:
    """People that began after one day and until another, and learners not met before."""
    people, met, new = 0, set[bytes](), set[bytes]()
    for row in rows:
        if after is not None and row.starts_on <= after:
            met.update(unpacked(row.learners))
        elif row.starts_on <= day:
            people += row.people
            new.update(unpacked(row.learners))
    return people, len(new - met)


def _has_few_somewhere(rows: Sequence[ActivityRow], blocks: Sequence[date]) -> bool:
    """In a département: also between two days up to which other pages count."""
    places: dict[tuple[str, int], int] = {}
    for row in rows:
        key = row.departement, bisect_left(blocks, row.starts_on)
        places[key] = places.get(key, 0) + row.people
    return any(0 < count < SMALL for count in places.values())


def _is_few(counts: tuple[int, int]) -> bool:
    return any(0 < count < SMALL for count in counts)


def figure(
    name: str,
    counts: Mapping[uuid.UUID, int],
    network: int,
    *,
    of_people: bool,
    left_out: Collection[uuid.UUID] = (),
) -> NetworkFigure:
    """`left_out`: campuses with people who are not counted; 0 would be false there."""
    total = sum(counts.values())
    duplicates = total - network
    if not of_people:
        return NetworkFigure(name, dict(counts), total, duplicates, network)
    hidden = hidden_counts({str(key): count for key, count in counts.items()})
    by_campus = {key: hidden[str(key)] for key in counts}
    if 0 < total < SMALL or (total and all(count is None for count in by_campus.values())):
        return NetworkFigure(name, by_campus, None, None, None)
    by_campus |= {key: None for key in left_out if by_campus.get(key) == 0}
    if 0 < duplicates < SMALL:
        return NetworkFigure(name, by_campus, total, None, None, is_few=True)
    return NetworkFigure(name, by_campus, total, duplicates, network)


def rows_of(rows: Iterable[ActivityRow], campus_id: uuid.UUID) -> list[ActivityRow]:
    return [row for row in rows if campus_id in row.campuses]


def action_figures(rows: Collection[ActivityRow], campus_ids: Iterable[uuid.UUID]) -> list[NetworkFigure]:
    counts = {each: len(rows_of(rows, each)) for each in campus_ids}
    return [figure(N_("Actions"), counts, len(rows), of_people=False)]


def people_figures(
    rows: Collection[ActivityRow],
    learners: Mapping[uuid.UUID, int],
    distinct: int,
    *,
    left_out: Collection[uuid.UUID] = (),
) -> list[NetworkFigure]:
    """`learners`: distinct named learners of each campus; `distinct`: those of all campuses together."""

    def present(some: Iterable[ActivityRow]) -> int:
        return sum(row.people for row in some)

    def hours(some: Iterable[ActivityRow]) -> int:
        return round(sum(row.hours for row in some))

    by_campus = {each: rows_of(rows, each) for each in learners}
    participants = figure(
        N_("Participants"),
        {each: present(some) for each, some in by_campus.items()},
        present(rows),
        of_people=True,
        left_out=left_out,
    )
    named = figure(
        N_("Apprenants nommés, distincts"),
        learners,
        distinct,
        of_people=True,
        left_out=left_out,
    )
    spent = figure(
        N_("Heures-apprenant"),
        {each: hours(some) for each, some in by_campus.items()},
        min(hours(rows), sum(hours(some) for some in by_campus.values())),
        of_people=False,
    )
    return [participants, named, _hidden_like(spent, participants, named)]


def _hidden_like(shown: NetworkFigure, *others: NetworkFigure) -> NetworkFigure:
    """Hours are hidden wherever the people who spent them are."""
    by_campus = {
        key: None if any(each.by_campus[key] is None for each in others) else count
        for key, count in shown.by_campus.items()
    }
    if all(count is None for count in by_campus.values()) or any(each.total is None for each in others):
        return NetworkFigure(shown.name, by_campus, None, None, None)
    if any(each.network is None for each in others):
        return NetworkFigure(shown.name, by_campus, shown.total, None, None)
    return NetworkFigure(shown.name, by_campus, shown.total, shown.duplicates, shown.network)


def hides_places(figures: Iterable[NetworkFigure]) -> bool:
    """Whether a table of the same people by département would give back what these figures hide."""
    return any(each.network is None or None in each.by_campus.values() for each in figures)


def partner_figures(rows: Collection[ActivityRow], campus_ids: Iterable[uuid.UUID]) -> list[NetworkFigure]:
    by_campus = {each: rows_of(rows, each) for each in campus_ids}
    return [
        figure(
            N_("Entreprises mobilisées"),
            {each: len(organisations_of(some, MOBILISED)) for each, some in by_campus.items()},
            len(organisations_of(rows, MOBILISED)),
            of_people=False,
        ),
        figure(
            N_("Établissements"),
            {each: len(establishments_of(some)) for each, some in by_campus.items()},
            len(establishments_of(rows)),
            of_people=False,
        ),
    ]


_ACADEMIES: Final = {
    "Aix-Marseille": "04 05 13 84",
    "Amiens": "02 60 80",
    "Besançon": "25 39 70 90",
    "Bordeaux": "24 33 40 47 64",
    "Clermont-Ferrand": "03 15 43 63",
    "Corse": "2A 2B",
    "Créteil": "77 93 94",
    "Dijon": "21 58 71 89",
    "Grenoble": "07 26 38 73 74",
    "Guadeloupe": "971",
    "Guyane": "973",
    "La Réunion": "974",
    "Lille": "59 62",
    "Limoges": "19 23 87",
    "Lyon": "01 42 69",
    "Martinique": "972",
    "Mayotte": "976",
    "Montpellier": "11 30 34 48 66",
    "Nancy-Metz": "54 55 57 88",
    "Nantes": "44 49 53 72 85",
    "Nice": "06 83",
    "Normandie": "14 27 50 61 76",
    "Orléans-Tours": "18 28 36 37 41 45",
    "Paris": "75",
    "Poitiers": "16 17 79 86",
    "Reims": "08 10 51 52",
    "Rennes": "22 29 35 56",
    "Strasbourg": "67 68",
    "Toulouse": "09 12 31 32 46 65 81 82",
    "Versailles": "78 91 92 95",
}
ACADEMY_OF: Final = {code: name for name, codes in _ACADEMIES.items() for code in codes.split()}
"""By département."""


def people_by(rows: Iterable[ActivityRow], names: Mapping[str, str]) -> dict[str, int | None]:
    """Participants by the name of their département; cells under five hidden, by complement too."""
    counts: dict[str, int] = {}
    for row in rows:
        name = names.get(row.departement, "")
        counts[name] = counts.get(name, 0) + row.people
    return dict(sorted(hidden_counts(counts).items(), key=lambda pair: (pair[0] == "", pair[0])))


def by_academy(by_departement: Mapping[str, int | None], names: Mapping[str, str]) -> dict[str, int | None]:
    """Sums of the shown cells: an académie with a hidden département is hidden too."""
    academies = {names[code]: academy for code, academy in ACADEMY_OF.items() if code in names}
    found: dict[str, int | None] = {}
    for name, count in by_departement.items():
        academy = academies.get(name, "")
        before = found.get(academy, 0)
        found[academy] = None if before is None or count is None else before + count
    return dict(sorted(found.items(), key=lambda pair: (pair[0] == "", pair[0])))
