"""The public catalogue: entries derived from each campus's rows, facets, and full-text search."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Text, cast, literal_column, or_, text
from sqlalchemy import select as select_rows
from sqlmodel import col, delete, func, select, update

from app.db.activities import organised_by
from app.db.engine.queries import Store
from app.db.engine.writes import among
from app.db.frameworks import match_on_postgres, match_on_sqlite
from app.domain.activities import (
    Activity,
    ActivityAnnouncement,
    ActivityBadge,
    ActivityCampus,
    ActivityCompetency,
)
from app.domain.awards import Award, AwardState
from app.domain.badges import Badge, BadgeCompetency, BadgeVersion
from app.domain.campus.audit_log import HistoryEntry
from app.domain.campus.campus import Campus, Label, Network
from app.domain.campus.integration import ChangeHead
from app.domain.frameworks.pathways import PathwaySubject
from app.domain.frameworks.text_search import LONGEST_TERM, SearchQuery
from app.domain.publishing.catalogue import (
    CatalogueEntry,
    CatalogueOrder,
    CatalogueQuery,
    CatalogueRefresh,
    CatalogueTerm,
    EntryKind,
)

MOST_RANKED: Final = 400
"""Matches that are ranked; a search with more is too vague to be read to its end."""
MOST_MATCHES: Final = 2000
"""Counted matches of a search; beyond, the total is a lower bound."""
_HAS_CAMPUS: Final = col(CatalogueEntry.kind).not_in([EntryKind.NETWORK, EntryKind.LABEL])
_FACTS: Final = (
    col(CatalogueEntry.kind),
    col(CatalogueEntry.campus_id),
    col(CatalogueEntry.badge_kind),
    col(CatalogueEntry.level),
    col(CatalogueEntry.place),
    col(CatalogueEntry.audiences),
    col(CatalogueEntry.competencies),
    col(CatalogueEntry.number),
)


class Facts(NamedTuple):
    """Facets of one entry."""

    kind: EntryKind
    campus_id: uuid.UUID
    badge_kind: str
    level: int | None
    place: str
    audiences: str
    competencies: str
    number: int


class Ranked(NamedTuple):
    number: int
    label_terms: str
    other_terms: str
    size: int
    holders: int


class CatalogueStore(Store):
    # --- derivation

    def due(self, *, before: datetime) -> Sequence[uuid.UUID]:
        """Campuses never derived, changed or labelled since, or derived before that time."""
        changed = (
            select(HistoryEntry.id)
            .where(
                HistoryEntry.campus_id == CatalogueRefresh.campus_id,
                HistoryEntry.at >= CatalogueRefresh.refreshed_at,
            )
            .exists()
        )
        labelled = (
            select(Label.id)
            .outerjoin(CatalogueEntry, col(CatalogueEntry.subject_id) == col(Label.id))
            .where(
                Label.issuer == Campus.did,
                col(CatalogueEntry.subject_id).is_(None),
                col(Campus.suspended_at).is_(None),
            )
            .exists()
        )
        query = (
            select(Campus.id)
            .outerjoin(CatalogueRefresh, col(CatalogueRefresh.campus_id) == col(Campus.id))
            .where(
                or_(
                    col(CatalogueRefresh.refreshed_at).is_(None),
                    col(CatalogueRefresh.refreshed_at) < before,
                    changed,
                    labelled,
                )
            )
        )
        return self.session.exec(query).all()

    def networks(self) -> list[tuple[Network, CatalogueEntry | None]]:
        """All, with the entry of each that is listed."""
        query = select(Network, CatalogueEntry).outerjoin(
            CatalogueEntry, col(CatalogueEntry.subject_id) == col(Network.id)
        )
        return [(network, entry) for network, entry in self.session.exec(query)]

    def network(self, network_id: uuid.UUID) -> Network | None:
        return self.session.get(Network, network_id)

    def note_refresh(self, campus_id: uuid.UUID, *, at: datetime) -> None:
        known = self.session.get(CatalogueRefresh, campus_id)
        if known is None:
            self.session.add(CatalogueRefresh(campus_id=campus_id, refreshed_at=at))
        else:
            known.refreshed_at = at

    def change_facets(self, campus_id: uuid.UUID) -> None:
        """Counted by the database: of two changes at once, neither has the number of the other."""
        self.session.exec(
            update(CatalogueRefresh)
            .where(col(CatalogueRefresh.campus_id) == campus_id)
            .values(version=CatalogueRefresh.version + 1)
        )

    def drop(self, *subject_ids: uuid.UUID) -> None:
        """What was closed or withdrawn is listed no more, before the worker derives the campus again."""
        gone = [entry for each in subject_ids if (entry := self.find(each)) is not None]
        self.save((), gone=[entry.subject_id for entry in gone])
        for campus_id in {entry.campus_id for entry in gone}:
            self.change_facets(campus_id)

    def drop_campus(self, campus_id: uuid.UUID) -> None:
        self.drop(*self.entries_of(campus_id))

    def entries_of(self, campus_id: uuid.UUID) -> dict[uuid.UUID, CatalogueEntry]:
        query = select(CatalogueEntry).where(CatalogueEntry.campus_id == campus_id)
        return {entry.subject_id: entry for entry in self.session.exec(query)}

    def save(self, entries: Iterable[CatalogueEntry], *, gone: Collection[uuid.UUID] = ()) -> None:
        self.session.add_all(entries)
        if gone:
            self.session.exec(delete(CatalogueEntry).where(col(CatalogueEntry.subject_id).in_(gone)))
        self.session.flush()

    def learn(self, terms: Iterable[str]) -> None:
        wanted = sorted({term[:LONGEST_TERM] for term in terms})
        statement = text("INSERT INTO catalogue_term (term) VALUES (:term) ON CONFLICT DO NOTHING")
        for start in range(0, len(wanted), 5000):
            rows = [{"term": term} for term in wanted[start : start + 5000]]
            self.session.connection().execute(statement, rows)

    def holders_of(self, campus_id: uuid.UUID) -> dict[uuid.UUID, int]:
        """People who hold each badge of the campus."""
        query = (
            select(Award.badge_id, func.count(func.distinct(col(Award.person_id))))
            .join(Badge, col(Badge.id) == col(Award.badge_id))
            .where(Badge.campus_id == campus_id, Award.state == AwardState.ISSUED)
            .group_by(col(Award.badge_id))
        )
        return {badge_id: people for badge_id, people in self.session.execute(query)}  # noqa: C416

    def audiences_of(self, campus_id: uuid.UUID) -> dict[uuid.UUID, list[str]]:
        """The written audiences of the activities at which each badge was awarded."""
        query = (
            select(Award.badge_id, Activity.audience)
            .join(Badge, col(Badge.id) == col(Award.badge_id))
            .join(Activity, col(Activity.id) == col(Award.activity_id))
            .where(Badge.campus_id == campus_id, Activity.audience != "")
            .distinct()
        )
        found: dict[uuid.UUID, list[str]] = {}
        for badge_id, audience in self.session.execute(query):
            found.setdefault(badge_id, []).append(audience)
        return found

    def announced(
        self, campus_id: uuid.UUID, *, since: date, limit: int | None = None
    ) -> list[tuple[Activity, ActivityAnnouncement]]:
        """Announced activities that the campus leads and that have not passed, the next first."""
        rows = self.session.exec(
            select(Activity, ActivityAnnouncement)
            .join(ActivityAnnouncement, col(ActivityAnnouncement.activity_id) == col(Activity.id))
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(organised_by(campus_id), ActivityCampus.position == 0, col(Activity.ends_on) >= since)
            .order_by(col(Activity.starts_on), col(Activity.title))
            .limit(limit)
        )
        return [(activity, announcement) for activity, announcement in rows]

    def last_changes(self, campus_id: uuid.UUID) -> list[datetime]:
        """When anything of the campus last changed: by its history, and by its feed of changes."""
        noted = select(HistoryEntry.at).where(HistoryEntry.campus_id == campus_id)
        newest = noted.order_by(col(HistoryEntry.at).desc(), col(HistoryEntry.id).desc()).limit(1)
        changed = select(ChangeHead.last_at).where(ChangeHead.campus_id == campus_id)
        return [at for at in (*self.session.exec(newest), *self.session.exec(changed)) if at is not None]

    def badges_of_activities(self, ids: Collection[uuid.UUID]) -> list[tuple[uuid.UUID, uuid.UUID]]:
        query = select(ActivityBadge.badge_id, ActivityBadge.activity_id)
        return [*self.session.execute(query.where(col(ActivityBadge.activity_id).in_(ids)))]

    # --- one page

    def announcement(self, activity_id: uuid.UUID) -> ActivityAnnouncement | None:
        return self.session.get(ActivityAnnouncement, activity_id)

    def announce(self, announcement: ActivityAnnouncement) -> None:
        self.session.merge(announcement)
        self.session.flush()

    def withdraw_announcement(self, activity_id: uuid.UUID) -> None:
        self.session.exec(
            delete(ActivityAnnouncement).where(col(ActivityAnnouncement.activity_id) == activity_id)
        )

    def find(self, subject_id: uuid.UUID) -> CatalogueEntry | None:
        return self.session.exec(
            select(CatalogueEntry).where(CatalogueEntry.subject_id == subject_id)
        ).first()

    def badges_attesting(self, competency_id: uuid.UUID) -> list[tuple[CatalogueEntry, int | None]]:
        """Published badges in use that attest it, with the level, the highest first."""
        rows = self.session.exec(
            select(CatalogueEntry, BadgeCompetency.level)
            .join(BadgeVersion, col(BadgeVersion.badge_id) == col(CatalogueEntry.subject_id))
            .join(BadgeCompetency, col(BadgeCompetency.version_id) == col(BadgeVersion.id))
            .where(
                BadgeVersion.number == CatalogueEntry.version, BadgeCompetency.competency_id == competency_id
            )
            .order_by(col(BadgeCompetency.level).desc(), col(CatalogueEntry.title))
        )
        return [(entry, level) for entry, level in rows]

    def badges_aligned_to(self, code: str) -> list[CatalogueEntry]:
        """Published badges of which an alignment has this code: letters and digits alone."""
        rows = self.session.exec(
            select(CatalogueEntry)
            .join(BadgeVersion, col(BadgeVersion.badge_id) == col(CatalogueEntry.subject_id))
            .where(
                BadgeVersion.number == CatalogueEntry.version,
                cast(col(BadgeVersion.alignments), Text).contains(f'"{code}"'),
            )
            .order_by(col(CatalogueEntry.title))
        )
        return list(rows)

    def alignments_of(self, entry: CatalogueEntry) -> list[dict[str, str]]:
        query = select(BadgeVersion.alignments).where(
            BadgeVersion.badge_id == entry.subject_id, BadgeVersion.number == entry.version
        )
        return list(self.session.exec(query).first() or ())

    def activities_with(
        self,
        *,
        campus_id: uuid.UUID | None = None,
        badge_id: uuid.UUID | None = None,
        competency_id: uuid.UUID | None = None,
        since: date,
        limit: int = 12,
    ) -> Sequence[CatalogueEntry]:
        """Announced activities to come, of the campus, that lead to the badge, or practise the competency."""
        query = select(CatalogueEntry).where(
            CatalogueEntry.kind == EntryKind.ACTIVITY, col(CatalogueEntry.starts_on) >= since
        )
        if campus_id is not None:
            query = query.where(CatalogueEntry.campus_id == campus_id)
        if badge_id is not None:
            query = query.join(
                ActivityBadge, col(ActivityBadge.activity_id) == col(CatalogueEntry.subject_id)
            ).where(ActivityBadge.badge_id == badge_id)
        if competency_id is not None:
            query = query.join(
                ActivityCompetency, col(ActivityCompetency.activity_id) == col(CatalogueEntry.subject_id)
            ).where(ActivityCompetency.competency_id == competency_id)
        return self.session.exec(query.order_by(col(CatalogueEntry.starts_on)).limit(limit)).all()

    def next_towards(
        self,
        badge_ids: Collection[uuid.UUID],
        competency_ids: Collection[uuid.UUID],
        campus_id: uuid.UUID | None,
        *,
        since: date,
    ) -> dict[uuid.UUID, CatalogueEntry]:
        """The next announced activity that leads to each badge, practises each competency, or is of the campus."""
        links = (
            (badge_ids, ActivityBadge.badge_id, ActivityBadge.activity_id),
            (competency_ids, ActivityCompetency.competency_id, ActivityCompetency.activity_id),
        )
        first: dict[uuid.UUID, tuple[date, str, uuid.UUID]] = {}
        for ids, owner, activity in links:
            query = (
                select_rows(
                    col(owner), col(CatalogueEntry.starts_on), col(CatalogueEntry.title), col(activity)
                )
                .join(CatalogueEntry, col(CatalogueEntry.subject_id) == col(activity))
                .where(
                    col(owner).in_(sorted(ids)),
                    col(CatalogueEntry.kind) == EntryKind.ACTIVITY,
                    col(CatalogueEntry.starts_on) >= since,
                )
            )
            for owner_id, starts_on, title, activity_id in self.session.execute(query) if ids else ():
                one = (starts_on, title, activity_id)
                first[owner_id] = min(first.get(owner_id, one), one)
        entries = self._by_subject(activity_id for _, _, activity_id in first.values())
        found = {owner_id: entries[activity_id] for owner_id, (_, _, activity_id) in first.items()}
        of_campus = self.activities_with(campus_id=campus_id, since=since, limit=1) if campus_id else ()
        for each in of_campus:
            found[each.campus_id] = each
        return found

    def _by_subject(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, CatalogueEntry]:
        wanted = sorted(set(ids))
        query = select(CatalogueEntry).where(col(CatalogueEntry.subject_id).in_(wanted))
        return {entry.subject_id: entry for entry in self.session.exec(query)} if wanted else {}

    def titles_of(self, subject_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
        wanted = list(subject_ids)
        query = select_rows(col(CatalogueEntry.subject_id), col(CatalogueEntry.title)).where(
            among(self.session, CatalogueEntry.subject_id, wanted)
        )
        return {row.subject_id: row.title for row in self.session.execute(query)} if wanted else {}

    def badges_reached_by(self, activity_id: uuid.UUID) -> Sequence[CatalogueEntry]:
        query = (
            select(CatalogueEntry)
            .join(ActivityBadge, col(ActivityBadge.badge_id) == col(CatalogueEntry.subject_id))
            .where(ActivityBadge.activity_id == activity_id)
        )
        return self.session.exec(query.order_by(col(CatalogueEntry.title))).all()

    def pathways_with(self, subject_ids: Collection[uuid.UUID]) -> Sequence[CatalogueEntry]:
        """Listed pathways that name one of these badges or competencies."""
        through = select(PathwaySubject.pathway_id).where(col(PathwaySubject.subject_id).in_(subject_ids))
        query = select(CatalogueEntry).where(
            col(CatalogueEntry.subject_id).in_(through), CatalogueEntry.kind == EntryKind.PATHWAY
        )
        return self.session.exec(query.order_by(col(CatalogueEntry.title)).limit(12)).all()

    def paths(self, *, limit: int, start: int) -> Sequence[str]:
        """Of all but networks and labels, which the sitemap has elsewhere."""
        query = select(CatalogueEntry.path).where(_HAS_CAMPUS).order_by(col(CatalogueEntry.number))
        return self.session.exec(query.limit(limit).offset(start)).all()

    def count(self, kind: EntryKind | None = None) -> int:
        """All but networks and labels, or those of one kind."""
        query = select(func.count()).select_from(CatalogueEntry)
        return self.session.exec(
            query.where(_HAS_CAMPUS if kind is None else CatalogueEntry.kind == kind)
        ).one()

    def badge_of(self, campus_id: uuid.UUID, badge_kind: str) -> CatalogueEntry | None:
        """The last that was added, of one kind."""
        query = select(CatalogueEntry).where(
            CatalogueEntry.kind == EntryKind.BADGE,
            CatalogueEntry.campus_id == campus_id,
            CatalogueEntry.badge_kind == badge_kind,
        )
        return self.session.exec(query.order_by(col(CatalogueEntry.number).desc()).limit(1)).first()

    def newest(self, *, limit: int) -> list[tuple[CatalogueEntry, Campus, datetime]]:
        """Published badges and announced activities, the newest first."""
        badges = (
            select(CatalogueEntry, Campus, BadgeVersion.frozen_at)
            .join(Campus, col(Campus.id) == col(CatalogueEntry.campus_id))
            .join(BadgeVersion, col(BadgeVersion.badge_id) == col(CatalogueEntry.subject_id))
            .where(BadgeVersion.number == CatalogueEntry.version)
            .order_by(col(BadgeVersion.frozen_at).desc())
        )
        activities = (
            select(CatalogueEntry, Campus, ActivityAnnouncement.announced_at)
            .join(Campus, col(Campus.id) == col(CatalogueEntry.campus_id))
            .join(
                ActivityAnnouncement, col(ActivityAnnouncement.activity_id) == col(CatalogueEntry.subject_id)
            )
            .order_by(col(ActivityAnnouncement.announced_at).desc())
        )
        found = [
            (entry, campus, at)
            for query in (badges, activities)
            for entry, campus, at in self.session.execute(query.limit(limit))
            if at is not None
        ]
        return sorted(found, key=lambda each: each[2], reverse=True)[:limit]

    # --- search
    #
    # On PostgreSQL the matches are materialized: for the first few, the planner would read the whole table and
    # parse each row again, which takes a hundred times as long as the index.

    def browse(
        self, query: CatalogueQuery, *, limit: int, numbers: Collection[int] | None = None
    ) -> Sequence[CatalogueEntry]:
        """One page of entries, without a search text. `numbers`: those that the facets leave, where they are few."""
        if numbers is not None and not numbers:
            return []
        found = _conditions(query) if numbers is None else [self._among(numbers)]
        rows = select(CatalogueEntry).where(*found)
        match query.order:
            case CatalogueOrder.TITLE:
                rows = rows.order_by(col(CatalogueEntry.title), col(CatalogueEntry.number))
            case CatalogueOrder.DAY:
                rows = rows.where(col(CatalogueEntry.starts_on).is_not(None)).order_by(
                    col(CatalogueEntry.starts_on), col(CatalogueEntry.title)
                )
            case _:
                rows = rows.order_by(col(CatalogueEntry.holders).desc(), col(CatalogueEntry.title))
        return self.session.exec(rows.limit(limit).offset((query.page - 1) * limit)).all()

    def _among(self, numbers: Collection[int]) -> ColumnElement[bool]:
        return among(self.session, CatalogueEntry.number, numbers)

    def matches(self, terms: SearchQuery) -> dict[uuid.UUID, list[int]]:
        """The numbers of the first matches of the terms, of each kind, by campus."""
        rows = select_rows(col(CatalogueEntry.campus_id), col(CatalogueEntry.number)).where(
            self._matches(terms, labels_only=False)
        )
        matching = rows.cte("matching").prefix_with("MATERIALIZED", dialect="postgresql")
        first = select_rows(matching).limit(MOST_MATCHES).subquery()
        is_postgres = self.session.get_bind().dialect.name == "postgresql"
        numbers = (func.array_agg if is_postgres else func.json_group_array)(first.c.number)
        found = self.session.execute(select_rows(first.c.campus_id, numbers).group_by(first.c.campus_id))
        return {campus_id: each if is_postgres else orjson.loads(each) for campus_id, each in found}

    def with_title_of(self, terms: SearchQuery) -> set[int]:
        """Matches in the title, short titles first."""
        rows = select(CatalogueEntry.number, CatalogueEntry.size).where(
            self._matches(terms, labels_only=True)
        )
        matching = rows.cte("matching").prefix_with("MATERIALIZED", dialect="postgresql")
        query = select_rows(matching.c.number).order_by(matching.c.size).limit(MOST_MATCHES)
        return {number for number in self.session.scalars(query) if number is not None}

    def versions_of_facets(self) -> dict[uuid.UUID, int]:
        """Of each campus, and each network that is listed, a number that is another one after its facets changed."""
        campuses = select_rows(col(Campus.id), func.coalesce(CatalogueRefresh.version, 0)).outerjoin(
            CatalogueRefresh, col(CatalogueRefresh.campus_id) == col(Campus.id)
        )
        networks = select_rows(col(CatalogueEntry.campus_id), col(CatalogueEntry.number)).where(
            col(CatalogueEntry.kind) == EntryKind.NETWORK
        )
        return {row[0]: row[1] for row in self.session.execute(campuses.union_all(networks))}

    def facts_of(self, campuses: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Facts]]:
        """The facets of every entry of these campuses, by number."""
        found: dict[uuid.UUID, list[Facts]] = {}
        for row in self.session.execute(
            select_rows(*_FACTS)
            .where(among(self.session, CatalogueEntry.campus_id, campuses))
            .order_by(col(CatalogueEntry.number))
        ):
            found.setdefault(row.campus_id, []).append(Facts(*row))
        return found

    def terms_of(self, numbers: Collection[int]) -> list[Ranked]:
        rows = select(  # type: ignore[call-overload]
            CatalogueEntry.number,
            CatalogueEntry.label_terms,
            CatalogueEntry.other_terms,
            CatalogueEntry.size,
            CatalogueEntry.holders,
        ).where(col(CatalogueEntry.number).in_(numbers))
        return [Ranked(*row) for row in self.session.execute(rows)]

    def get_many(self, numbers: Collection[int]) -> dict[int, CatalogueEntry]:
        query = select(CatalogueEntry).where(col(CatalogueEntry.number).in_(numbers))
        return {entry.number or 0: entry for entry in self.session.exec(query)}

    def similar(self, term: str, *, first: int = 1, limit: int = 4000) -> Sequence[str]:
        """Known terms with the same `first` letters."""
        begin = term[:first]
        query = select(CatalogueTerm.term).where(
            col(CatalogueTerm.term) >= begin, col(CatalogueTerm.term) < begin + "\x7f"
        )
        return self.session.exec(query.limit(limit)).all()

    def _matches(self, terms: SearchQuery, *, labels_only: bool) -> ColumnElement[bool]:
        if self.session.get_bind().dialect.name == "postgresql":
            terms_of = "label_terms" if labels_only else "label_terms || ' ' || other_terms"
            match = match_on_postgres(terms.terms, prefixes=True)
            condition = f"to_tsvector('simple', {terms_of}) @@ CAST(:match AS tsquery)"
        else:
            match = match_on_sqlite(terms.terms, prefixes=True, labels_only=labels_only)
            condition = "catalogue_entry.number IN (SELECT rowid FROM catalogue_index WHERE catalogue_index MATCH :match)"
        return text(condition).bindparams(match=match)  # type: ignore[return-value]


def _conditions(query: CatalogueQuery) -> list[ColumnElement[bool]]:
    chosen: dict[str, Sequence[Any]] = {
        "kind": query.kinds,
        "campus_id": query.campuses,
        "badge_kind": query.badge_kinds,
        "level": query.levels,
        "place": query.places,
    }
    found = [getattr(CatalogueEntry, name).in_(values) for name, values in chosen.items() if values]
    for column, keys in (
        (col(CatalogueEntry.audiences), query.audiences),
        (col(CatalogueEntry.competencies), query.competencies),
    ):
        if keys:
            found.append(or_(*(column.contains(f" {key} ") for key in keys)))
    return found or [literal_column("1") == literal_column("1")]
