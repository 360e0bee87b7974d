"""Facts of activities for the report: written once, completed later, imported, of each campus its objectives."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.activities import Activity, ActivityKind
from app.domain.imports.imports import ImportLineOutcome
from app.domain.imports.tables import ReadingPlan
from app.domain.reports.facts import Audience, AudienceCount, ReportFacts, cells_of
from app.errors import InvalidInput, NotAllowed
from tests.support.content.restores import REASON
from tests.support.databases.copies import Backup, drop_copies
from tests.support.house import COMMAND, House

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
def house(house: House) -> House:
    with house.unit_of_work() as services:
        for campus in (house.campus, house.other_campus):
            services.report_facts.write_objectives(
                campus, "1 Anticiper\n1.2 Étudier les besoins\n2 Adapter les formations", by=COMMAND
            )
    return house


def facts(house: House) -> ReportFacts:
    with house.unit_of_work(reading=True) as services:
        return services.report_facts.of(house.campus, house.activity.id).facts


def correct(house: House, **cells: str) -> bool:
    with house.unit_of_work() as services:
        return services.report_facts.correct(house.campus, house.activity.id, cells, by=COMMAND)


def to_complete(house: House) -> list[str]:
    with house.unit_of_work(reading=True) as services:
        return [each.activity.title for each in services.report_facts.to_complete(house.campus, ALL)]


def test_facts_are_stored_read_back_and_corrected_one_by_one(house: House):
    assert len(to_complete(house)) == 1
    assert correct(house, **CELLS)
    stored = facts(house)
    assert stored.audiences == (
        AudienceCount(Audience.HIGH_SCHOOL, 24, 10),
        AudienceCount(Audience.TEACHERS, 3),
    )
    assert [one.key for one in stored.organisations] == ["name:mairie du creusot", "siren:732829320"]
    assert stored.objectives == ("1.2", "2")
    assert not correct(house, **CELLS), "the same again changes nothing"
    assert to_complete(house) == []
    assert correct(house, departement="Doubs", publics="24 lycéens")
    assert facts(house).departement == "25"
    assert facts(house).audiences == (AudienceCount(Audience.HIGH_SCHOOL, 24),)
    assert cells_of(facts(house))["organisations"].startswith("Mairie")
    with house.unit_of_work(reading=True) as services:
        assert services.activities.get(house.campus, house.activity.id).declared_size == 27


def test_an_unknown_objective_is_refused(house: House):
    with pytest.raises(InvalidInput):
        correct(house, objectif="7")


def test_a_campus_that_is_not_in_the_lead_writes_its_own_objectives_alone(house: House):
    correct(house, **CELLS)
    with house.unit_of_work() as services:
        plan = services.activity_plans.planned(house.campus, house.activity.id)
        assert plan.leads
        services.activity_plans._ask(house.campus, house.activity, [house.other_campus.slug], COMMAND)
    with house.unit_of_work() as services:
        services.activity_plans.answer(house.other_campus, house.activity.id, accepts=True, by=COMMAND)
    with house.unit_of_work() as services:
        services.report_facts.correct(house.other_campus, house.activity.id, {"objectif": "1"}, by=COMMAND)
        found = services.report_facts.of(house.other_campus, house.activity.id)
        assert (found.facts.objectives, found.leads) == (("1",), False)
        with pytest.raises(NotAllowed):
            services.report_facts.correct(
                house.other_campus, house.activity.id, {"departement": "21"}, by=COMMAND
            )
    assert facts(house).objectives == ("1.2", "2")


def test_removed_objectives_leave_the_activities_that_had_them(house: House):
    correct(house, **CELLS)
    with house.unit_of_work() as services:
        services.report_facts.write_objectives(house.campus, "2 Adapter", by=COMMAND)
    assert facts(house).objectives == ("2",)


def test_facts_go_with_the_activity_that_is_deleted(house: House):
    with house.unit_of_work() as services:
        activity = services.activities.create(
            Activity(
                kind=ActivityKind.COUNCIL,
                title="Conseil de perfectionnement",
                starts_on=date(2026, 12, 1),
                ends_on=date(2026, 12, 1),
            ),
            [house.campus],
            by=COMMAND,
        )
    with house.unit_of_work() as services:
        services.report_facts.correct(house.campus, activity.id, CELLS | {"invites": "30"}, by=COMMAND)
    with house.unit_of_work() as services:
        services.activity_plans.delete(house.campus, activity.id, by=COMMAND)
    with house.unit_of_work(reading=True) as services:
        assert services.activities.activities.find(activity.id) is None


HEADING = "Activité;Date;Nom;Prénom;Publics;Organisations;Établissements;Axe;Département;Secteur;Effectif"
LINE = "Fonderie;03/10/2025;{};Zoé;24 lycéens dont 10 femmes;Usinages (mobilisée);0710012C;2;{};NAF C;30"


def take(house: House, *lines: str) -> list[ImportLineOutcome]:
    text = "\n".join((HEADING, *lines))
    with house.unit_of_work() as services:
        run_id = services.imports.drop(house.campus, "Suivi", text, by=COMMAND).id
    with house.unit_of_work() as services:
        services.imports.confirm(house.campus, run_id, ReadingPlan(), by=COMMAND)
    with house.unit_of_work(reading=True) as services:
        return [line.fate for line in services.imports.lines(house.campus, run_id)]


def test_an_import_brings_facts_with_its_activities(house: House):
    assert take(house, LINE.format("MARTIN", "71"), LINE.format("LEROY", "71")) == [
        ImportLineOutcome.CREATED,
        ImportLineOutcome.CREATED,
    ]
    with house.unit_of_work(reading=True) as services:
        ((activity, people),) = services.activities.list_in(house.campus, words="Fonderie")
        found = services.report_facts.of(house.campus, activity.id).facts
    assert people == 2
    assert (found.declared_size, found.departement, found.objectives) == (30, "71", ("2",))
    assert found.audiences == (AudienceCount(Audience.HIGH_SCHOOL, 24, 10),)
    assert take(house, LINE.format("MARTIN", "71")) == [ImportLineOutcome.SAME]
    assert take(house, LINE.format("MARTIN", "nulle part")) == [ImportLineOutcome.REFUSED]


@pytest.mark.parametrize("reported_before", [True, False])
def test_activity_cancelled_since_the_backup_is_cancelled(house: House, reported_before: bool) -> None:
    def report(written: ReportFacts) -> None:
        with house.unit_of_work() as services:
            activity = services.activities.get(house.campus, house.activity.id)
            services.stores.report_facts.write(activity, written, at=house.clock())

    if reported_before:
        report(ReportFacts(invited=12))
    backup = Backup(house)
    report(ReportFacts(invited=12, is_cancelled=True))
    try:
        with backup.restored() as copy:
            assert copy.process.put_back_choices(REASON, by=COMMAND).is_whole
            found = facts(copy)
    finally:
        drop_copies()
    assert (found.is_cancelled, found.invited) == (True, 12)
