"""Frameworks and their items: competencies of campuses, registers, networks' frameworks."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Uuid, bindparam, delete, insert, or_, text, update
from sqlmodel import Session, SQLModel, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from app.db.engine.queries import RowStore, Store
from app.db.engine.row_level_security import rows_named
from app.domain.activities import Activity, ActivityCampus, Participation
from app.domain.awards import Award, AwardState
from app.domain.badges import BadgeCompetency
from app.domain.campus.campus import NetworkMember
from app.domain.frameworks import (
    Competency,
    CompetencySynonym,
    CompetencyVersion,
    Framework,
    FrameworkAssociation,
    FrameworkRelease,
    FrameworkSearchEntry,
    FrameworkTerm,
    search_number,
)
from app.domain.frameworks.pathway_progress import AttendedActivity, HeldBadge, PathwayFacts, StageDecision
from app.domain.frameworks.pathways import ConditionKind, PathwayContent, PathwayDecision, PathwayEnrolment
from app.domain.frameworks.text_search import LONGEST_TERM, SearchQuery, forms_of, relatives_of, terms_of
from app.domain.learners.portfolios import Contribution, ContributionState
from app.errors import NotFound

_MOST_VALUES = 400
"""Values of one IN list."""


class CompetencyStore(RowStore[SQLModel]):
    def find_framework(self, campus_id: uuid.UUID, code: str) -> Framework | None:
        query = select(Framework).where(Framework.campus_id == campus_id, Framework.code == code)
        return self.session.exec(query).first()

    def find_by_code(self, framework_id: uuid.UUID, code: str) -> Competency | None:
        query = select(Competency).where(Competency.framework_id == framework_id, Competency.code == code)
        return self.session.exec(query).first()

    def list_of(self, campus_id: uuid.UUID) -> list[tuple[Competency, Framework]]:
        rows = self.session.exec(
            select(Competency, Framework)
            .join(Framework, col(Framework.id) == col(Competency.framework_id))
            .where(Framework.campus_id == campus_id)
            .order_by(col(Framework.code), col(Competency.code))
        )
        return [(competency, framework) for competency, framework in rows]

    def get_in_campus(self, competency_id: uuid.UUID, campus_id: uuid.UUID) -> tuple[Competency, Framework]:
        row = self.session.exec(
            select(Competency, Framework)
            .join(Framework, col(Framework.id) == col(Competency.framework_id))
            .where(Competency.id == competency_id, Framework.campus_id == campus_id)
        ).first()
        if row is None:
            raise NotFound("Cette compétence n’existe pas dans ce campus.")
        return row[0], row[1]

    def get_many(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, tuple[Competency, Framework]]:
        wanted = list(ids)
        if not wanted:
            return {}
        rows = self.session.exec(
            select(Competency, Framework)
            .join(Framework, col(Framework.id) == col(Competency.framework_id))
            .where(col(Competency.id).in_(wanted))
        )
        return {competency.id: (competency, framework) for competency, framework in rows}

    def highest_level_used(self, competency_id: uuid.UUID) -> int:
        """The highest level that any badge version attests; 0 if none."""
        query = select(func.max(BadgeCompetency.level)).where(BadgeCompetency.competency_id == competency_id)
        return self.session.exec(query).one() or 0

    def index(self, competency: Competency) -> None:
        """Replaces one item's entry in the search index."""
        terms = terms_of(
            competency.statement, competency.code, competency.other_labels, competency.description
        )
        known = self.session.exec(
            select(FrameworkSearchEntry).where(FrameworkSearchEntry.competency_id == competency.id)
        ).first()
        if known is not None:
            self.remove(known)
        self.add(
            FrameworkSearchEntry(
                number=search_number(terms.size, competency.id),
                competency_id=competency.id,
                framework_id=competency.framework_id,
                size=terms.size,
                label_terms=terms.label,
                other_terms=terms.other,
            )
        )

    def add_version(self, version: CompetencyVersion) -> None:
        """Numbers it after the newest one."""
        query = select(func.max(CompetencyVersion.number)).where(
            CompetencyVersion.competency_id == version.competency_id
        )
        version.number = (self.session.exec(query).one() or 0) + 1
        self.add(version)

    def versions_of(self, competency_id: uuid.UUID) -> Sequence[CompetencyVersion]:
        query = select(CompetencyVersion).where(CompetencyVersion.competency_id == competency_id)
        return self.session.exec(query.order_by(col(CompetencyVersion.number))).all()

    def newest_numbers(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
        """The number of the newest version of each."""
        wanted = list(ids)
        if not wanted:
            return {}
        rows = self.session.exec(
            select(CompetencyVersion.competency_id, func.max(CompetencyVersion.number))
            .where(col(CompetencyVersion.competency_id).in_(wanted))
            .group_by(col(CompetencyVersion.competency_id))
        )
        return dict(rows.all())

    def synonyms_of(self, campus_id: uuid.UUID) -> Sequence[CompetencySynonym]:
        query = select(CompetencySynonym).where(CompetencySynonym.campus_id == campus_id)
        return self.session.exec(query.order_by(col(CompetencySynonym.label))).all()


class FrameworkStore(RowStore[SQLModel]):
    """Whole frameworks: read for a comparison, written in bulk, found by code."""

    def get(self, framework_id: uuid.UUID) -> Framework | None:
        return self.session.get(Framework, framework_id)

    def find_shared(self, code: str) -> Framework | None:
        query = select(Framework).where(col(Framework.campus_id).is_(None), Framework.code == code)
        return self.session.exec(query).first()

    def visible_to(self, campus_id: uuid.UUID | None) -> Sequence[Framework]:
        """Public ones; for a campus also its own and those of its networks."""
        query = select(Framework).where(self._visible_to(campus_id))
        return self.session.exec(query.order_by(col(Framework.code))).all()

    def _visible_to(self, campus_id: uuid.UUID | None) -> ColumnElement[bool]:
        public = col(Framework.campus_id).is_(None) & col(Framework.network_id).is_(None)
        if campus_id is None:
            return public
        networks = select(NetworkMember.network_id).where(NetworkMember.campus_id == campus_id)
        return or_(public, col(Framework.campus_id) == campus_id, col(Framework.network_id).in_(networks))

    def members_of(self, network_id: uuid.UUID) -> set[uuid.UUID]:
        """The campuses of a network."""
        query = select(NetworkMember.campus_id).where(NetworkMember.network_id == network_id)
        return set(self.session.exec(query))

    def list_all(self) -> Sequence[Framework]:
        """For the public documents, by code."""
        return self.session.exec(select(Framework).order_by(col(Framework.code), col(Framework.id))).all()

    def sizes(self) -> dict[uuid.UUID, int]:
        """Items of each framework."""
        query = select(Competency.framework_id, func.count()).group_by(col(Competency.framework_id))
        return dict(self.session.exec(query).all())

    def items_of(self, framework_id: uuid.UUID) -> Sequence[Competency]:
        query = select(Competency).where(Competency.framework_id == framework_id)
        return self.session.exec(query.order_by(col(Competency.position), col(Competency.code))).all()

    def find_version(self, competency_id: uuid.UUID, number: int) -> CompetencyVersion | None:
        return self.session.get(CompetencyVersion, (competency_id, number))

    def get_item(self, competency_id: uuid.UUID) -> tuple[Competency, Framework] | None:
        row = self.session.exec(
            select(Competency, Framework)
            .join(Framework, col(Framework.id) == col(Competency.framework_id))
            .where(Competency.id == competency_id)
        ).first()
        return (row[0], row[1]) if row else None

    def items_by_code(self, framework_id: uuid.UUID, codes: Iterable[str]) -> dict[str, Competency]:
        found: dict[str, Competency] = {}
        wanted = sorted(set(codes))
        for start in range(0, len(wanted), _MOST_VALUES):
            query = select(Competency).where(
                Competency.framework_id == framework_id,
                col(Competency.code).in_(wanted[start : start + _MOST_VALUES]),
            )
            found |= {item.code: item for item in self.session.exec(query)}
        return found

    def items(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Competency]:
        query = select(Competency).where(col(Competency.id).in_(list(ids)))
        return {item.id: item for item in self.session.exec(query)}

    def places_above(self, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, tuple[str, uuid.UUID | None]]:
        """Label and item above of each, and of every item above it, in one statement."""
        if not ids:
            return {}
        columns = (col(Competency.id), col(Competency.statement), col(Competency.parent_id))
        above = select(*columns).where(col(Competency.id).in_(list(ids))).cte("above", recursive=True)
        above = above.union(select(*columns).join(above, above.c.parent_id == col(Competency.id)))
        rows = self.session.execute(select(above))  # type: ignore[call-overload]
        return {number: (label, parent_id) for number, label, parent_id in rows}

    def associations_of(self, framework_id: uuid.UUID) -> Sequence[FrameworkAssociation]:
        query = select(FrameworkAssociation).where(FrameworkAssociation.framework_id == framework_id)
        return self.session.exec(query.order_by(col(FrameworkAssociation.id))).all()

    def associations_from(self, ids: Iterable[uuid.UUID], kind: str) -> Sequence[FrameworkAssociation]:
        query = select(FrameworkAssociation).where(
            col(FrameworkAssociation.origin_id).in_(list(ids)), FrameworkAssociation.kind == kind
        )
        return self.session.exec(query.order_by(col(FrameworkAssociation.target))).all()

    def related_to(self, target: str) -> list[tuple[FrameworkAssociation, Competency, Framework]]:
        """Items that an association of any kind relates to `target`."""
        return self._related(col(FrameworkAssociation.target) == target)

    def related_to_register(self, register: str) -> list[tuple[FrameworkAssociation, Competency, Framework]]:
        """The same for all targets of a register, of campuses' items only."""
        first, last = f"{register}:", f"{register};"
        target = col(FrameworkAssociation.target)
        return self._related((target >= first) & (target < last) & col(Framework.campus_id).is_not(None))

    def _related(
        self, condition: ColumnElement[bool]
    ) -> list[tuple[FrameworkAssociation, Competency, Framework]]:
        rows = self.session.exec(
            select(FrameworkAssociation, Competency, Framework)
            .join(Competency, col(Competency.id) == col(FrameworkAssociation.origin_id))
            .join(Framework, col(Framework.id) == col(Competency.framework_id))
            .where(condition)
        )
        return [(row, competency, framework) for row, competency, framework in rows]

    def get_association(self, association_id: uuid.UUID) -> FrameworkAssociation | None:
        return self.session.get(FrameworkAssociation, association_id)

    def releases_of(self, framework_id: uuid.UUID) -> Sequence[FrameworkRelease]:
        query = select(FrameworkRelease).where(FrameworkRelease.framework_id == framework_id)
        return self.session.exec(query.order_by(col(FrameworkRelease.number))).all()

    def changed_at(self, framework_id: uuid.UUID) -> datetime | None:
        """Of its newest version of an item."""
        query = (
            select(func.max(CompetencyVersion.written_at))
            .join(Competency, col(Competency.id) == col(CompetencyVersion.competency_id))
            .where(Competency.framework_id == framework_id)
        )
        return self.session.exec(query).one()

    def version_numbers(self, framework_id: uuid.UUID) -> dict[uuid.UUID, int]:
        """The newest version of each item."""
        rows = self.session.exec(
            select(CompetencyVersion.competency_id, func.max(CompetencyVersion.number))
            .join(Competency, col(Competency.id) == col(CompetencyVersion.competency_id))
            .where(Competency.framework_id == framework_id)
            .group_by(col(CompetencyVersion.competency_id))
        )
        return dict(rows.all())

    def insert_many(self, table: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            self.session.connection().execute(insert(table), list(rows))

    def update_items(self, rows: Sequence[dict[str, Any]]) -> None:
        """Each row has its `id` and the columns that change."""
        if rows:
            self.session.flush()
            self.session.execute(update(Competency), list(rows))

    def remove_associations(self, ids: Iterable[uuid.UUID]) -> None:
        wanted = list(ids)
        for start in range(0, len(wanted), _MOST_VALUES):
            some = col(FrameworkAssociation.id).in_(wanted[start : start + _MOST_VALUES])
            self.session.connection().execute(delete(FrameworkAssociation).where(some))

    def remove_entries(self, ids: Iterable[uuid.UUID]) -> None:
        wanted = list(ids)
        for start in range(0, len(wanted), _MOST_VALUES):
            some = col(FrameworkSearchEntry.competency_id).in_(wanted[start : start + _MOST_VALUES])
            self.session.connection().execute(delete(FrameworkSearchEntry).where(some))

    def expire(self) -> None:
        """After bulk writes, loaded rows are read again."""
        self.session.expire_all()


# --- Full-text search of framework items: FTS5 on SQLite, a GIN index on PostgreSQL


class Match(NamedTuple):
    competency_id: uuid.UUID
    framework_id: uuid.UUID
    label_terms: str
    other_terms: str
    size: int


_SQLITE: Final = """
SELECT {at} AS query, s.competency_id, s.framework_id, s.label_terms, s.other_terms, s.size
FROM framework_search_index i CROSS JOIN framework_search s ON s.number = i.rowid
WHERE framework_search_index MATCH :match{at} AND s.framework_id IN :frameworks ORDER BY i.rowid LIMIT :limit{at}
"""
_POSTGRES: Final = """
WITH matching AS MATERIALIZED (
SELECT s.number FROM framework_search s
WHERE to_tsvector('simple', {terms}) @@ CAST(:match{at} AS tsquery) AND s.framework_id IN :frameworks)
SELECT {at} AS query, s.competency_id, s.framework_id, s.label_terms, s.other_terms, s.size
FROM (SELECT number FROM matching ORDER BY number LIMIT :limit{at}) first
JOIN framework_search s ON s.number = first.number ORDER BY s.number
"""
_ONE_OF_SEVERAL: Final = "SELECT * FROM ({one}) q{at}"
# Materialized: for the first few matches the planner would read the table in order and parse each row again.
_LABELS, _ALL = "s.label_terms", "s.label_terms || ' ' || s.other_terms"


class FullTextIndex(Store):
    def find(
        self,
        query: SearchQuery,
        frameworks: Sequence[uuid.UUID],
        *,
        prefixes: bool,
        labels_only: bool,
        limit: int,
    ) -> list[Match]:
        """Short labels first; every term is required. With `prefixes`, terms that begin alike answer too."""
        (found,) = self.find_each(
            [query], frameworks, prefixes=prefixes, labels_only=labels_only, limits=[limit]
        )
        return found

    def find_each(
        self,
        queries: Sequence[SearchQuery],
        frameworks: Sequence[uuid.UUID],
        *,
        prefixes: bool,
        labels_only: bool,
        limits: Sequence[int],
    ) -> list[list[Match]]:
        """Of each query by itself, in one statement."""
        found: list[list[Match]] = [[] for _ in queries]
        if not frameworks or not queries:
            return found
        connection = self.session.connection()
        if connection.dialect.name == "postgresql":
            # One index for each: with weights in one, each row found would be parsed again.
            one, terms = _POSTGRES, _LABELS if labels_only else _ALL
            matches = [match_on_postgres(each.terms, prefixes=prefixes) for each in queries]
        else:
            one, terms = _SQLITE, ""
            matches = [match_on_sqlite(each.terms, prefixes=prefixes, labels_only=labels_only) for each in queries]  # fmt: skip
        every = [_ONE_OF_SEVERAL.format(one=one.format(terms=terms, at=at), at=at) for at in range(len(queries))]  # fmt: skip
        statement = text(" UNION ALL ".join(every)).bindparams(
            bindparam("frameworks", expanding=True, type_=Uuid())
        )
        values: dict[str, Any] = {"frameworks": list(frameworks)}
        values |= {f"match{at}": match for at, match in enumerate(matches)}
        values |= {f"limit{at}": limit for at, limit in enumerate(limits)}
        for at, number, framework, *rest in connection.execute(statement, values):
            found[at].append(Match(_uuid(number), _uuid(framework), *rest))
        return found

    def known(self, terms: Iterable[str]) -> set[str]:
        """Those of which any label has a term that begins so."""
        wanted = list(dict.fromkeys(terms))
        begins = [self._from(term).exists().label(f"at{at}") for at, term in enumerate(wanted)]
        if not begins:
            return set()
        (row,) = self.session.execute(select(*begins))
        return {term for term, is_known in zip(wanted, row, strict=True) if is_known}

    def similar(self, term: str, letter: str) -> Sequence[str]:
        """Known terms of about the same length that begin with `letter`."""
        length = func.length(FrameworkTerm.term)
        near = length.between(len(term) - 2, len(term) + 2)
        return self.session.exec(self._from(letter).where(near)).all()

    @staticmethod
    def _from(begin: str) -> SelectOfScalar[str]:
        term = col(FrameworkTerm.term)
        return select(FrameworkTerm.term).where(term >= begin, term < begin + "\x7f")

    def learn(self, terms: Iterable[str]) -> None:
        """Adds to the vocabulary what it lacks."""
        wanted = sorted({term[:LONGEST_TERM] for term in terms})
        statement = text("INSERT INTO framework_term (term) VALUES (:term) ON CONFLICT DO NOTHING")
        for start in range(0, len(wanted), 5000):
            self.session.connection().execute(
                statement, [{"term": term} for term in wanted[start : start + 5000]]
            )


def _uuid(value: object) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))


def _alternatives(term: str) -> list[str]:
    return list(dict.fromkeys((*forms_of(term), *relatives_of(term))))


def _may_begin(term: str, terms: Sequence[str]) -> bool:
    """Whether longer terms that begin so are meant: the last term may still be typed, « tri » before others is no « tribunal »."""
    return term is terms[-1] or len(term) >= 4


def match_on_sqlite(terms: Sequence[str], *, prefixes: bool, labels_only: bool) -> str:
    """Terms are letters and digits alone: nothing in them is syntax."""
    groups = []
    for term in terms:
        exact = [f'"{each}"' for each in _alternatives(term)]
        if prefixes and _may_begin(term, terms):
            exact.append(f'"{term}"*')
        groups.append(f"({' OR '.join(exact)})")
    match = " AND ".join(groups)
    return f"label_terms : ({match})" if labels_only else match


def match_on_postgres(terms: Sequence[str], *, prefixes: bool) -> str:
    groups = []
    for term in terms:
        exact = [f"'{each}'" for each in _alternatives(term)]
        if prefixes and _may_begin(term, terms):
            exact.append(f"'{term}':*")
        groups.append(f"({' | '.join(exact)})")
    return " & ".join(groups)


@dataclass(frozen=True)
class _Attended:
    """What one person attended or contributed, and the campuses for which it counts."""

    person_id: uuid.UUID
    activity_id: uuid.UUID | None
    campus_ids: set[uuid.UUID]
    activity: AttendedActivity


def facts_of(
    session: Session, followed: Sequence[tuple[PathwayEnrolment, PathwayContent]]
) -> dict[uuid.UUID, PathwayFacts]:
    """By enrolment. Only what a condition reads; activities of the pathway's campuses alone."""
    people = sorted({enrolment.person_id for enrolment, _ in followed})
    kinds = {kind for _, content in followed for kind in content.condition_kinds}
    campuses = {each.id: {each.campus_id, *content.campus_ids} for each, content in followed}
    with rows_named(session):
        badges = _held(session, people, with_levels=ConditionKind.COMPETENCY in kinds)
        attended: list[_Attended] = []
        if kinds & {ConditionKind.HOURS, ConditionKind.ACTIVITIES}:
            everywhere = set().union(*campuses.values())
            attended = _attended(session, people, everywhere)
            if ConditionKind.HOURS in kinds:
                attended += _contributed(session, people, everywhere, attended)
    decisions = (
        _decided(session, [each.id for each, _ in followed]) if ConditionKind.DECISION in kinds else {}
    )
    by_person: dict[uuid.UUID, list[_Attended]] = {}
    for one in attended:
        by_person.setdefault(one.person_id, []).append(one)
    return {
        each.id: PathwayFacts(
            badges.get(each.person_id, ()),
            [
                one.activity
                for one in by_person.get(each.person_id, ())
                if not campuses[each.id].isdisjoint(one.campus_ids)
            ],
            decisions.get(each.id, ()),
        )
        for each, _ in followed
    }


def _decided(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[StageDecision]]:
    found: dict[uuid.UUID, list[StageDecision]] = {}
    query = select(PathwayDecision).where(col(PathwayDecision.enrolment_id).in_(ids))
    for row in session.exec(query):
        found.setdefault(row.enrolment_id, []).append(StageDecision(row.stage, row.decided_at, row.note))
    return found


def _held(
    session: Session, people: Sequence[uuid.UUID], *, with_levels: bool
) -> dict[uuid.UUID, list[HeldBadge]]:
    columns = (
        Award.id, Award.badge_id, Award.version_id, Award.person_id, Award.awarded_at, Award.valid_until,
        Award.suspended_until, Award.state,
    )  # fmt: skip
    query = select(*columns).where(col(Award.person_id).in_(people))  # type: ignore[call-overload]
    awards = session.execute(query).all()
    levels: dict[uuid.UUID, dict[uuid.UUID, int]] = {}
    versions = list({row[2] for row in awards}) if with_levels else []
    links = select(BadgeCompetency).where(col(BadgeCompetency.version_id).in_(versions))
    for link in session.exec(links) if versions else ():
        levels.setdefault(link.version_id, {})[link.competency_id] = link.level or 0
    found: dict[uuid.UUID, list[HeldBadge]] = {}
    for award_id, badge_id, version_id, person_id, awarded_at, valid_until, suspended_until, state in awards:
        held = HeldBadge(
            award_id,
            badge_id,
            awarded_at,
            levels.get(version_id, {}),
            valid_until,
            suspended_until,
            is_revoked=state is AwardState.REVOKED,
        )
        found.setdefault(person_id, []).append(held)
    return found


def _attended(
    session: Session, people: Sequence[uuid.UUID], campus_ids: Collection[uuid.UUID]
) -> list[_Attended]:
    columns = (
        Participation.id, Participation.person_id, Participation.hours, Activity.id, Activity.kind,
        Activity.hours, Activity.ends_on, ActivityCampus.campus_id,
    )  # fmt: skip
    rows = session.execute(
        select(*columns)  # type: ignore[call-overload]
        .join(Activity, col(Activity.id) == col(Participation.activity_id))
        .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
        .where(
            col(Participation.person_id).in_(people),
            col(Participation.is_present),
            col(ActivityCampus.campus_id).in_(sorted(campus_ids)),
            col(ActivityCampus.accepted_at).is_not(None) | (col(ActivityCampus.position) == 0),
        )
    )
    found: dict[uuid.UUID, _Attended] = {}
    for number, person_id, hours, activity_id, kind, planned, ends_on, campus_id in rows:
        one = found.get(number)
        if one is None:
            minutes = round(((hours if hours is not None else planned) or 0) * 60)
            attended = AttendedActivity(number, kind, minutes, _noon(ends_on))
            one = found[number] = _Attended(person_id, activity_id, set(), attended)
        one.campus_ids.add(campus_id)
    return list(found.values())


def _contributed(
    session: Session,
    people: Sequence[uuid.UUID],
    campus_ids: Collection[uuid.UUID],
    attended: Iterable[_Attended],
) -> list[_Attended]:
    """Confirmed contributions with hours; those to an activity that has hours of the person are part of it."""
    counted = {(one.person_id, one.activity_id) for one in attended if one.activity.minutes}
    columns = (
        Contribution.id, Contribution.person_id, Contribution.activity_id, Contribution.campus_id,
        Contribution.hours, Contribution.done_on, Activity.kind,
    )  # fmt: skip
    rows = session.execute(
        select(*columns)  # type: ignore[call-overload]
        .join(Activity, col(Activity.id) == col(Contribution.activity_id), isouter=True)
        .where(
            col(Contribution.person_id).in_(people),
            Contribution.state == ContributionState.CONFIRMED,
            col(Contribution.hours).is_not(None),
            col(Contribution.campus_id).in_(sorted(campus_ids)),
        )
    )
    return [
        _Attended(
            person_id,
            activity_id,
            {campus_id},
            AttendedActivity(number, kind, round(hours * 60), _noon(done_on), is_contribution=True),
        )
        for number, person_id, activity_id, campus_id, hours, done_on, kind in rows
        if (person_id, activity_id) not in counted
    ]


def _noon(day: date) -> datetime:
    """Of an activity only the day is known."""
    return datetime.combine(day, time(12), ZoneInfo("Europe/Paris"))
