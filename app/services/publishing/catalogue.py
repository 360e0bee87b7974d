"""The public catalogue: what campuses offer, derived by the worker, searched by anybody."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from app.adapters.calendars import write_calendar
from app.db.activities import ActivityStore
from app.db.activities.plans import ActivityPlanStore
from app.db.badges import BadgeStore
from app.db.badges.shared_definitions import SharedDefinitionStore
from app.db.campus import CampusStore, HistoryStore
from app.db.frameworks import CompetencyStore
from app.db.frameworks.pathways import PathwayStore
from app.db.publishing.catalogue import MOST_MATCHES, MOST_RANKED, CatalogueStore, Ranked
from app.domain.activities import Activity, ActivityAnnouncement, ActivitySession
from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, Network
from app.domain.campus.signed_terms import LABEL_NAMES, day_in_france
from app.domain.core import Clock, as_signed, name_as_signed
from app.domain.frameworks import Competency, Framework
from app.domain.frameworks.pathways import PathwayContent
from app.domain.frameworks.text_search import SearchQuery, SearchTerms, score, terms_of
from app.domain.people import is_address
from app.domain.publishing.catalogue import (
    AUDIENCES,
    CATALOGUE_LIFE,
    CatalogueEntry,
    CatalogueOrder,
    CatalogueQuery,
    EntryKind,
    PublicMeeting,
    audience_groups,
)
from app.domain.reports.indicators import SMALL
from app.errors import InvalidInput, NotFound
from app.services.publishing.facets import CatalogueFacets, count
from app.services.publishing.ratings import RatingService

A_PAGE: Final = 24
MOST_MEETINGS: Final = 300
_MOST_TURNS: Final = 60
_SHARED: Final = "définition partagée réseau"
"""Finds what adopted the definition of a network."""
_Shared = Mapping[uuid.UUID, tuple[str, str]]
_FACETS: Final = ("campus_id", "kind", "badge_kind", "level", "audiences", "place", "competencies")
_DERIVED: Final = (
    *_FACETS, "path", "title", "summary", "language", "holders", "starts_on", "version", "label_terms",
    "other_terms", "size",
)  # fmt: skip


@dataclass(frozen=True)
class CatalogueResult:
    """`facets`: for each facet, how many entries each value has; `corrected`: what was searched instead."""

    entries: Sequence[CatalogueEntry]
    total: int
    facets: Mapping[str, Mapping[Any, int]]
    pages: int
    corrected: str = ""
    is_capped: bool = False
    """Whether there are more matches than were counted."""


@dataclass(frozen=True)
class PublicCompetency:
    campus: Campus
    competency: Competency
    framework: Framework
    badges: Sequence[tuple[CatalogueEntry, int | None]]
    activities: Sequence[CatalogueEntry]


@dataclass(frozen=True)
class PublicActivity:
    campus: Campus
    activity: Activity
    announcement: ActivityAnnouncement
    badges: Sequence[CatalogueEntry]
    competencies: Sequence[tuple[Competency, Framework]]

    @property
    def enrolment(self) -> str:
        """A link: to a page, or `mailto:`."""
        return self.announcement.enrolment or (
            f"mailto:{self.campus.contact_email}" if self.campus.contact_email else ""
        )


@dataclass(frozen=True, eq=False)
class CatalogueService:
    catalogue: CatalogueStore
    campuses: CampusStore
    badges: BadgeStore
    competencies: CompetencyStore
    activities: ActivityStore
    plans: ActivityPlanStore
    pathways: PathwayStore
    history: HistoryStore
    definitions: SharedDefinitionStore
    ratings: RatingService
    facets: CatalogueFacets
    clock: Clock

    # --- derivation

    def due(self) -> Sequence[uuid.UUID]:
        known = self.catalogue.networks()
        networks = [one.id for one, entry in known if not entry or entry.differs(_network(one)[0], _DERIVED)]
        return [*self.catalogue.due(before=self.clock() - CATALOGUE_LIFE), *networks]

    def refresh(self, campus_id: uuid.UUID) -> None:
        """Derive the entries of a campus, or that of a network. Idempotent; writes only what differs."""
        network = self.catalogue.network(campus_id)
        if network is not None:
            self._save([_network(network)], self.catalogue.entries_of(network.id))
            return
        now = self.clock()
        campus = self.campuses.get_by_id(campus_id)
        before = self.catalogue.entries_of(campus_id)
        derived = [] if campus.suspended_at else self._derive(campus)
        are_other_facets = self._save(derived, before)
        listed = [entry.subject_id for entry, _ in derived if entry.kind is EntryKind.BADGE]
        self.ratings.refresh(campus, listed)
        self.catalogue.note_refresh(campus_id, at=now)
        if are_other_facets or before:
            self.catalogue.change_facets(campus_id)

    def _save(
        self, derived: Sequence[tuple[CatalogueEntry, SearchTerms]], before: dict[uuid.UUID, CatalogueEntry]
    ) -> bool:
        """Whether facets changed. Leaves in `before` the entries that are gone."""
        changed, words, are_other_facets = [], set[str](), False
        for entry, terms in derived:
            words |= terms.vocabulary
            known = before.pop(entry.subject_id, None)
            are_other_facets |= known is None or known.differs(entry, _FACETS)
            if known is None:
                changed.append(entry)
            elif known.differs(entry, _DERIVED):
                for name in _DERIVED:
                    setattr(known, name, getattr(entry, name))
                changed.append(known)
        self.catalogue.save(changed, gone=before.keys())
        self.catalogue.learn(words)
        return are_other_facets

    def _derive(self, campus: Campus) -> list[tuple[CatalogueEntry, SearchTerms]]:
        activities = self.catalogue.announced(campus.id, since=campus.day_of(self.clock()))
        shared = self._shared_by(campus)
        reached: dict[uuid.UUID, list[Activity]] = {}
        by_id = {activity.id: activity for activity, _ in activities}
        for badge_id, activity_id in self.catalogue.badges_of_activities(by_id.keys()):
            reached.setdefault(badge_id, []).append(by_id[activity_id])
        return [
            self._campus(campus),
            *self._labels(campus),
            *self._badges(campus, reached, shared),
            *self._competencies(campus, shared),
            *self._pathways(campus),
            *(self._activity(campus, activity) for activity, _ in activities),
        ]

    def _badges(
        self, campus: Campus, reached: Mapping[uuid.UUID, Sequence[Activity]], shared: _Shared
    ) -> list[tuple[CatalogueEntry, SearchTerms]]:
        holders, audiences = self.catalogue.holders_of(campus.id), self.catalogue.audiences_of(campus.id)
        found = []
        for badge, version in self.badges.list_published(campus.id):
            links = self.badges.competencies_of(version.id)
            known = self.competencies.get_many(link.competency_id for link in links)
            attested = [(link, *known[link.competency_id]) for link in links if link.competency_id in known]
            coming = sorted(reached.get(badge.id, ()), key=lambda each: each.starts_on)
            written = [*audiences.get(badge.id, ()), *(each.audience for each in coming)]
            entry = CatalogueEntry(
                subject_id=badge.id,
                kind=EntryKind.BADGE,
                campus_id=campus.id,
                path=f"/badges/{badge.id}",
                title=version.name,
                summary=version.description,
                language=version.language,
                badge_kind=version.kind.value,
                level=max((link.level for link in links if link.level), default=None),
                audiences=_joined(written),
                place=campus.site,
                competencies=_between_spaces(str(competency.id) for _, competency, _ in attested),
                # Where they are few, the order would tell which badge has more.
                holders=held if (held := holders.get(badge.id, 0)) >= SMALL else min(held, 1),
                starts_on=coming[0].starts_on if coming else None,
                version=version.number,
            )
            others = [
                *version.tags,
                campus.short_name,
                campus.site,
                *shared.get(badge.id, ()),
                *(each.get("name", "") for each in version.alignments),
                *(competency.statement for _, competency, _ in attested),
            ]
            found.append(_indexed(entry, others))
        return found

    def _shared_by(self, campus: Campus) -> _Shared:
        """Search terms of badges and competencies that adopted the definition of a network."""
        adoptions = self.definitions.adoptions_of(campus.id)
        networks = self.definitions.networks(each.network_id for each in adoptions) if adoptions else {}
        return {
            own_id: (networks[each.network_id].name, _SHARED)
            for each in adoptions
            for own_id in (each.badge_id, each.competency_id)
            if own_id is not None
        }

    def _competencies(self, campus: Campus, shared: _Shared) -> list[tuple[CatalogueEntry, SearchTerms]]:
        return [
            _indexed(
                CatalogueEntry(
                    subject_id=competency.id,
                    kind=EntryKind.COMPETENCY,
                    campus_id=campus.id,
                    path=f"/competences/{competency.id}",
                    title=competency.statement,
                    summary=framework.name,
                    level=len(competency.levels) or None,
                    place=campus.site,
                ),
                [competency.code, framework.name, campus.short_name, *shared.get(competency.id, ())],
            )
            for competency, framework in self.competencies.list_of(campus.id)
            if competency.archived_at is None
        ]

    def _pathways(self, campus: Campus) -> list[tuple[CatalogueEntry, SearchTerms]]:
        found = []
        for pathway, version, _ in self.pathways.published(campus.id):
            content = PathwayContent.from_document(version.content)
            badges = self.pathways.badges([content.badge.id] if content.badge else ())
            entry = CatalogueEntry(
                subject_id=pathway.id,
                kind=EntryKind.PATHWAY,
                campus_id=campus.id,
                path=f"/parcours/{pathway.id}",
                title=content.title,
                summary=content.summary,
                language=campus.language,
                badge_kind=next((each.version.kind.value for each in badges.values()), ""),
                level=len(content.stages),
                place=campus.site,
            )
            competencies = (each.competency for stage in content.stages for each in stage.conditions)
            named = (content.badge, *content.badges, *competencies)
            others = [
                *(each.title for each in content.stages),
                *(each.name for each in named if each is not None),
                campus.short_name,
                campus.site,
            ]
            found.append(_indexed(entry, others))
        return found

    def _activity(self, campus: Campus, activity: Activity) -> tuple[CatalogueEntry, SearchTerms]:
        entry = CatalogueEntry(
            subject_id=activity.id,
            kind=EntryKind.ACTIVITY,
            campus_id=campus.id,
            path=f"/activites/{activity.id}",
            title=activity.title,
            summary=activity.description,
            audiences=_joined([activity.audience]),
            place=activity.place,
            competencies=_between_spaces(str(each) for each in self.plans.competencies_of(activity.id)),
            starts_on=activity.starts_on,
        )
        return _indexed(entry, [activity.audience, activity.place, campus.short_name])

    @staticmethod
    def _campus(campus: Campus) -> tuple[CatalogueEntry, SearchTerms]:
        entry = CatalogueEntry(
            subject_id=campus.id,
            kind=EntryKind.CAMPUS,
            campus_id=campus.id,
            path=f"/campus/{campus.slug}",
            title=campus.name,
            summary=campus.description,
            place=campus.site,
        )
        return _indexed(entry, [campus.short_name, campus.sector, campus.carrier, campus.site])

    def _labels(self, campus: Campus) -> list[tuple[CatalogueEntry, SearchTerms]]:
        """Withdrawn and expired ones too, as on the page of labels: each is shown with its state."""
        return [
            _indexed(
                CatalogueEntry(
                    subject_id=label.id,
                    kind=EntryKind.LABEL,
                    campus_id=campus.id,
                    path=f"/labels/{label.id}",
                    title=LABEL_NAMES[label.category],
                    summary=campus.name,
                    place=campus.site,
                ),
                [campus.short_name, campus.site, network.name],
            )
            for label, network in self.campuses.labels_of(campus.did)
        ]

    # --- announcements

    def announcement(self, activity_id: uuid.UUID) -> ActivityAnnouncement | None:
        return self.catalogue.announcement(activity_id)

    def announce(self, campus: Campus, activity: Activity, *, enrolment: str, by: Actor) -> None:
        """List the activity publicly. `enrolment`: an e-mail address, an https page, or empty."""
        announcement = ActivityAnnouncement(
            activity_id=activity.id, enrolment=enrolment_link(enrolment), announced_at=self.clock()
        )
        self.catalogue.announce(announcement)
        self.history.write(by, "announce", "activity", activity.id, at=self.clock(), campus_id=campus.id)

    def withdraw_announcement(self, campus: Campus, activity: Activity, *, by: Actor) -> None:
        if self.catalogue.announcement(activity.id) is None:
            return
        self.catalogue.withdraw_announcement(activity.id)
        self.catalogue.drop(activity.id)
        self.history.write(
            by, "withdraw_announcement", "activity", activity.id, at=self.clock(), campus_id=campus.id
        )

    # --- pages

    def competency(self, competency_id: uuid.UUID, *, archived: bool = False) -> PublicCompetency:
        """`archived`: also one that no new badge may attest."""
        found = self.competencies.get_many([competency_id]).get(competency_id)
        owner = found[1].campus_id if found else None
        if found is None or owner is None or (found[0].archived_at is not None and not archived):
            raise NotFound("Cette compétence n’existe pas ici.")
        competency, framework = found
        campus = self._listed(owner)
        return PublicCompetency(
            campus,
            competency,
            framework,
            self.catalogue.badges_attesting(competency_id),
            self.catalogue.activities_with(competency_id=competency_id, since=campus.day_of(self.clock())),
        )

    def activity(self, activity_id: uuid.UUID) -> PublicActivity:
        """An announced activity, until its last day has passed."""
        announcement = self.catalogue.announcement(activity_id)
        missing = NotFound("Cette activité n’est pas annoncée, ou elle a déjà eu lieu.")
        if announcement is None:
            raise missing
        activity, organisers = self.activities.find(activity_id), self.activities.campuses_of(activity_id)
        if activity is None or not organisers:
            raise missing
        campus = self._listed(organisers[0].id)
        if activity.ends_on < campus.day_of(self.clock()):
            raise missing
        return PublicActivity(
            campus,
            activity,
            announcement,
            self.catalogue.badges_reached_by(activity_id),
            [*self.competencies.get_many(self.plans.competencies_of(activity_id)).values()],
        )

    def pathways_with(self, subject_ids: Collection[uuid.UUID]) -> Sequence[CatalogueEntry]:
        """Those that name one of these badges or competencies."""
        return self.catalogue.pathways_with(subject_ids)

    def activities_of(self, campus: Campus) -> Sequence[CatalogueEntry]:
        return self.catalogue.activities_with(campus_id=campus.id, since=campus.day_of(self.clock()))

    def public_calendar(self, slug: str, base_url: str) -> tuple[bytes, datetime | None]:
        """What the campus announces and leads, from today on: activities, and each session of a series.

        Nothing that the announcement does not show, and no more than a calendar needs. With a time after which it
        did not change; None within that second, when it may change again.
        """
        campus = self._listed(self.campuses.get(slug).id)
        today = campus.day_of(self.clock())
        announced = self.catalogue.announced(campus.id, since=today, limit=MOST_MEETINGS)
        sessions = self.plans.sessions_to_come([activity.id for activity, _ in announced], today)
        meetings = (
            meeting
            for activity, announcement in announced
            for meeting in _meetings(
                activity,
                sessions.get(activity.id),
                announcement,
                f"{base_url}/activites/{activity.id}",
            )
        )
        first = list(islice(meetings, MOST_MEETINGS))
        zone = ZoneInfo(campus.time_zone)
        midnight = datetime.combine(today, time.min, zone).astimezone(UTC)
        changed_at = max([midnight, *self.catalogue.last_changes(campus.id)]).replace(microsecond=0)
        body = write_calendar(campus.name, first, zone, campus.language)
        return body, changed_at if self.clock() >= changed_at + timedelta(seconds=1) else None

    def next_activities(self, campus: Campus, badge_id: uuid.UUID) -> Sequence[CatalogueEntry]:
        return self.catalogue.activities_with(badge_id=badge_id, since=campus.day_of(self.clock()))

    def paths(self, *, limit: int, start: int) -> Sequence[str]:
        return self.catalogue.paths(limit=limit, start=start)

    def count(self, kind: EntryKind | None = None) -> int:
        return self.catalogue.count(kind)

    def newest(self, *, limit: int = 50) -> list[tuple[CatalogueEntry, Campus, datetime]]:
        return self.catalogue.newest(limit=limit)

    def entries_of(self, campus: Campus) -> Mapping[uuid.UUID, CatalogueEntry]:
        return self.catalogue.entries_of(campus.id)

    def by_turns(self, most: int) -> list[CatalogueEntry]:
        """Badges of different kinds and campuses; another choice each day, and none by its numbers."""
        today = day_in_france(self.clock()).toordinal()
        campuses = [each for each in self.campuses.list_all() if each.suspended_at is None]
        start = today % max(len(campuses), 1)
        kinds = [each.value for each in BadgeKind]
        turns = (
            (campus.id, kinds[(today + at + turn) % len(kinds)])
            for turn in range(len(kinds))
            for at, campus in enumerate([*campuses[start:], *campuses[:start]])
        )
        found: dict[uuid.UUID, CatalogueEntry] = {}
        for campus_id, kind in islice(turns, _MOST_TURNS):
            entry = self.catalogue.badge_of(campus_id, kind)
            if entry is not None:
                found[entry.subject_id] = entry
            if len(found) == most:
                break
        return list(found.values())

    def find(self, subject_id: uuid.UUID) -> CatalogueEntry | None:
        return self.catalogue.find(subject_id)

    def titles_of(self, subject_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
        return self.catalogue.titles_of(subject_ids)

    def campus_of(self, entry: CatalogueEntry) -> Campus:
        return self._listed(entry.campus_id)

    def _listed(self, campus_id: uuid.UUID) -> Campus:
        campus = self.campuses.get_by_id(campus_id)
        if campus.suspended_at is not None:
            raise NotFound("Ce campus n’existe pas ici.")
        return campus

    # --- search

    def search(self, query: CatalogueQuery, *, exactly: bool = False) -> CatalogueResult:
        """Every term must match; without any match, slips of one or two letters are corrected."""
        terms = SearchQuery.of(query.text)
        known = self.facets.of(self.catalogue.versions_of_facets(), self.catalogue.facts_of)
        if terms.is_empty:
            found = count(query, known)
            few = list(found.numbers()) if found.total <= MOST_MATCHES else None
            entries = self.catalogue.browse(query, limit=A_PAGE, numbers=few)
            return CatalogueResult(entries, found.total, found.facets, _pages(found.total))
        matches, corrected = self.catalogue.matches(terms), ""
        if not matches and not exactly:
            fixed = self._corrected(terms)
            if fixed.terms != terms.terms:
                matches = self.catalogue.matches(fixed)
                terms, corrected = fixed, " ".join(fixed.terms) if matches else ""
        counted = count(query, known, matches)
        ranked = self._ranked(query, terms, list(counted.numbers()))
        start = (query.page - 1) * A_PAGE
        numbers = [each.number for each in ranked[start : start + A_PAGE]]
        shown = self.catalogue.get_many(numbers)
        return CatalogueResult(
            [shown[number] for number in numbers if number in shown],
            counted.total,
            counted.facets,
            _pages(len(ranked)),
            corrected,
            is_capped=sum(map(len, matches.values())) == MOST_MATCHES,
        )

    def _ranked(self, query: CatalogueQuery, terms: SearchQuery, left: Sequence[int]) -> list[Ranked]:
        """Matches in the title before others, where there are too many to rank them all."""
        if len(left) > MOST_RANKED:
            titled = self.catalogue.with_title_of(terms)
            left = sorted(left, key=lambda number: number not in titled)[:MOST_RANKED]
        found = self.catalogue.terms_of(left)
        return sorted(found, key=lambda each: _key(query.order, terms, each))

    def _corrected(self, terms: SearchQuery) -> SearchQuery:
        slips = {}
        for term in terms.terms:
            if (
                len(term) >= 4
                and term.isalpha()
                and not self.catalogue.similar(term, first=len(term), limit=1)
            ):
                slips[term] = self.catalogue.similar(term) or ()
        return terms.corrected(slips)


def enrolment_link(written: str) -> str:
    """`mailto:` of an address, an https page as it is, or empty."""
    written = written.strip()
    if not written:
        return ""
    if is_address(written.removeprefix("mailto:")):
        return f"mailto:{written.removeprefix('mailto:')}"
    try:
        parts = urlsplit(written)
        is_page = parts.scheme == "https" and bool(parts.hostname)
    except ValueError:
        is_page = False
    if not is_page or len(written) > 400 or any(c.isspace() for c in written):
        raise InvalidInput("Donnez une adresse e-mail, ou l’adresse d’une page qui commence par https://.")
    return written


def _network(network: Network) -> tuple[CatalogueEntry, SearchTerms]:
    entry = CatalogueEntry(
        subject_id=network.id,
        kind=EntryKind.NETWORK,
        campus_id=network.id,
        path=f"/reseau/{network.slug}",
        title=network.name,
        summary=network.description,
    )
    return _indexed(entry, [])


def _key(order: CatalogueOrder, terms: SearchQuery, found: Ranked) -> tuple[Any, ...]:
    points = score(terms, found.label_terms, found.other_terms, found.size)
    if order is CatalogueOrder.HOLDERS:
        return (-found.holders, -points, found.number)
    return (-round(points, 3), -found.holders, found.number)


def _indexed(entry: CatalogueEntry, others: Sequence[str]) -> tuple[CatalogueEntry, SearchTerms]:
    """Listed without invisible signs: one of them makes a feed of every campus unreadable."""
    entry.title, entry.place = name_as_signed(entry.title), name_as_signed(entry.place)
    entry.summary = as_signed(entry.summary)
    terms = terms_of(entry.title, "", others, entry.summary)
    entry.label_terms, entry.other_terms, entry.size = terms.label, terms.other, terms.size
    return entry, terms


def _joined(written: Sequence[str]) -> str:
    groups = {group for each in written for group in audience_groups(each)}
    return _between_spaces(key for key in AUDIENCES if key in groups)


def _between_spaces(keys: Iterable[str]) -> str:
    joined = " ".join(keys)
    return f" {joined} " if joined else ""


def _pages(total: int) -> int:
    return max(1, -(-total // A_PAGE))


def _meetings(
    activity: Activity,
    sessions: Sequence[ActivitySession] | None,
    announcement: ActivityAnnouncement,
    url: str,
) -> Iterator[PublicMeeting]:
    whole = PublicMeeting(
        uid=f"{activity.id}@{urlsplit(url).hostname}",
        title=name_as_signed(activity.title),
        starts_on=activity.starts_on,
        ends_on=activity.ends_on,
        announced_at=announcement.announced_at,
        url=url,
        start_time=activity.start_time,
        end_time=activity.end_time,
        place=name_as_signed(activity.place),
        description=as_signed(activity.description),
    )
    if sessions is None:
        yield whole
    for each in sessions or ():
        yield replace(
            whole,
            uid=f"{each.id}@{urlsplit(url).hostname}",
            starts_on=each.held_on,
            ends_on=each.held_on,
            place="" if each.place else whole.place,
            cancelled_at=each.cancelled_at,
        )
