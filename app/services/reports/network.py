"""The year of a network: what its campuses share, counted once."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.db.campus import CampusStore, HistoryStore
from app.db.reports.counting import ReportCountStore
from app.db.reports.editions import ReportSharingStore
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, Network
from app.domain.core import Clock
from app.domain.reports.counts import distinct_learners
from app.domain.reports.ledger import ActivityRow, Period, PeriodKind
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
from app.language import N_
from app.services.reports.reports import ReportService


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
            raise NotFound(N_("Votre campus n’est pas de ce réseau."))
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
            raise InvalidInput(N_("Choisissez une année."))
        network = self.store.find_network(slug)
        if network is None:
            raise NotFound(N_("Ce réseau n’existe pas."))
        members, sharing = self.store.members(network.id), self.store.of_network(network.id)
        last = self.last_day()
        if last < asked.first:
            raise InvalidInput(N_("Cette année n’a pas encore de mois complet."))
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
