"""The year of a campus: facts of activities, indicators, the report and its editions."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.adapters.papers import Papers
from app.db.campus import CampusStore, HistoryStore
from app.db.reports.counting import ReportCountStore
from app.db.reports.facts import ReportSharingStore
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, CampusColours, Network
from app.domain.core import Clock, plain_text
from app.domain.reports.counts import distinct_learners
from app.domain.reports.facts import ORGANISATION_PARTS, OrganisationPart
from app.domain.reports.indicators import SMALL, Figure, figures, hidden_rows, people_of
from app.domain.reports.ledger import ActivityRow, Ledger, Period, PeriodKind, establishments_of, unpacked
from app.domain.reports.network import (
    NetworkFigure,
    ReportSharing,
    Topic,
    action_figures,
    countable,
    partner_figures,
    people_figures,
    rows_of,
)
from app.errors import InvalidInput, NotFound
from app.language import N_, current_locale, translated

# --- The figures of a campus in a period, beside those of the year before, and the rows behind them


@dataclass(frozen=True)
class YearFigures:
    """`period` is the part that has passed; `before` the same days one year earlier."""

    asked: Period
    period: Period
    now: Ledger
    before: Ledger
    figures: Mapping[str, Figure]
    earlier: Mapping[str, Figure]
    badges: Sequence[tuple[str, int]]
    """Names and numbers of holders, the most held first; empty if not asked for."""
    computed_at: datetime


@dataclass(frozen=True)
class ReportService:
    store: ReportCountStore
    clock: Clock

    def today(self) -> date:
        return self.clock().astimezone(ZoneInfo("Europe/Paris")).date()

    def last_day_begun(self, campus: Campus) -> date:
        """Where it begins later: a year is over once it is over at the campus and in the reports' days."""
        return min(self.today(), campus.day_of(self.clock()))

    def ledger(self, campus: Campus, period: Period) -> Ledger:
        return self.store.ledger([campus.id], period, today=self.today())

    def ledger_with_objectives(self, campus: Campus, period: Period) -> Ledger:
        """Without the other organisers, which `with_organisers` adds."""
        ledger = self.store.ledger([campus.id], period, today=self.today(), with_organisers=False)
        return self.store.with_objectives(ledger, [campus.id])

    def with_organisers(self, ledger: Ledger) -> Ledger:
        return self.store.with_organisers(ledger)

    def figures(self, campus: Campus, asked: Period, *, with_badges: bool = False) -> YearFigures:
        """`with_badges`: those held most too, for which the awards of all years are read."""
        period, ids = asked.until(self.today()), [campus.id]
        awards = self.store.awards(ids, period.last, first=None if with_badges else period.before.first)
        now, before = (
            self.store.ledger(ids, each, today=self.today(), awards=awards, with_organisers=False)
            for each in (period, period.before)
        )
        badges = self.store.top_badges(period, awards) if with_badges else ()
        return YearFigures(asked, period, now, before, figures(now), figures(before), badges, self.clock())

    def top_badges(self, campus: Campus, period: Period) -> Sequence[tuple[str, int]]:
        """Public: without those that few people more, or fewer, hold than half a year before the end."""
        awards = self.store.awards([campus.id], period.last)
        year, month = period.last.year, period.last.month
        before = date(year, 8, 31) if month > 8 else date(year - 1, 12, 31)
        return self.store.top_badges(period, awards, beside=Period(period.first, before))

    def learners(self, campus: Campus, ledger: Ledger, *, limit: int) -> Sequence[tuple[uuid.UUID, str, int]]:
        """The first by name, with their numbers of activities; erased people have no name and are absent."""
        attended = Counter(unpacked(b"".join(row.learners for row in ledger.rows)))
        return [
            (person_id, name, attended[person_id.bytes])
            for person_id, name in self.store.first_by_name(campus.id, attended.keys(), limit)
        ]

    # --- stored counts

    def is_recount_due(self) -> bool:
        return self.store.counts.has_changes()

    def is_recounting(self, campuses: Iterable[Campus] | None = None) -> bool:
        """Whether so much has changed, there or anywhere, that their pages are slow until a worker has stored it."""
        ids = None if campuses is None else [each.id for each in campuses]
        return self.store.counts.is_far_behind(ids)

    def recount_some(self) -> bool:
        """Whether more is left; each call is a transaction of its own."""
        return self.store.counts.recount_some()


# --- What one organisation did with a campus in a period, as a page and a paper that it can show

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
        return sorted(found, key=lambda each: (-each.actions, plain_text(each.name)))

    def year(self, campus: Campus, key: str, asked: Period) -> PartnerYear:
        period = asked.until(self.reports.today())
        rows = [row for row in self._rows(campus, asked) if any(one.key == key for one in row.organisations)]
        if not rows:
            raise NotFound("Cette organisation n’a pris part à aucune action de cette période.")
        hidden = self._hidden(campus, rows)
        rows.sort(key=lambda row: (row.starts_on, row.title))
        surveys = [row.survey for row in rows if row.survey]
        return PartnerYear(
            campus,
            period,
            key,
            next(one.name for one in rows[-1].organisations if one.key == key),
            [_action(row, key, hidden) for row in rows],
            sorted(
                sorted({name or number for number, name in establishments_of(rows).items()}), key=plain_text
            ),
            None if any(row.id in hidden for row in rows) else people_of(rows),
            sum(each.answers[2] + each.answers[3] for each in surveys),
            sum(sum(each.answers) for each in surveys),
        )

    def printed(self, found: PartnerYear, *, days: Days) -> bytes:
        """A tagged A4 page; `days` writes dates in the current language."""
        return self.papers.pdf("partner", self._values(found, days), {}, at=self.clock())

    def _values(self, found: PartnerYear, days: Days) -> dict[str, object]:
        campus = found.campus
        numbers = [(str(len(found.actions)), translated("Actions"))]
        if found.people is not None:
            numbers.append((str(found.people), translated("Participants")))
        if found.establishments:
            numbers.append((str(len(found.establishments)), translated("Établissements")))
        return {
            "lang": current_locale(),
            "accent": CampusColours.of(campus.hue, campus.liveliness).accent,
            "author": campus.name,
            "title": found.name,
            "campus": translated("Campus {name}").format(name=campus.name),
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
            "with": translated("Établissements des participants") if found.establishments else "",
            "establishments": list(found.establishments),
            "foot": translated("Aucun participant n’est nommé ici. Chiffres du journal du campus."),
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
        sorted((one.name or one.number for one in row.establishments), key=plain_text),
    )


# --- The year of a network: what its campuses share, counted once


@dataclass(frozen=True)
class Shared:
    """A topic, the campuses that share it, and its figures."""

    topic: Topic
    campuses: Sequence[Campus]
    rows: Sequence[ActivityRow]
    figures: Sequence[NetworkFigure]
    last: date | None = None
    """Of people: the day up to which they are counted."""
    hides_places: bool = False


@dataclass(frozen=True)
class NetworkYear:
    network: Network
    period: Period
    members: Sequence[Campus]
    topics: Sequence[Shared]
    log_size: int
    computed_at: datetime

    def of(self, topic: Topic) -> Shared:
        return next(each for each in self.topics if each.topic is topic)


@dataclass(frozen=True)
class NetworkReports:
    store: ReportSharingStore
    counts: ReportCountStore
    campuses: CampusStore
    reports: ReportService
    history: HistoryStore
    clock: Clock

    def choices(self, campus: Campus) -> list[tuple[Network, frozenset[Topic]]]:
        """The networks of a campus, and what it shares with each."""
        found = []
        for network in self.campuses.networks_of(campus.id):
            sharing = self.store.find(campus.id, network.id)
            found.append((network, sharing.topics if sharing else frozenset[Topic]()))
        return found

    def share(self, campus: Campus, network_slug: str, topics: Collection[Topic], *, by: Actor) -> None:
        network = next(
            (each for each in self.campuses.networks_of(campus.id) if each.slug == network_slug), None
        )
        if network is None:
            raise NotFound("Votre campus n’est pas de ce réseau.")
        at = self.clock()
        sharing = self.store.find(campus.id, network.id)
        sharing = sharing or ReportSharing(campus_id=campus.id, network_id=network.id, changed_at=at)
        if sharing.topics == frozenset(topics):
            return
        for topic in Topic:
            setattr(sharing, topic.value, topic in topics)
        sharing.changed_at = at
        self.store.save(sharing)
        self.history.write(by, "amend", "campus", campus.id, at=at, campus_id=campus.id, what="rapport")

    def last_day(self) -> date:
        """Of the latest complete month."""
        return self.reports.today().replace(day=1) - timedelta(days=1)

    def year(self, slug: str, asked: Period) -> NetworkYear:
        """Whole years and complete months alone. Pages of two dates still differ by the months between them."""
        if asked.kind is PeriodKind.DAYS:
            raise InvalidInput("Choisissez une année.")
        network = self.store.find_network(slug)
        if network is None:
            raise NotFound("Ce réseau n’existe pas.")
        members, sharing = self.store.members(network.id), self.store.of_network(network.id)
        last = self.last_day()
        if last < asked.first:
            raise InvalidInput("Cette année n’a pas encore de mois complet.")
        period = asked.until(last)
        shares = {
            topic: [each for each in members if each.id in sharing and topic in sharing[each.id].topics]
            for topic in Topic
        }
        return NetworkYear(
            network,
            period,
            members,
            self._topics(shares, period),
            self.counts.log_size([each.id for each in members if each.id in sharing]),
            self.clock(),
        )

    def _topics(self, shares: Mapping[Topic, Sequence[Campus]], period: Period) -> list[Shared]:
        rows: dict[frozenset[uuid.UUID], Sequence[ActivityRow]] = {}
        for campuses in shares.values():
            ids = frozenset(each.id for each in campuses)
            rows[ids] = rows[ids] if ids in rows else self._rows(sorted(ids), period)
        return [
            self._shared(topic, campuses, rows[frozenset(each.id for each in campuses)], period)
            for topic, campuses in shares.items()
        ]

    def _shared(
        self, topic: Topic, campuses: Sequence[Campus], rows: Sequence[ActivityRow], period: Period
    ) -> Shared:
        ids = [each.id for each in campuses]
        if topic is Topic.ACTIONS:
            figures = action_figures(rows, ids)
        elif topic is Topic.PARTNERS:
            figures = partner_figures(rows, ids)
        else:
            return self._people(campuses, rows, period)
        return Shared(topic, campuses, rows, figures if ids else [])

    @staticmethod
    def _people(campuses: Sequence[Campus], rows: Sequence[ActivityRow], period: Period) -> Shared:
        ids = [each.id for each in campuses]
        may = countable(rows, period)
        if may.last is None:
            return Shared(Topic.PEOPLE, campuses, (), [], hides_places=may.hides_places)
        learners = {each: len(distinct_learners(rows_of(may.rows, each))) for each in ids}
        figures = people_figures(
            may.rows,
            learners,
            len(distinct_learners(may.rows)),
            left_out=may.campuses,
        )
        return Shared(Topic.PEOPLE, campuses, may.rows, figures if ids else [], may.last, may.hides_places)

    def _rows(self, ids: Sequence[uuid.UUID], period: Period) -> Sequence[ActivityRow]:
        if not ids:
            return ()
        return [row for row in self.counts.rows(ids, period) if not row.is_cancelled]
