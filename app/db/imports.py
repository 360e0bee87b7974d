"""Imports, their lines, mappings of foreign identifiers, and parsing settings by source."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import col, delete, func, select, update

from app.db.activities import organised_by
from app.db.engine.queries import RowStore
from app.db.engine.writes import IN_ONE_QUERY, insert_rows, update_rows
from app.domain.activities import Activity, ActivityCampus, Participation
from app.domain.imports.calendars import CalendarState, CalendarSubscription
from app.domain.imports.imports import (
    FORGOTTEN,
    OF_LISTS,
    Imported,
    ImportLine,
    ImportLineOutcome,
    ImportMapping,
    ImportRun,
    ImportState,
)
from app.domain.people import Person, name_key
from app.errors import NotFound


class ImportStore(RowStore[CalendarSubscription | ImportMapping | ImportRun | Imported]):
    # --- runs and lines

    def get(self, run_id: uuid.UUID, campus_id: uuid.UUID) -> ImportRun:
        run = self.session.get(ImportRun, run_id)
        if run is None or run.campus_id != campus_id:
            raise NotFound("Cet import n’existe pas ici.")
        return run

    def lock_in_campus(self, run_id: uuid.UUID, campus_id: uuid.UUID) -> ImportRun:
        """Those who answer, confirm or abandon a draft take turns."""
        self.get(run_id, campus_id)
        run = self.lock(run_id)
        if run is None:
            raise NotFound("Cet import n’existe pas ici.")
        return run

    def find(self, run_id: uuid.UUID) -> ImportRun | None:
        return self.session.get(ImportRun, run_id)

    def lock(self, run_id: uuid.UUID) -> ImportRun | None:
        """Locked until the transaction ends: a concurrent worker waits, then finds this chunk done."""
        return self.find_locked(ImportRun, run_id)

    def list_confirmed(self, campus_id: uuid.UUID, *, limit: int) -> Sequence[ImportRun]:
        """The latest first."""
        query = select(ImportRun).where(
            ImportRun.campus_id == campus_id, col(ImportRun.state) != ImportState.DRAFT
        )
        return self.session.exec(
            query.order_by(col(ImportRun.asked_at).desc(), col(ImportRun.id)).limit(limit)
        ).all()

    def find_same(self, campus_id: uuid.UUID, digest: str) -> ImportRun | None:
        """The latest confirmed import of the same file."""
        query = select(ImportRun).where(
            ImportRun.campus_id == campus_id,
            ImportRun.digest == digest,
            col(ImportRun.state) != ImportState.DRAFT,
        )
        return self.session.exec(query.order_by(col(ImportRun.asked_at).desc()).limit(1)).first()

    def due(self, *, limit: int) -> Sequence[uuid.UUID]:
        query = select(ImportRun.id).where(ImportRun.state == ImportState.RUNNING)
        return self.session.exec(
            query.order_by(col(ImportRun.asked_at), col(ImportRun.id)).limit(limit)
        ).all()

    def add_lines(self, lines: Sequence[ImportLine]) -> None:
        insert_rows(self.session, lines)

    def next_lines(self, run_id: uuid.UUID, limit: int) -> Sequence[ImportLine]:
        query = select(ImportLine).where(
            ImportLine.run_id == run_id, ImportLine.fate == ImportLineOutcome.WAITING
        )
        return self.session.exec(query.order_by(col(ImportLine.position)).limit(limit)).all()

    def answer(self, run_id: uuid.UUID, answers: Sequence[Mapping[str, Any]]) -> None:
        changes = [{"run_id": run_id, **each} for each in answers]
        update_rows(self.session, ImportLine, ("run_id", "position"), changes)

    def counts(self, run_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[ImportLineOutcome, int]]:
        found: dict[uuid.UUID, dict[ImportLineOutcome, int]] = {}
        rows = self.session.exec(
            select(ImportLine.run_id, ImportLine.fate, func.count())
            .where(col(ImportLine.run_id).in_(list(run_ids)))
            .group_by(col(ImportLine.run_id), col(ImportLine.fate))
        )
        for run_id, fate, count in rows:
            found.setdefault(run_id, {})[ImportLineOutcome(fate)] = count
        return found

    def lines_of(
        self, run_id: uuid.UUID, fates: Sequence[ImportLineOutcome] = (), *, limit: int | None = None
    ) -> Sequence[ImportLine]:
        query = select(ImportLine).where(ImportLine.run_id == run_id)
        if fates:
            query = query.where(col(ImportLine.fate).in_(fates))
        return self.session.exec(query.order_by(col(ImportLine.position)).limit(limit)).all()

    # --- erasure

    def drop(self, run_id: uuid.UUID) -> None:
        self.session.exec(delete(ImportRun).where(col(ImportRun.id) == run_id))

    def drop_drafts(self, *, before: datetime) -> int:
        """Drafts have no lines and no references."""
        stale = (col(ImportRun.state) == ImportState.DRAFT) & (col(ImportRun.asked_at) < before)
        return self.session.exec(delete(ImportRun).where(stale)).rowcount

    def forget_refused(self, *, before: datetime) -> int:
        """Deletes the personal data of refused lines; returns the number of imports updated."""
        old = (
            select(ImportRun.id)
            .where(
                col(ImportRun.done_at) < before,
                col(ImportRun.forgotten).is_(False),
            )
            .limit(IN_ONE_QUERY)
        )
        runs = self.session.exec(old).all()
        if runs:
            refused = (col(ImportLine.run_id).in_(runs)) & (col(ImportLine.fate) == ImportLineOutcome.REFUSED)
            self._blank(refused)
            self.session.exec(update(ImportRun).where(col(ImportRun.id).in_(runs)).values(forgotten=True))
        return len(runs)

    def _blank(self, lines: ColumnElement[bool]) -> None:
        values = {"told": {}, "cells": [], "reason": FORGOTTEN, "reason_values": {}}
        self.session.exec(update(ImportLine).where(lines).values(**values))

    def forget_person(
        self, person: Person, addresses: Collection[str], campus_ids: Collection[uuid.UUID]
    ) -> None:
        """Clears the person's imported content; identifiers stay without a row, so no file restores it."""
        theirs = select(Participation.id).where(Participation.person_id == person.id)
        self.session.exec(
            update(Imported)
            .where(col(Imported.campus_id).in_(campus_ids), col(Imported.row_id).in_(theirs))
            .values(row_id=None, said={})
        )
        names = set(name_key(person.given_name, person.family_name).split())

        def is_named(text: str) -> bool:
            return any(each in text.lower() for each in addresses) or (
                bool(names) and names <= set(name_key("", text).split())
            )

        here = col(ImportRun.campus_id).in_(campus_ids)
        drafts = select(ImportRun).where(here, ImportRun.state == ImportState.DRAFT)
        for run in self.session.exec(drafts).all():
            if is_named(zlib.decompress(run.given).decode()):
                self.drop(run.id)
        refused = (
            select(ImportLine)
            .join(ImportRun, col(ImportRun.id) == col(ImportLine.run_id))
            .where(here, ImportLine.fate == ImportLineOutcome.REFUSED, col(ImportRun.forgotten).is_(False))
        )
        for line in self.session.exec(refused).all():
            if is_named(" ".join(line.cells)):
                self._blank(
                    (col(ImportLine.run_id) == line.run_id) & (col(ImportLine.position) == line.position)
                )

    # --- foreign identifiers

    def known(self, campus_id: uuid.UUID, keys: Iterable[str]) -> dict[str, Imported]:
        wanted, found = sorted(set(keys)), dict[str, Imported]()
        for start in range(0, len(wanted), IN_ONE_QUERY):
            query = select(Imported).where(
                Imported.campus_id == campus_id, col(Imported.key).in_(wanted[start : start + IN_ONE_QUERY])
            )
            found.update({each.key: each for each in self.session.exec(query)})
        return found

    def standing_for(
        self, campus_id: uuid.UUID, source: str, row_ids: Iterable[uuid.UUID]
    ) -> dict[uuid.UUID, list[Imported]]:
        """The source's latest content for these rows, the latest last."""
        wanted, found = list(row_ids), dict[uuid.UUID, list[Imported]]()
        for start in range(0, len(wanted), IN_ONE_QUERY):
            query = select(Imported).where(
                Imported.campus_id == campus_id,
                Imported.source == source,
                col(Imported.row_id).in_(wanted[start : start + IN_ONE_QUERY]),
            )
            for each in self.session.exec(query.order_by(col(Imported.at), col(Imported.key))):
                assert each.row_id is not None
                found.setdefault(each.row_id, []).append(each)
        return found

    def activities_on(self, campus_id: uuid.UUID, days: Iterable[date]) -> Sequence[Activity]:
        """The campus's activities that begin on one of these days."""
        wanted, found = sorted(set(days)), list[Activity]()
        for start in range(0, len(wanted), IN_ONE_QUERY):
            query = (
                select(Activity)
                .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
                .where(
                    organised_by(campus_id), col(Activity.starts_on).in_(wanted[start : start + IN_ONE_QUERY])
                )
            )
            found += self.session.exec(query.order_by(col(Activity.created_at), col(Activity.id)))
        return found

    def activities(self, campus_id: uuid.UUID, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Activity]:
        wanted, found = list(ids), dict[uuid.UUID, Activity]()
        for start in range(0, len(wanted), IN_ONE_QUERY):
            query = (
                select(Activity)
                .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
                .where(organised_by(campus_id), col(Activity.id).in_(wanted[start : start + IN_ONE_QUERY]))
            )
            found.update({each.id: each for each in self.session.exec(query)})
        return found

    def participations(self, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, tuple[Participation, Person]]:
        wanted, found = list(ids), dict[uuid.UUID, tuple[Participation, Person]]()
        for start in range(0, len(wanted), IN_ONE_QUERY):
            query = (
                select(Participation, Person)
                .join(Person, col(Person.id) == col(Participation.person_id))
                .where(col(Participation.id).in_(wanted[start : start + IN_ONE_QUERY]))
            )
            found.update({part.id: (part, person) for part, person in self.session.exec(query)})
        return found

    def activities_with_people(self, ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
        """Those of these activities with a participant, present or past."""
        wanted, found = sorted(set(ids)), set[uuid.UUID]()
        for start in range(0, len(wanted), IN_ONE_QUERY):
            query = select(Participation.activity_id).where(
                col(Participation.activity_id).in_(wanted[start : start + IN_ONE_QUERY])
            )
            found.update(self.session.exec(query.distinct()))
        return found

    # --- parsing settings

    def mapping(self, campus_id: uuid.UUID, source: str) -> ImportMapping | None:
        return self.session.get(ImportMapping, (campus_id, source))

    def forget_mapping(self, campus_id: uuid.UUID, source: str) -> None:
        self.session.exec(
            delete(ImportMapping).where(
                col(ImportMapping.campus_id) == campus_id, col(ImportMapping.source) == source
            )
        )

    def sources(self, campus_id: uuid.UUID) -> list[str]:
        query = select(ImportMapping.source).where(
            ImportMapping.campus_id == campus_id, ~col(ImportMapping.source).startswith(OF_LISTS)
        )
        return list(self.session.exec(query.order_by(col(ImportMapping.changed_at).desc()).limit(50)))

    # --- followed calendars

    def calendars(self, campus_id: uuid.UUID) -> Sequence[CalendarSubscription]:
        """The oldest first."""
        query = select(CalendarSubscription).where(CalendarSubscription.campus_id == campus_id)
        ordered = query.order_by(col(CalendarSubscription.created_at), col(CalendarSubscription.id))
        return self.session.exec(ordered).all()

    def all_calendars(self) -> Sequence[CalendarSubscription]:
        return self.session.exec(select(CalendarSubscription).order_by(col(CalendarSubscription.id))).all()

    def calendar_of_source(self, campus_id: uuid.UUID, source: str) -> CalendarSubscription | None:
        query = select(CalendarSubscription).where(
            CalendarSubscription.campus_id == campus_id, CalendarSubscription.source == source
        )
        return self.session.exec(query.execution_options(populate_existing=True)).first()

    def calendar(
        self, calendar_id: uuid.UUID, campus_id: uuid.UUID, *, lock: bool = False
    ) -> CalendarSubscription:
        found = self.lock_calendar(calendar_id) if lock else self.find_calendar(calendar_id)
        if found is None or found.campus_id != campus_id:
            raise NotFound("Cet agenda n’est pas suivi ici.")
        return found

    def find_calendar(self, calendar_id: uuid.UUID) -> CalendarSubscription | None:
        return self.session.get(CalendarSubscription, calendar_id)

    def lock_calendar(self, calendar_id: uuid.UUID) -> CalendarSubscription | None:
        return self.find_locked(CalendarSubscription, calendar_id)

    def drop_superseded(self, run_id: uuid.UUID) -> None:
        """Of the report of an earlier reading stays what it wrote; all of it goes where it wrote nothing."""
        written = (ImportLineOutcome.CREATED, ImportLineOutcome.CHANGED)
        theirs = col(ImportLine.run_id) == run_id
        self.session.exec(delete(ImportLine).where(theirs, col(ImportLine.fate).not_in(written)))
        is_referred_to = select(Imported.run_id).where(Imported.run_id == run_id).limit(1)
        is_any_left = select(ImportLine.run_id).where(theirs).limit(1)
        if not any(self.session.exec(query).first() for query in (is_referred_to, is_any_left)):
            self.drop(run_id)

    def calendars_due(self, at: datetime, *, limit: int) -> Sequence[uuid.UUID]:
        query = select(CalendarSubscription.id).where(
            CalendarSubscription.state == CalendarState.ACTIVE, col(CalendarSubscription.next_at) <= at
        )
        ordered = query.order_by(col(CalendarSubscription.next_at), col(CalendarSubscription.id))
        return self.session.exec(ordered.limit(limit)).all()

    def activities_of_source(
        self, campus_id: uuid.UUID, source: str, *, since: date
    ) -> Sequence[tuple[str, Activity]]:
        """The activities to come that this source imported, with the keys of their identifiers."""
        query = (
            select(Imported.key, Activity)
            .join(Activity, col(Activity.id) == col(Imported.row_id))
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(
                Imported.campus_id == campus_id,
                Imported.source == source,
                organised_by(campus_id),
                col(Activity.ends_on) >= since,
            )
        )
        return self.session.exec(query.order_by(col(Activity.starts_on), col(Activity.id))).all()
