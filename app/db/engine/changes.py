"""The feed of changes: what a transaction changed, for each campus that sees it, numbered when it commits."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Table, event, inspect, select, union, update
from sqlalchemy.orm import ORMExecuteState, UOWTransaction
from sqlmodel import Session, col
from sqlmodel import select as one_of

from app.db.engine.queries import locked
from app.db.engine.row_level_security import TenantScope
from app.db.engine.writes import ON_INSERT, among, insert_unless_there, upsert_rows
from app.domain.activities import Activity, ActivityCampus, Participation
from app.domain.activity_log import later_of
from app.domain.awards import Award
from app.domain.badges import Badge
from app.domain.campus.integration import (
    KINDS_IN_ORDER,
    Change,
    ChangedKind,
    ChangeHead,
    ExternalId,
    WebhookDelivery,
    digest_of_erased,
)
from app.domain.core import Clock
from app.domain.people import CampusPerson, Person, PersonMerge


class Watched(NamedTuple):
    """What a row of a table changes in the feed.

    `about`: the kinds of row, each with the column that holds its id. `sees`: columns with a person who may
    become known to a campus, or unknown; `joins`: those with a person who gets, or loses, what another one has. `only`: the
    columns that count; all where empty.
    """

    about: tuple[tuple[ChangedKind, str], ...]
    sees: tuple[str, ...] = ()
    joins: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    deep: bool = False
    """Whether it changes who organises an activity, and so who sees everybody in it."""


WATCHED: Final[Mapping[str, Watched]] = {
    "badge": Watched(((ChangedKind.BADGE, "id"),)),
    "badge_version": Watched(((ChangedKind.BADGE, "badge_id"),)),
    "activity": Watched(((ChangedKind.ACTIVITY, "id"),)),
    "activity_session": Watched(((ChangedKind.ACTIVITY, "activity_id"),)),
    "activity_campus": Watched(((ChangedKind.ACTIVITY, "activity_id"),), only=("accepted_at",), deep=True),
    "person": Watched(
        ((ChangedKind.PERSON, "id"),), only=("given_name", "family_name", "under_15_on", "age_group")
    ),
    "person_address": Watched(((ChangedKind.PERSON, "person_id"),)),
    "external_id": Watched(
        (
            (ChangedKind.PERSON, "person_id"),
            (ChangedKind.ACTIVITY, "activity_id"),
            (ChangedKind.AWARD, "award_id"),
        ),
        sees=("person_id",),
    ),
    "person_merge": Watched((), sees=("kept_id", "gone_id"), joins=("kept_id",)),
    "participation": Watched(
        ((ChangedKind.PARTICIPATION, "id"),),
        sees=("person_id",),
        only=("person_id", "activity_id", "part", "hours", "contribution", "is_present"),
    ),
    "award": Watched(
        ((ChangedKind.AWARD, "id"),),
        sees=("person_id",),
        only=(
            "person_id",
            "activity_id",
            "state",
            "visibility",
            "valid_until",
            "revoked_at",
            "revoked_reason",
            "undone_at",
            "suspended_until",
            "suspended_reason",
        ),
    ),
}


class _Note(NamedTuple):
    kind: ChangedKind
    noun_id: uuid.UUID
    is_changed: bool
    """False where only who sees it may have changed."""
    deep: bool = False
    is_new: bool = False


class ChangeWatch:
    """Tracks one transaction. All changes, by any statement, are numbered at its end."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self.session = session
        self.clock = clock
        self._notes: list[_Note] = []
        self._savepoints: list[int] = []
        session.info[ON_INSERT] = self._inserted
        event.listen(session, "after_flush", self._after_flush)
        event.listen(session, "do_orm_execute", self._before_statement)
        event.listen(session, "after_transaction_create", self._begun)
        event.listen(session, "after_soft_rollback", self._rolled_back)
        event.listen(session, "before_commit", self._before_commit)

    # --- what changed

    def _after_flush(self, session: Any, _context: UOWTransaction) -> None:
        for row in session.new:
            if watched := WATCHED.get(row.__table__.name):
                self._note(watched, row.__dict__, is_new=True)
        for row in session.dirty:
            watched = WATCHED.get(row.__table__.name)
            if watched is None:
                continue
            attributes = inspect(row).attrs
            names = watched.only or tuple(row.__table__.columns.keys())
            if not any(attributes[name].history.has_changes() for name in names):
                continue
            moved = [each for each in watched.sees if attributes[each].history.has_changes()]
            self._note(watched, _values(row, watched), sees=bool(moved) or not watched.about)
            for column in moved:
                before = attributes[column].history.deleted
                self._notes += (_Note(ChangedKind.PERSON, each, False) for each in before or () if each)
        for row in session.deleted:
            if watched := WATCHED.get(row.__table__.name):
                self._note(watched, _values(row, watched))

    def _inserted(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        if watched := WATCHED.get(table):
            for row in rows:
                self._note(watched, row, is_new=True)

    def _before_statement(self, state: ORMExecuteState) -> None:
        """Rows that a statement without objects is about to change or delete."""
        if not (state.is_update or state.is_delete):
            return
        statement: Any = state.statement
        table: Table = statement.table
        watched = WATCHED.get(table.name)
        if watched is None:
            return
        changed = {getattr(each, "name", each) for each in (state.is_update and statement._values) or ()}
        if state.is_update and watched.only and not changed & set(watched.only):
            return
        columns = _columns_of(watched)
        query = select(*(table.c[each] for each in columns)).where(*statement._where_criteria)
        sees = state.is_delete or bool(changed & set(watched.sees))
        for row in self.session.execute(query).all():
            self._note(watched, dict(zip(columns, row, strict=True)), sees=sees)

    def _note(
        self, watched: Watched, row: Mapping[str, Any], *, is_new: bool = False, sees: bool = True
    ) -> None:
        for kind, column in watched.about:
            if row[column] is not None:
                self._notes.append(_Note(kind, row[column], True, watched.deep, is_new))
        self._notes += (_Note(ChangedKind.PERSON, row[column], True) for column in watched.joins)
        for column in watched.sees if sees else ():
            if row[column] is not None:
                note = _Note(ChangedKind.PERSON, row[column], False, is_new=is_new and bool(watched.about))
                self._notes.append(note)

    def _begun(self, _session: Any, transaction: Any) -> None:
        if transaction.nested:
            self._savepoints.append(len(self._notes))

    def _rolled_back(self, _session: Any, transaction: Any) -> None:
        if transaction.nested and self._savepoints:
            del self._notes[self._savepoints.pop() :]

    # --- at the end

    def _before_commit(self, session: Any) -> None:
        if session.in_nested_transaction():
            return
        session.flush()
        if not self._notes:
            return
        TenantScope(session).bypass()
        notes, self._notes = self._notes, []
        self._savepoints.clear()
        FeedWriter(session, self.clock()).write(notes)


def _values(row: Any, watched: Watched) -> dict[str, Any]:
    return {each: getattr(row, each) for each in _columns_of(watched)}


def _columns_of(watched: Watched) -> list[str]:
    return list(dict.fromkeys([*(column for _, column in watched.about), *watched.sees]))


class _Difference(NamedTuple):
    """`first` is 0 for what appears now."""

    kind: ChangedKind
    noun_id: uuid.UUID
    first: int
    removed: bool = False


class _Known(NamedTuple):
    """The newest line of the feed about a row, for one campus."""

    first: int
    removed: bool


Sight = Mapping[uuid.UUID, set[uuid.UUID]]
"""By row, the campuses that see it."""


class FeedWriter:
    def __init__(self, session: Session, at: datetime) -> None:
        self.session = session
        self.at = at
        self.erased: set[uuid.UUID] = set()
        """People of whom nothing is left."""

    def write(self, notes: Iterable[_Note]) -> None:
        """Compares who sees each row now with who saw it before, and numbers what differs."""
        changed: dict[ChangedKind, dict[uuid.UUID, bool]] = {kind: {} for kind in ChangedKind}
        left, gained = set[uuid.UUID](), defaultdict[uuid.UUID, set[uuid.UUID]](set)
        for note in notes:
            if note.kind is ChangedKind.PERSON and note.is_new and not note.is_changed:
                continue  # read from the new row below
            if note.kind is ChangedKind.PERSON and not note.is_changed:
                left.add(note.noun_id)
            known = changed[note.kind]
            known[note.noun_id] = known.get(note.noun_id, False) or note.is_changed
            if note.deep:
                left |= self._everybody_in(note.noun_id, changed[ChangedKind.PARTICIPATION])
        seen: dict[uuid.UUID, set[uuid.UUID]] = {}
        people = changed[ChangedKind.PERSON]
        for kind, holders in (
            (ChangedKind.PARTICIPATION, self._participations(changed[ChangedKind.PARTICIPATION])),
            (ChangedKind.AWARD, self._awards(changed[ChangedKind.AWARD])),
        ):
            for noun_id, person_id, campuses in holders:
                seen[noun_id] = campuses
                if changed[kind][noun_id]:
                    gained[person_id] |= campuses
        seen |= self._badges(changed[ChangedKind.BADGE])
        seen |= self._activities(changed[ChangedKind.ACTIVITY])
        named = {each for each, is_changed in people.items() if is_changed} | left
        seen |= self._people(named)
        for person_id in (*left, *gained):
            people.setdefault(person_id, False)
        before = self._before(noun_id for rows in changed.values() for noun_id in rows)
        merged = self._merged(each for each in gained if any(row.removed for row in before[each].values()))
        for person_id, campuses in gained.items():
            if person_id not in named | merged:
                seen[person_id] = campuses | {
                    campus_id for campus_id, each in before.get(person_id, {}).items() if not each.removed
                }
        self._number(list(self._differences(changed, seen, before)))
        self._forget(self.erased & before.keys())

    @staticmethod
    def _differences(
        changed: Mapping[ChangedKind, Mapping[uuid.UUID, bool]],
        seen: Sight,
        before: Mapping[uuid.UUID, Mapping[uuid.UUID, _Known]],
    ) -> Iterator[tuple[uuid.UUID, _Difference]]:
        """With the campus; numbers come later. What appears first, in the order of references, then what is gone."""
        gone: list[tuple[uuid.UUID, _Difference]] = []
        for kind in KINDS_IN_ORDER:
            for noun_id, is_changed in changed[kind].items():
                now, known = seen.get(noun_id, set()), before.get(noun_id, {})
                for campus_id in sorted(now):
                    held = known.get(campus_id)
                    if held is None or held.removed or is_changed:
                        first = held.first if held is not None and not held.removed else 0
                        yield campus_id, _Difference(kind, noun_id, first)
                gone += (
                    (campus_id, _Difference(kind, noun_id, held.first, removed=True))
                    for campus_id, held in known.items()
                    if campus_id not in now and not held.removed
                )
        yield from reversed(gone)

    def _number(self, differences: Sequence[tuple[uuid.UUID, _Difference]]) -> None:
        """One campus after the other, in a fixed order: prevents deadlocks between transactions."""
        by_campus: dict[uuid.UUID, list[_Difference]] = defaultdict(list)
        for campus_id, change in differences:
            by_campus[campus_id].append(change)
        for campus_id in sorted(by_campus):
            head = self._lock(campus_id)
            at, rows = later_of(self.at, head.last_at), []
            for number, change in enumerate(by_campus[campus_id], head.last + 1):
                rows.append(
                    {
                        "noun_id": change.noun_id,
                        "campus_id": campus_id,
                        "kind": change.kind,
                        "number": number,
                        "first": change.first or number,
                        "at": at,
                        "removed": change.removed,
                        "is_erased": False,
                    }
                )
            head.last, head.last_at = head.last + len(rows), at
            self.session.add(head)
            upsert_rows(self.session, Change, ("noun_id", "campus_id"), rows)

    def _forget(self, person_ids: Iterable[uuid.UUID]) -> None:
        """Not even the number of an erased person stays."""
        table: Table = Change.__table__  # type: ignore[attr-defined]
        sent: Table = WebhookDelivery.__table__  # type: ignore[attr-defined]
        for person_id in person_ids:
            written = update(table).where(table.c.noun_id == person_id)
            erased = {"noun_id": digest_of_erased(person_id), "is_erased": True}
            self.session.execute(written.values(erased))
            self.session.execute(update(sent).where(sent.c.noun_id == person_id).values(erased))

    def _lock(self, campus_id: uuid.UUID) -> ChangeHead:
        query = one_of(ChangeHead).where(ChangeHead.campus_id == campus_id)
        held = locked(query)
        head = self.session.exec(held).first()
        if head is None:
            insert_unless_there(self.session, [ChangeHead(campus_id=campus_id)], "campus_id")
            head = self.session.exec(held).one()
        return head

    # --- who sees what, now and before

    def _everybody_in(self, activity_id: uuid.UUID, participations: dict[uuid.UUID, bool]) -> set[uuid.UUID]:
        query = select(col(Participation.id), col(Participation.person_id))
        people = set()
        for noun_id, person_id in self.session.execute(
            query.where(col(Participation.activity_id) == activity_id)
        ):
            participations.setdefault(noun_id, False)
            people.add(person_id)
        return people

    def _participations(
        self, ids: Collection[uuid.UUID]
    ) -> list[tuple[uuid.UUID, uuid.UUID, set[uuid.UUID]]]:
        if not ids:
            return []
        query = select(col(Participation.id), col(Participation.person_id), col(Participation.activity_id))
        rows = self.session.execute(query.where(among(self.session, col(Participation.id), ids))).all()
        organisers = self._activities({activity_id for _, _, activity_id in rows})
        return [
            (noun_id, person_id, organisers.get(activity_id, set()))
            for noun_id, person_id, activity_id in rows
        ]

    def _awards(self, ids: Collection[uuid.UUID]) -> list[tuple[uuid.UUID, uuid.UUID, set[uuid.UUID]]]:
        if not ids:
            return []
        query = select(col(Award.id), col(Award.person_id), col(Award.campus_id))
        rows = self.session.execute(query.where(among(self.session, col(Award.id), ids)))
        return [(noun_id, person_id, {campus_id}) for noun_id, person_id, campus_id in rows]

    def _badges(self, ids: Collection[uuid.UUID]) -> Sight:
        if not ids:
            return {}
        query = select(col(Badge.id), col(Badge.campus_id))
        return _sight(self.session.execute(query.where(among(self.session, col(Badge.id), ids))))

    def _activities(self, ids: Collection[uuid.UUID]) -> Sight:
        if not ids:
            return {}
        query = (
            select(col(ActivityCampus.activity_id), col(ActivityCampus.campus_id))
            .join(Activity, col(Activity.id) == col(ActivityCampus.activity_id))
            .where(
                among(self.session, col(ActivityCampus.activity_id), ids),
                col(ActivityCampus.accepted_at).is_not(None),
            )
        )
        return _sight(self.session.execute(query))

    def _people(self, ids: Collection[uuid.UUID]) -> Sight:
        """As the stored people of campuses (`app.db.campus.people`), for every campus at once."""
        if not ids:
            return {}
        took_part = (
            select(col(Participation.person_id), col(ActivityCampus.campus_id))
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Participation.activity_id))
            .where(
                among(self.session, col(Participation.person_id), ids),
                col(ActivityCampus.accepted_at).is_not(None),
            )
        )
        holds = select(col(Award.person_id), col(Award.campus_id)).where(
            among(self.session, col(Award.person_id), ids)
        )
        there = select(col(Person.id)).where(among(self.session, col(Person.id), ids))
        left = set(self.session.execute(there).scalars())
        self.erased = set(ids) - left
        shown = left - self._merged(ids)
        named = select(col(ExternalId.person_id), col(ExternalId.campus_id)).where(
            among(self.session, col(ExternalId.person_id), ids)
        )
        found = _sight(self.session.execute(union(took_part, holds, named)))
        return {person_id: campuses for person_id, campuses in found.items() if person_id in shown}

    def _merged(self, ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
        """Those with a record that is part of another one: it may still have a participation of its own."""
        if not (asked := set(ids)):
            return set()
        gone = select(col(PersonMerge.gone_id)).where(
            among(self.session, col(PersonMerge.gone_id), asked), col(PersonMerge.undone_at).is_(None)
        )
        return set(self.session.execute(gone).scalars())

    def _before(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[uuid.UUID, _Known]]:
        found: dict[uuid.UUID, dict[uuid.UUID, _Known]] = defaultdict(dict)
        query = select(col(Change.noun_id), col(Change.campus_id), col(Change.first), col(Change.removed))
        rows = self.session.execute(query.where(among(self.session, col(Change.noun_id), ids)))
        for noun_id, campus_id, first, removed in rows:
            found[noun_id][campus_id] = _Known(first, removed)
        return found


def _sight(rows: Iterable[Any]) -> dict[uuid.UUID, set[uuid.UUID]]:
    seen: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for noun_id, campus_id in rows:
        seen[noun_id].add(campus_id)
    return seen


_FEW: Final = 20_000


_KINDS: Final[Mapping[Any, ChangedKind]] = {
    Activity: ChangedKind.ACTIVITY,
    Award: ChangedKind.AWARD,
    CampusPerson: ChangedKind.PERSON,
    Participation: ChangedKind.PARTICIPATION,
}


def changed_since(session: Session, campus_id: uuid.UUID, row_id: Any, since: datetime) -> Any:
    """Whether a row was created or changed at that time or later, as a condition on its id.

    The times of a campus's changes are in the order of their numbers, so that only those since are read. A few are
    sent as a list: PostgreSQL would otherwise read the change of each row of the campus.
    """
    theirs = (col(Change.campus_id) == campus_id, col(Change.kind) == _KINDS[row_id.class_])
    earlier = select(col(Change.number)).where(*theirs, col(Change.at) < since)
    last = session.scalar(earlier.order_by(col(Change.number).desc()).limit(1)) or 0
    query = select(col(Change.noun_id)).where(*theirs, col(Change.number) > last, ~col(Change.removed))
    few = session.scalars(query.limit(_FEW + 1)).all()
    return among(session, row_id, few) if len(few) <= _FEW else row_id.in_(query)
