"""Facts of activities for the report: written once, completed later, imported, of each campus its objectives."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.activities import Activity, ActivityKind
from app.domain.imports.imports import ImportLineOutcome
from app.domain.imports.tables import ReadingPlan
from app.domain.reports.facts import Audience, AudienceCount, ReportFacts, cells_of
from app.errors import InvalidInput, NotAllowed
from tests.support.app import COMMAND, App
from tests.support.content.restores import REASON
from tests.support.databases.copies import Backup, drop_copies

CELLS = {
    "effectif": "27",
    "publics": "24 lycéens dont 10 femmes, 3 enseignants",
    "organisations": "Mairie du Creusot (accueil, collectivité) ; Usinages de la Brenne [732829320] (mobilisée)",
    "etablissements": "0710012C Lycée des Tilleuls",
    "objectif": "1.2 2",
    "departement": "71",
    "secteur": "NAF C",
    "enquete": "27 : 0 2 9 12 ; 20 3",
}
ALL = (date(1990, 1, 1), date(2100, 1, 1))


@pytest.fixture
def app(app: App) -> App:
    with app.unit_of_work() as services:
        for campus in (app.campus, app.other_campus):
            services.report_facts.write_objectives(
                campus, "1 Anticiper\n1.2 Étudier les besoins\n2 Adapter les formations", by=COMMAND
            )
    return app


def facts(app: App) -> ReportFacts:
    with app.unit_of_work(reading=True) as services:
        return services.report_facts.of(app.campus, app.activity.id).facts


def correct(app: App, **cells: str) -> bool:
    with app.unit_of_work() as services:
        return services.report_facts.correct(app.campus, app.activity.id, cells, by=COMMAND)


def to_complete(app: App) -> list[str]:
    with app.unit_of_work(reading=True) as services:
        return [each.activity.title for each in services.report_facts.to_complete(app.campus, ALL)]


def test_facts_are_stored_read_back_and_corrected_one_by_one(app: App):
    assert len(to_complete(app)) == 1
    assert correct(app, **CELLS)
    stored = facts(app)
    assert stored.audiences == (
        AudienceCount(Audience.HIGH_SCHOOL, 24, 10),
        AudienceCount(Audience.TEACHERS, 3),
    )
    assert [one.key for one in stored.organisations] == ["name:mairie du creusot", "siren:732829320"]
    assert stored.objectives == ("1.2", "2")
    assert not correct(app, **CELLS), "the same again changes nothing"
    assert to_complete(app) == []
    assert correct(app, departement="Doubs", publics="24 lycéens")
    assert facts(app).departement == "25"
    assert facts(app).audiences == (AudienceCount(Audience.HIGH_SCHOOL, 24),)
    assert cells_of(facts(app))["organisations"].startswith("Mairie")
    with app.unit_of_work(reading=True) as services:
        assert services.activities.get(app.campus, app.activity.id).declared_size == 27


def test_an_unknown_objective_is_refused(app: App):
    with pytest.raises(InvalidInput):
        correct(app, objectif="7")


def test_a_campus_that_is_not_in_the_lead_writes_its_own_objectives_alone(app: App):
    correct(app, **CELLS)
    with app.unit_of_work() as services:
        plan = services.activity_plans.planned(app.campus, app.activity.id)
        assert plan.leads
        services.activity_plans._ask(app.campus, app.activity, [app.other_campus.slug], COMMAND)
    with app.unit_of_work() as services:
        services.activity_plans.answer(app.other_campus, app.activity.id, accepts=True, by=COMMAND)
    with app.unit_of_work() as services:
        services.report_facts.correct(app.other_campus, app.activity.id, {"objectif": "1"}, by=COMMAND)
        found = services.report_facts.of(app.other_campus, app.activity.id)
        assert (found.facts.objectives, found.leads) == (("1",), False)
        with pytest.raises(NotAllowed):
            services.report_facts.correct(
                app.other_campus, app.activity.id, {"departement": "21"}, by=COMMAND
            )
    assert facts(app).objectives == ("1.2", "2")


def test_removed_objectives_leave_the_activities_that_had_them(app: App):
    correct(app, **CELLS)
    with app.unit_of_work() as services:
        services.report_facts.write_objectives(app.campus, "2 Adapter", by=COMMAND)
    assert facts(app).objectives == ("2",)


def test_facts_go_with_the_activity_that_is_deleted(app: App):
    with app.unit_of_work() as services:
        activity = services.activities.create(
            Activity(
                kind=ActivityKind.COUNCIL,
                title="Conseil de perfectionnement",
                starts_on=date(2026, 12, 1),
                ends_on=date(2026, 12, 1),
            ),
            [app.campus],
            by=COMMAND,
        )
    with app.unit_of_work() as services:
        services.report_facts.correct(app.campus, activity.id, CELLS | {"invites": "30"}, by=COMMAND)
    with app.unit_of_work() as services:
        services.activity_plans.delete(app.campus, activity.id, by=COMMAND)
    with app.unit_of_work(reading=True) as services:
        assert services.activities.activities.find(activity.id) is None


HEADING = "Activité;Date;Nom;Prénom;Publics;Organisations;Établissements;Axe;Département;Secteur;Effectif"
LINE = "Fonderie;03/10/2025;{};Zoé;24 lycéens dont 10 femmes;Usinages (mobilisée);0710012C;2;{};NAF C;30"


def take(app: App, *lines: str) -> list[ImportLineOutcome]:
    text = "\n".join((HEADING, *lines))
    with app.unit_of_work() as services:
        run_id = services.imports.drop(app.campus, "Suivi", text, by=COMMAND).id
    with app.unit_of_work() as services:
        services.imports.confirm(app.campus, run_id, ReadingPlan(), by=COMMAND)
    with app.unit_of_work(reading=True) as services:
        return [line.fate for line in services.imports.lines(app.campus, run_id)]


def test_an_import_brings_facts_with_its_activities(app: App):
    assert take(app, LINE.format("MARTIN", "71"), LINE.format("LEROY", "71")) == [
        ImportLineOutcome.CREATED,
        ImportLineOutcome.CREATED,
    ]
    with app.unit_of_work(reading=True) as services:
        ((activity, people),) = services.activities.list_in(app.campus, words="Fonderie")
        found = services.report_facts.of(app.campus, activity.id).facts
    assert people == 2
    assert (found.declared_size, found.departement, found.objectives) == (30, "71", ("2",))
    assert found.audiences == (AudienceCount(Audience.HIGH_SCHOOL, 24, 10),)
    assert take(app, LINE.format("MARTIN", "71")) == [ImportLineOutcome.SAME]
    assert take(app, LINE.format("MARTIN", "nulle part")) == [ImportLineOutcome.REFUSED]


@pytest.mark.parametrize("reported_before", [True, False])
def test_activity_cancelled_since_the_backup_is_cancelled(app: App, reported_before: bool) -> None:
    def report(written: ReportFacts) -> None:
        with app.unit_of_work() as services:
            activity = services.activities.get(app.campus, app.activity.id)
            services.stores.report_facts.write(activity, written, at=app.clock())

    if reported_before:
        report(ReportFacts(invited=12))
    backup = Backup(app)
    report(ReportFacts(invited=12, is_cancelled=True))
    try:
        with backup.restored() as copy:
            assert copy.process.put_back_choices(REASON, by=COMMAND).is_whole
            found = facts(copy)
    finally:
        drop_copies()
    assert (found.is_cancelled, found.invited) == (True, 12)
