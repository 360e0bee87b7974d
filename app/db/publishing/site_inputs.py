"""The rows that the pages of a static export show, without signed bytes, pictures and sealed keys."""

from __future__ import annotations

import uuid
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select as select_rows
from sqlmodel import SQLModel, col, func

from app.db.engine.queries import Store
from app.db.engine.writes import among
from app.domain.activities import Activity, Participation
from app.domain.activities.files import ActivityFile, StoredFile
from app.domain.activity_log import PARTICIPATION, CampusLog, LogCosignature, LogPayload, LogWitness
from app.domain.awards import Award, NewerDocument, SignedDocument
from app.domain.awards.open_badges import AwardEvidence, EvidenceDisclosure
from app.domain.badges import Badge, BadgeCompetency, BadgeVersion
from app.domain.campus.campus import Campus, Label, Network, NetworkMember, SealedKey
from app.domain.frameworks import Competency, Framework
from app.domain.learners.portfolios import ImportedBadge, PortfolioGroup, PortfolioPiece
from app.domain.people import Person
from app.domain.trust import NetworkKey, Recognition
from app.domain.trust.organisations import Endorsement, EndorsementStatusSlot, Organisation, OrganisationKey

_LEFT_OUT: Final = frozenset(
    {"sealed", "kek_id", "kek_version", "embedded", "token", "picture_svg", "picture_png", "content"}
)
"""Columns that no page shows, or that have their digest in another column."""
_NOTHING: Final = frozenset[str]()
Row = tuple[Any, ...]
Grouped = dict[Any, list[Row]]


@dataclass
class AwardRows:
    """What belongs to one award alone, and the ids of what it shares with others."""

    award: Row
    campus_id: uuid.UUID
    badge_id: uuid.UUID
    activity_id: uuid.UUID | None
    dates: tuple[datetime | None, ...]
    """From when on it is valid, suspended, and no longer either."""
    rows: list[Row] = field(default_factory=list)
    organisations: set[uuid.UUID] = field(default_factory=set)


class SiteInputStore(Store):
    def of_campus(self, campus_id: uuid.UUID) -> list[Row]:
        """What every page of the campus may show: the campus, its keys, logs and witnesses, and who recognises it."""
        found = [
            *self._some(Campus),
            *self._some(SealedKey, col(SealedKey.campus_id) == campus_id),
            *self._some(LogWitness, col(LogWitness.campus_id) == campus_id),
            *(row for kind in (Network, NetworkKey, NetworkMember, Recognition) for row in self._some(kind)),
            *self._some(Label, left_out=_NOTHING),
        ]
        logs = _select(CampusLog.id, CampusLog.epoch, CampusLog.origin, CampusLog.closed_at).where(
            col(CampusLog.campus_id) == campus_id
        )
        return found + [tuple(row) for row in self.session.execute(logs.order_by(CampusLog.epoch))]

    def of_awards(self, award_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, AwardRows]:
        """Those that exist."""
        found: dict[uuid.UUID, AwardRows] = {}
        people: dict[uuid.UUID, uuid.UUID] = {}
        query = _select(*_columns(Award)).where(among(self.session, col(Award.id), award_ids))
        for row in self.session.execute(query):
            dates = row.awarded_at, row.valid_until, row.suspended_at, row.suspended_until
            found[row.id] = AwardRows(tuple(row), row.campus_id, row.badge_id, row.activity_id, dates)
            people[row.id] = row.person_id
        named = self._by(Person, Person.id, set(people.values()))
        for award_id, person_id in people.items():
            found[award_id].rows += named.get(person_id, [])
        evidence = self._by(AwardEvidence, AwardEvidence.award_id, award_ids)
        for kind in (SignedDocument, NewerDocument, EvidenceDisclosure):
            self._add(found, self._by(kind, kind.award_id, award_ids))
        self._add(found, evidence)
        self._add(found, self._lines(evidence))
        endorsed = self._endorsements(col(Endorsement.award_id), award_ids)
        for award_id, rows in endorsed.items():
            found[award_id].rows += [row for _, row in rows]
            found[award_id].organisations |= {number for number, _ in rows}
        return found

    def of_badges(self, badge_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Row]]:
        """Each with its versions, their competencies, and its endorsements."""
        found = self._by(Badge, Badge.id, badge_ids)
        versions: dict[uuid.UUID, uuid.UUID] = {}
        query = _select(*_columns(BadgeVersion)).where(
            among(self.session, col(BadgeVersion.badge_id), badge_ids)
        )
        for row in self.session.execute(query.order_by(BadgeVersion.number)):
            versions[row.id] = row.badge_id
            found[row.badge_id].append(tuple(row))
        wanted = (
            _select(BadgeCompetency.version_id, *_columns(BadgeCompetency, Competency, Framework))
            .join(Competency, col(Competency.id) == col(BadgeCompetency.competency_id))
            .join(Framework, col(Framework.id) == col(Competency.framework_id))
            .where(among(self.session, col(BadgeCompetency.version_id), versions))
            .order_by(BadgeCompetency.version_id, BadgeCompetency.position, BadgeCompetency.competency_id)
        )
        for row in self.session.execute(wanted):
            found[versions[row[0]]].append(tuple(row))
        said = self._endorsements(col(Endorsement.version_id), versions)
        for version_id, rows in said.items():
            found[versions[version_id]] += [row for _, row in rows]
        organisations = {number for rows in said.values() for number, _ in rows}
        inputs = self.of_organisations(organisations)
        for version_id, rows in said.items():
            found[versions[version_id]] += [each for number, _ in rows for each in inputs[number]]
        return found

    def of_activities(self, activity_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Row]]:
        """Each with its files."""
        found = self._by(Activity, Activity.id, activity_ids)
        query = (
            _select(ActivityFile.activity_id, *_columns(ActivityFile, StoredFile))
            .join(StoredFile, col(StoredFile.id) == col(ActivityFile.file_id))
            .where(among(self.session, col(ActivityFile.activity_id), activity_ids))
            .order_by(StoredFile.added_at, StoredFile.id)
        )
        for row in self.session.execute(query):
            found[row[0]].append(tuple(row))
        return found

    def of_organisations(self, organisation_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Row]]:
        found = self._by(Organisation, Organisation.id, organisation_ids)
        for number, rows in self._by(
            OrganisationKey, OrganisationKey.organisation_id, organisation_ids
        ).items():
            found[number] += rows
        return found

    def of_portfolios(self, portfolios: Mapping[uuid.UUID, uuid.UUID]) -> dict[uuid.UUID, list[Row]]:
        """Groups and pieces of each, its person, and what they brought from elsewhere; by its person's id."""
        found: dict[uuid.UUID, list[Row]] = {each: [] for each in portfolios}
        for kind in (PortfolioGroup, PortfolioPiece):
            for number, rows in self._by(kind, kind.portfolio_id, portfolios).items():
                found[number] += rows
        people = set(portfolios.values())
        for shown in (
            self._by(Person, Person.id, people),
            self._by(ImportedBadge, ImportedBadge.person_id, people, left_out=_NOTHING),
        ):
            for number, person_id in portfolios.items():
                found[number] += shown.get(person_id, [])
        return found

    def endorsements_among(self, endorsement_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[Row]]:
        found = self._endorsements(col(Endorsement.id), endorsement_ids)
        return {number: [row for _, row in rows] for number, rows in found.items()}

    def badges_with(self, version_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
        query = _select(BadgeVersion.id, BadgeVersion.badge_id).where(
            among(self.session, col(BadgeVersion.id), version_ids)
        )
        return {row.id: row.badge_id for row in self.session.execute(query)}

    def _endorsements(
        self, column: Any, wanted: Iterable[uuid.UUID]
    ) -> dict[uuid.UUID, list[tuple[uuid.UUID, Row]]]:
        """By the value of `column`: the organisation, and the row with its position in the status list."""
        query = (
            _select(
                column,
                Endorsement.organisation_id,
                *_columns(Endorsement, left_out=_NOTHING),
                *_columns(EndorsementStatusSlot),
            )
            .join(
                EndorsementStatusSlot,
                col(EndorsementStatusSlot.endorsement_id) == col(Endorsement.id),
                isouter=True,
            )
            .where(among(self.session, column, wanted))
            .order_by(column, Endorsement.id)
        )
        found: dict[uuid.UUID, list[tuple[uuid.UUID, Row]]] = defaultdict(list)
        for row in self.session.execute(query):
            found[row[0]].append((row[1], tuple(row[2:])))
        return found

    def _lines(self, evidence: Grouped) -> Grouped:
        """Of each award, the log entries that can still be read, with the activities they are about and the last
        entry about the same, and the first tree that each witness signed."""
        numbers: dict[uuid.UUID, set[int]] = defaultdict(set)
        rows = {award_id: _evidence_of(found[0]) for award_id, found in evidence.items()}
        for log_id, decision, entries in rows.values():
            numbers[log_id] |= {decision, *entries}
        read: dict[uuid.UUID, dict[int, Row]] = {}
        seen: dict[uuid.UUID, dict[str, list[int]]] = {}
        for log_id, wanted in numbers.items():
            query = _select(LogPayload.number, LogPayload.noun, LogPayload.noun_id).where(
                col(LogPayload.log_id) == log_id, among(self.session, col(LogPayload.number), wanted)
            )
            read[log_id] = {row.number: tuple(row) for row in self.session.execute(query)}
            parts = {row[2] for row in read[log_id].values() if row[1] == PARTICIPATION}
            taken = _select(Participation.id, Participation.activity_id).where(
                among(self.session, col(Participation.id), parts)
            )
            activities = {row.id: row.activity_id for row in self.session.execute(taken)}
            later = _select(LogPayload.noun_id, func.max(LogPayload.number)).where(
                col(LogPayload.log_id) == log_id,
                among(self.session, col(LogPayload.noun_id), {row[2] for row in read[log_id].values()}),
            )
            newest = {row[0]: row[1] for row in self.session.execute(later.group_by(LogPayload.noun_id))}
            read[log_id] = {
                number: (*row, activities.get(row[2]), newest.get(row[2]))
                for number, row in read[log_id].items()
            }
            seen[log_id] = self._seen(log_id, min(wanted))
        return {
            award_id: [
                tuple(read[log_id].get(number) for number in (decision, *entries)),
                tuple(
                    (witness, sizes[at])
                    for witness, sizes in sorted(seen[log_id].items())
                    if (at := bisect_right(sizes, decision)) < len(sizes)
                ),
            ]
            for award_id, (log_id, decision, entries) in rows.items()
        }

    def _seen(self, log_id: uuid.UUID, after: int) -> dict[str, list[int]]:
        """The sizes that each witness signed, in order."""
        query = _select(LogCosignature.witness, LogCosignature.size).where(
            col(LogCosignature.log_id) == log_id, col(LogCosignature.size) > after
        )
        found: dict[str, list[int]] = defaultdict(list)
        for witness, size in self.session.execute(query.order_by(LogCosignature.size)):
            found[witness].append(size)
        return found

    def _some(
        self, kind: type[SQLModel], *conditions: Any, left_out: frozenset[str] = _LEFT_OUT
    ) -> list[Row]:
        query = _select(*_columns(kind, left_out=left_out)).where(*conditions)
        return [tuple(row) for row in self.session.execute(query.order_by(*_key_of(kind)))]

    def _by(
        self,
        kind: type[SQLModel],
        column: Any,
        wanted: Iterable[uuid.UUID],
        *,
        left_out: frozenset[str] = _LEFT_OUT,
    ) -> Grouped:
        column = col(column)
        query = _select(column, *_columns(kind, left_out=left_out)).where(among(self.session, column, wanted))
        found: Grouped = defaultdict(list)
        for row in self.session.execute(query.order_by(column, *_key_of(kind))):
            found[row[0]].append(tuple(row[1:]))
        return found

    @staticmethod
    def _add(found: Mapping[uuid.UUID, AwardRows], grouped: Grouped) -> None:
        for award_id, rows in grouped.items():
            found[award_id].rows += rows


def _select(*columns: Any) -> Any:
    return select_rows(*columns)


def _columns(*kinds: type[SQLModel], left_out: frozenset[str] = _LEFT_OUT) -> list[Any]:
    return [
        column
        for kind in kinds
        for column in kind.__table__.c  # type: ignore[attr-defined]
        if column.name not in left_out
    ]


def _key_of(kind: type[SQLModel]) -> Sequence[Any]:
    return tuple(kind.__table__.primary_key.columns)  # type: ignore[attr-defined]


def _evidence_of(row: Row) -> tuple[uuid.UUID, int, Sequence[int]]:
    """Its log, and the numbers of its decision and of the entries it rests on."""
    named = dict(zip((column.name for column in _columns(AwardEvidence)), row, strict=True))
    return named["log_id"], named["decision"], named["entries"]
