"""What one organisation did with a campus in a period, as a page and a paper that it can show."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date

from app.adapters.papers import Papers
from app.domain.campus.campus import Campus, CampusColours
from app.domain.core import Clock
from app.domain.reports.facts import ORGANISATION_PARTS, OrganisationPart
from app.domain.reports.indicators import SMALL, hidden_rows, people_of
from app.domain.reports.ledger import ActivityRow, Period, establishments_of
from app.errors import NotFound
from app.language import N_, current_locale
from app.language.typography import translated
from app.services.reports.reports import ReportService

Days = Callable[[date, date], str]


@dataclass(frozen=True)
class PartnerAction:
    """`people` is None below five, or where the campus's report hides it: no participant can be recognised."""

    title: str
    starts_on: date
    ends_on: date
    part: OrganisationPart
    people: int | None
    establishments: Sequence[str]


@dataclass(frozen=True)
class Partner:
    key: str
    name: str
    actions: int


@dataclass(frozen=True)
class PartnerYear:
    """`people`: of all its actions; None where one of them is hidden."""

    campus: Campus
    period: Period
    key: str
    name: str
    actions: Sequence[PartnerAction]
    establishments: Sequence[str]
    people: int | None
    favourable: int
    answered: int


@dataclass(frozen=True)
class PartnerReports:
    reports: ReportService
    papers: Papers
    clock: Clock

    def partners(self, campus: Campus, asked: Period) -> list[Partner]:
        """The most active first."""
        names: dict[str, str] = {}
        actions: dict[str, int] = {}
        for row in self._rows(campus, asked):
            for one in row.organisations:
                names[one.key] = one.name
                actions[one.key] = actions.get(one.key, 0) + 1
        found = [Partner(key, name, actions[key]) for key, name in names.items()]
        return sorted(found, key=lambda each: (-each.actions, each.name.casefold()))

    def year(self, campus: Campus, key: str, asked: Period) -> PartnerYear:
        period = asked.until(self.reports.today())
        rows = [row for row in self._rows(campus, asked) if any(one.key == key for one in row.organisations)]
        if not rows:
            raise NotFound(N_("Cette organisation n’a pris part à aucune action de cette période."))
        hidden = self._hidden(campus, rows)
        rows.sort(key=lambda row: (row.starts_on, row.title))
        surveys = [row.survey for row in rows if row.survey]
        return PartnerYear(
            campus,
            period,
            key,
            next(one.name for one in rows[-1].organisations if one.key == key),
            [_action(row, key, hidden) for row in rows],
            sorted({name or number for number, name in establishments_of(rows).items()}),
            None if any(row.id in hidden for row in rows) else people_of(rows),
            sum(each.answers[2] + each.answers[3] for each in surveys),
            sum(sum(each.answers) for each in surveys),
        )

    def printed(self, found: PartnerYear, *, days: Days) -> bytes:
        """A tagged A4 page; `days` writes dates in the current language."""
        return self.papers.pdf("partner", self._values(found, days), {}, at=self.clock())

    def _values(self, found: PartnerYear, days: Days) -> dict[str, object]:
        campus = found.campus
        numbers = [(str(len(found.actions)), translated(N_("Actions")))]
        if found.people is not None:
            numbers.append((str(found.people), translated(N_("Participants"))))
        if found.establishments:
            numbers.append((str(len(found.establishments)), translated(N_("Établissements"))))
        return {
            "lang": current_locale(),
            "accent": CampusColours.of(campus.hue, campus.liveliness).accent,
            "author": campus.name,
            "title": found.name,
            "campus": translated(N_("Campus {name}")).format(name=campus.name),
            "period": days(found.period.first, found.period.last),
            "numbers": [list(each) for each in numbers],
            "heads": [
                translated(each) for each in (N_("Action"), N_("Dates"), N_("Rôle"), N_("Participants"))
            ],
            "actions": [
                [
                    each.title,
                    days(each.starts_on, each.ends_on),
                    translated(ORGANISATION_PARTS[each.part]),
                    "–" if each.people is None else str(each.people),
                ]
                for each in found.actions
            ],
            "with": translated(N_("Établissements des participants")) if found.establishments else "",
            "establishments": list(found.establishments),
            "foot": translated(N_("Aucun participant n’est nommé ici. Chiffres du journal du campus.")),
        }

    def _rows(self, campus: Campus, asked: Period) -> Sequence[ActivityRow]:
        today = self.reports.today()
        ledger = self.reports.ledger(campus, asked.until(today))
        return [row for row in ledger.rows if row.starts_on <= today]

    def _hidden(self, campus: Campus, rows: Sequence[ActivityRow]) -> frozenset[uuid.UUID]:
        """As in the campus's own reports, which may show what is beside them."""
        first, last = min(row.starts_on for row in rows), max(row.ends_on for row in rows)
        years = Period(date(first.year, 1, 1), date(last.year, 12, 31))
        return hidden_rows(self.reports.ledger(campus, years).rows).ids


def _action(row: ActivityRow, key: str, hidden: Collection[uuid.UUID]) -> PartnerAction:
    return PartnerAction(
        row.title,
        row.starts_on,
        row.ends_on,
        next(one.part for one in row.organisations if one.key == key),
        None if row.people < SMALL or row.id in hidden else row.people,
        sorted(one.name or one.number for one in row.establishments),
    )
