"""Import into an activity led by another campus, with PostgreSQL row-level security."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from sqlmodel import Session as Transaction
from sqlmodel import select

from app.domain.activities import Activity, ActivityKind
from app.domain.activity_log import LogEntry
from app.domain.campus.audit_log import Actor, HistoryEntry
from app.domain.campus.campus import Campus
from app.domain.imports.imports import ImportLineOutcome
from app.domain.imports.tables import ReadingPlan
from tests.app.services.imports.test_imports import ANNE, ZOE, table
from tests.support.app import COMMAND, build_app
from tests.support.databases.engines import temporary_walled

pytestmark = pytest.mark.postgres


OUSMANE = "P-3;Robotique;03/10/2025;Le Creusot;PETIT;Ousmane;;Apprenant;3;"
_NEW, _CHANGED, _SAME = ImportLineOutcome.CREATED, ImportLineOutcome.CHANGED, ImportLineOutcome.SAME


def test_import_by_a_co_organiser_adds_to_the_shared_activity(
    migrated_postgres: str, postgres_server: str, tmp_path: Path
) -> None:
    with temporary_walled(postgres_server, migrated_postgres) as url:
        app = build_app(url, tmp_path)

        def taken(campus: Campus, by: Actor, *lines: str) -> list[ImportLineOutcome]:
            with app.unit_of_work() as services:
                services.enter(campus.id)
                run = services.imports.drop(campus, "Suivi", table(*lines), by=by)
            with app.unit_of_work() as services:
                services.enter(campus.id)
                services.imports.confirm(campus, run.id, ReadingPlan(), by=by)
                return [each.fate for each in services.imports.lines(campus, run.id)]

        made = Activity(
            kind=ActivityKind.WORKSHOP,
            title="Robotique",
            starts_on=date(2025, 10, 3),
            ends_on=date(2025, 10, 3),
            audience="Collégiens",
        )
        with app.unit_of_work() as services:
            activity = services.activities.create(made, [app.campus, app.other_campus], by=COMMAND)
        with app.unit_of_work() as services:
            services.enter(app.other_campus.id)
            services.activity_plans.answer(app.other_campus, activity.id, accepts=True, by=COMMAND)
        guest = Actor(app.stranger.id)
        assert taken(app.campus, COMMAND, ZOE, ANNE) == [_NEW, _NEW]
        assert taken(app.other_campus, guest, ZOE, ANNE, OUSMANE) == [_SAME, _SAME, _NEW]
        assert taken(app.other_campus, guest, ZOE.replace(";3;", ";2;"), ANNE) == [_CHANGED, _SAME]
        with Transaction(app.owner) as everything:
            (entry,) = everything.exec(select(HistoryEntry).where(HistoryEntry.noun == "participation")).all()
            assert (entry.campus_id, entry.actor_id) == (app.campus.id, guest.person_id)
            kinds = Counter(each.kind.value for each in everything.exec(select(LogEntry)).all())
        assert (kinds["participation"], kinds["correction"]) == (6, 2)
        app.close()
