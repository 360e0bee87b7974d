"""Campuses and their networks: created once, shown to everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app.db.activities.activities import ActivityStore
from app.db.awards.awards import AwardStore
from app.db.badges.badges import BadgeStore
from app.db.campus.campus import CampusStore
from app.db.campus.history import HistoryStore
from app.db.frameworks.competencies import CompetencyStore
from app.domain.activities.activities import Activity
from app.domain.badges.badges import Badge, BadgeVersion
from app.domain.campus.campus import (
    Campus,
    Label,
    LabelState,
    Network,
    NetworkMember,
    check_network_name,
    check_slug,
    label_state,
)
from app.domain.campus.history import Actor
from app.domain.campus.keys import SealedKey
from app.domain.campus.settings import CampusSettings, faults_of, take_over
from app.domain.core.clock import Clock
from app.domain.core.signed_text import name_as_signed
from app.domain.frameworks.competencies import Competency, Framework
from app.domain.publishing.addresses import Addresses
from app.errors import Conflict
from app.language import N_, locales
from app.services.activity_log.logged_deeds import LoggedDeeds
from app.services.publishing.signing import Signing
from sceau_credentials.dids import did_web

LATEST_ACTIVITIES = 60


@dataclass(frozen=True)
class LabelView:
    network: Network
    label: Label
    state: LabelState


@dataclass(frozen=True)
class CampusPage:
    """All that the public page of a campus shows."""

    campus: Campus
    networks: Sequence[Network]
    badges: Sequence[tuple[Badge, BadgeVersion]]
    competencies: Sequence[tuple[Competency, Framework]]


@dataclass(frozen=True)
class CampusDesk:
    """What a trainer finds on opening the campus: its activities and its badges."""

    campus: Campus
    activities: Sequence[tuple[Activity, int]]
    badges: Sequence[tuple[Badge, BadgeVersion]]


class CampusService:
    def __init__(
        self,
        campuses: CampusStore,
        badges: BadgeStore,
        competencies: CompetencyStore,
        activities: ActivityStore,
        awards: AwardStore,
        history: HistoryStore,
        signing: Signing,
        deeds: LoggedDeeds,
        addresses: Addresses,
        clock: Clock,
    ) -> None:
        self.campuses = campuses
        self.badges = badges
        self.competencies = competencies
        self.activities = activities
        self.awards = awards
        self.history = history
        self.signing = signing
        self.deeds = deeds
        self.addresses = addresses
        self.clock = clock

    def create(self, campus: Campus, *, by: Actor) -> Campus:
        """A campus with its first signing key; `did` and `created_at` are given here."""
        check_slug(campus.slug)
        if self.campuses.find(campus.slug):
            raise Conflict(N_("Il y a déjà un campus à l’adresse « {slug} »."), slug=campus.slug)
        at = self.clock()
        campus.did = did_web(self.addresses.base_url, "campus", campus.slug)
        campus.created_at = at
        self.campuses.add(campus)
        key = self.signing.make_key(campus, at=at)
        self.deeds.key_changed(campus, key)
        self.history.write(by, "create", "campus", campus.id, at=at, campus_id=campus.id)
        self.history.write(by, "create", "key", key.id, at=at, campus_id=campus.id)
        return campus

    def change_settings(self, slug: str, settings: CampusSettings, *, by: Actor) -> Campus:
        """What is already signed or drawn stays as it is."""
        campus = self.campuses.get(slug)
        faults = faults_of(settings, campus, languages=tuple(locales()))
        if faults:
            raise next(iter(faults.values()))
        changed = take_over(campus, settings)
        if changed:
            self.campuses.add(campus)
            self.history.write(
                by, "amend", "campus", campus.id, at=self.clock(), campus_id=campus.id, changed=changed
            )
        return campus

    def create_network(self, network: Network, members: Sequence[Campus], *, by: Actor) -> Network:
        check_slug(network.slug)
        check_network_name(network.name)
        network.name = name_as_signed(network.name)
        self.campuses.add(network)
        self.campuses.add(*(NetworkMember(network_id=network.id, campus_id=campus.id) for campus in members))
        self.history.write(by, "create", "network", network.id, at=self.clock())
        return network

    def get(self, slug: str) -> Campus:
        return self.campuses.get(slug)

    def find(self, slug: str) -> Campus | None:
        return self.campuses.find(slug)

    def find_by_issuer(self, issuer: str) -> Campus | None:
        """The campus of this service that signs under this identifier."""
        return self.campuses.find_by_did(issuer)

    def list_all(self) -> Sequence[Campus]:
        return self.campuses.list_all()

    def page(self, slug: str) -> CampusPage:
        campus = self.campuses.get(slug)
        return CampusPage(
            campus,
            self.campuses.networks_of(campus.id),
            [
                (badge, version)
                for badge, version in self.badges.list_current(campus.id)
                if badge.archived_at is None and version.frozen_at is not None
            ],
            self.competencies.list_of(campus.id),
        )

    def labels_of(self, campus: Campus, *, on: date) -> list[LabelView]:
        return [
            LabelView(network, label, label_state(label, on=on))
            for label, network in self.campuses.labels_of(campus.did)
        ]

    def desk(self, campus: Campus) -> CampusDesk:
        return CampusDesk(
            campus,
            self.activities.list_in_campus(campus.id, limit=LATEST_ACTIVITIES),
            self.badges.list_current(campus.id),
        )

    def keys_of(self, campus: Campus) -> Sequence[SealedKey]:
        return self.campuses.keys_of(campus.id)

    def keys(self) -> list[tuple[SealedKey, Campus]]:
        return self.campuses.all_keys()

    def now(self) -> datetime:
        return self.clock()
