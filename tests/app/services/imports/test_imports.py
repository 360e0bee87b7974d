"""Import of activities from a table: confirmed before any write, idempotent, later corrections replace earlier values."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from app.domain.campus.audit_log import Actor
from app.domain.imports.imports import FORGOTTEN, ImportLineOutcome
from app.domain.imports.tables import ImportColumn, ReadingPlan, heading_keys
from app.domain.people.consents import SEVERAL_OF_NAME
from app.errors import Conflict, NotFound
from app.services.imports.import_matching import ERASED
from tests.support.app import App, listed

pytestmark = pytest.mark.both_engines

HEADING = "Identifiant;Activité;Date;Lieu;Nom;Prénom;Courriel;Rôle;Heures;Contribution"
ZOE = "P-1;Robotique;03/10/2025;Le Creusot;MARTIN;Zoé;zoe@exemple.fr;Apprenant;3;"
ANNE = "P-2;Robotique;03/10/2025;Le Creusot;LE GOFF;Anne;;Ressource;2,5;"


def table(*lines: str) -> str:
    return "\n".join((HEADING, *lines))


def drop(app: App, *lines: str, source: str = "Suivi 2025") -> uuid.UUID:
    with app.unit_of_work() as services:
        text = table(*lines)
        return services.imports.drop(app.campus, source, text, by=Actor(app.trainer.id)).id


def take(app: App, *lines: str, source: str = "Suivi 2025") -> list[tuple[ImportLineOutcome, str]]:
    run_id = drop(app, *lines, source=source)
    with app.unit_of_work() as services:
        services.imports.confirm(app.campus, run_id, ReadingPlan(), by=Actor(app.trainer.id))
    return fates(app, run_id)


def fates(app: App, run_id: uuid.UUID) -> list[tuple[ImportLineOutcome, str]]:
    with app.unit_of_work(reading=True) as services:
        return [(line.fate, line.reason) for line in services.imports.lines(app.campus, run_id)]


def people(app: App, title: str = "Robotique") -> list[tuple[str, str, float | None, str]]:
    with app.unit_of_work(reading=True) as services:
        found = services.activities.list_in(app.campus, words=title)
        return sorted(
            (person.name, participation.part.value, participation.hours, participation.contribution)
            for activity, _ in found
            for participation, person in services.activities.page(app.campus, activity.id).participants
        )


def log_kinds(app: App) -> list[str]:
    with app.unit_of_work(reading=True) as services:
        log = services.activity_log.store.find(app.campus.id)
        assert log is not None
        return [entry.kind.value for entry in services.activity_log.store.entries(log.id, 0, log.size)]


def test_preview_has_the_result_of_each_line_and_writes_nothing(app: App) -> None:
    before = log_kinds(app)
    run_id = drop(app, ZOE, ANNE, "P-3;Robotique;31/02/2025;;PETIT;Ousmane;;;;")
    with app.unit_of_work(reading=True) as services:
        draft = services.imports.draft(app.campus, run_id)
        assert [one.fate for one in draft.matched] == [
            ImportLineOutcome.CREATED,
            ImportLineOutcome.CREATED,
            ImportLineOutcome.REFUSED,
        ]
        assert services.imports.reports(app.campus) == []
    assert people(app) == []
    assert log_kinds(app) == before


def test_confirmed_table_is_written_by_the_usual_services(app: App) -> None:
    before = log_kinds(app)
    assert [fate for fate, _ in take(app, ZOE, ANNE)] == [
        ImportLineOutcome.CREATED,
        ImportLineOutcome.CREATED,
    ]
    assert people(app) == [("Anne Le Goff", "ressource", 2.5, ""), ("Zoé Martin", "apprenant", 3.0, "")]
    assert log_kinds(app)[len(before) :] == ["participation", "participation"]


def test_the_same_table_again_changes_nothing(app: App) -> None:
    take(app, ZOE, ANNE)
    before = log_kinds(app)
    assert [fate for fate, _ in take(app, ZOE, ANNE)] == [ImportLineOutcome.SAME, ImportLineOutcome.SAME]
    assert log_kinds(app) == before
    assert len(people(app)) == 2


def test_same_identifier_with_other_content_is_a_logged_correction(app: App) -> None:
    take(app, ZOE, ANNE)
    before = log_kinds(app)
    changed = ZOE.replace(";3;", ";4,5;A réglé les capteurs.")
    assert (
        take(app, changed[:-1] if changed.endswith(";") else changed, ANNE)[0][0] is ImportLineOutcome.CHANGED
    )
    assert people(app)[1] == ("Zoé Martin", "apprenant", 4.5, "A réglé les capteurs.")
    assert log_kinds(app)[len(before) :] == ["correction"]


def test_omitted_values_and_corrections_by_a_trainer_stay(app: App) -> None:
    take(app, ZOE)
    with app.unit_of_work() as services:
        activity = next(a for a, _ in services.activities.list_in(app.campus) if a.title == "Robotique")
        participation, _ = services.activities.page(app.campus, activity.id).participants[0]
        services.activities.amend(
            app.campus, activity.id, participation.id, part=participation.part, hours=6,
            contribution="Corrigé à la main.", by=Actor(app.trainer.id), reason="Feuille relue.",
        )  # fmt: skip
    assert take(app, ZOE)[0][0] is ImportLineOutcome.SAME
    assert take(app, ZOE.replace(";3;", ";;"))[0][0] is ImportLineOutcome.SAME
    assert people(app) == [("Zoé Martin", "apprenant", 6.0, "Corrigé à la main.")]


def test_existing_activity_is_completed_without_a_duplicate(app: App) -> None:
    app.record("MARTIN Zoé; zoe@exemple.fr")
    title, day = app.activity.title, app.activity.starts_on.strftime("%d/%m/%Y")
    lines = [
        f"A-1;{title.upper()};{day};;MARTIN;Zoé;zoe@exemple.fr;;3;",
        f"A-2;{title};{day};;LE GOFF;Anne;;;2;",
    ]
    assert [fate for fate, _ in take(app, *lines)] == [ImportLineOutcome.CHANGED, ImportLineOutcome.CREATED]
    assert [person[0] for person in people(app, title)] == ["Anne Le Goff", "Zoé Martin"]
    with app.unit_of_work(reading=True) as services:
        assert len(services.activities.list_in(app.campus, words=title)) == 1


def test_another_name_under_the_same_identifier_is_another_person(app: App) -> None:
    take(app, ZOE)
    other = ZOE.replace("MARTIN;Zoé;zoe@", "FAURE;Inès;ines@")
    assert take(app, other)[0][0] is ImportLineOutcome.CHANGED
    assert [name for name, *_ in people(app)] == ["Inès Faure"]
    assert take(app, other)[0][0] is ImportLineOutcome.SAME


def test_person_with_several_identifiers_has_one_participation(app: App) -> None:
    take(app, ZOE)
    assert take(app, ZOE.replace("P-1", "P-9"))[0][0] is ImportLineOutcome.REFUSED
    assert take(app, ZOE.replace("P-1", "P-9"), source="Wudo")[0][0] is ImportLineOutcome.SAME
    assert len(people(app)) == 1


def test_table_without_identifiers_can_be_imported_again(app: App) -> None:
    lines = [ZOE.replace("P-1", ""), ANNE.replace("P-2", "")]
    assert [fate for fate, _ in take(app, *lines)] == [ImportLineOutcome.CREATED, ImportLineOutcome.CREATED]
    assert [fate for fate, _ in take(app, *lines)] == [ImportLineOutcome.SAME, ImportLineOutcome.SAME]


def test_erased_person_is_not_created_again_by_the_next_table(app: App) -> None:
    take(app, ZOE)
    refused = drop(app, "P-3;Robotique;31/02/2025;;MARTIN;Zoé;;;;", ANNE)
    draft = drop(app, ZOE)
    with app.unit_of_work() as services:
        services.imports.confirm(app.campus, refused, ReadingPlan(), by=Actor(app.trainer.id))
    with app.unit_of_work() as services:
        activity = next(a for a, _ in services.activities.list_in(app.campus) if a.title == "Robotique")
        people_there = services.activities.page(app.campus, activity.id).participants
        zoe = next(person for _, person in people_there if person.given_name == "Zoé")
        services.erasures.process_chunk(
            app.campus, zoe.id, "Demande reçue par courrier.", by=Actor(app.admin.id)
        )
    with app.unit_of_work() as services:
        assert [line.cells for line in services.imports.lines(app.campus, refused)] == [[], []]
        with pytest.raises(NotFound):
            services.imports.report(app.campus, draft)
    assert take(app, ZOE) == [(ImportLineOutcome.REFUSED, ERASED)]
    assert [name for name, *_ in people(app)] == ["Anne Le Goff"]


def test_reading_plan_is_stored_for_its_source_only(app: App) -> None:
    text = "Quoi;Quand;Qui\nRobotique;03/10/2025;MARTIN Zoé"
    what, when, who = heading_keys(["Quoi", "Quand", "Qui"])
    plan = ReadingPlan(
        {what: ImportColumn.TITLE, when: ImportColumn.STARTS_ON, who: ImportColumn.FAMILY_FIRST}
    )
    by = Actor(app.trainer.id)
    with app.unit_of_work() as services:
        run = services.imports.drop(app.campus, "Wudo", text, by=by)
        services.imports.confirm(app.campus, run.id, plan, by=by)
        again = services.imports.drop(app.campus, "Wudo", text, by=by)
        other = services.imports.drop(app.campus, "Autre", text, by=by)
        assert [one.fate for one in services.imports.draft(app.campus, again.id).matched] == [
            ImportLineOutcome.SAME
        ]
        assert [one.fate for one in services.imports.draft(app.campus, other.id).matched] == [
            ImportLineOutcome.REFUSED
        ]


def test_long_table_is_enqueued_and_processed_in_chunks(app: App) -> None:
    lines = [
        f"P-{n};Forum;03/10/2025;;BA{chr(65 + n // 26)}{chr(65 + n % 26)}OUX;Ada;p{n}@exemple.fr;;1;"
        for n in range(620)
    ]
    run_id = drop(app, *lines)
    by = Actor(app.trainer.id)
    with app.unit_of_work() as services:
        services.imports.confirm(app.campus, run_id, ReadingPlan(), by=by)
        assert services.imports.due(limit=5) == [run_id]
    with app.unit_of_work() as services:
        assert services.imports.process_chunk(run_id)
    with app.unit_of_work() as services:
        assert services.imports.report(app.campus, run_id).answered == 500
        assert not services.imports.process_chunk(run_id)
        assert services.imports.report(app.campus, run_id).counts == {ImportLineOutcome.CREATED: 620}
        assert services.imports.due(limit=5) == []


def test_import_is_confirmed_once_and_only_by_its_campus(app: App) -> None:
    run_id = drop(app, ZOE)
    by = Actor(app.trainer.id)
    with app.unit_of_work() as services:
        services.imports.confirm(app.campus, run_id, ReadingPlan(), by=by)
    with app.unit_of_work() as services, pytest.raises(Conflict):
        services.imports.confirm(app.campus, run_id, ReadingPlan(), by=by)
    with app.unit_of_work() as services, pytest.raises(NotFound):
        services.imports.report(app.other_campus, run_id)


def test_cells_with_personal_data_are_deleted_after_a_month(app: App) -> None:
    run_id = drop(app, ZOE, "P-3;Robotique;31/02/2025;;PETIT;Ousmane;;;;")
    forgotten_draft = drop(app, ANNE)
    with app.unit_of_work() as services:
        services.imports.confirm(app.campus, run_id, ReadingPlan(), by=Actor(app.trainer.id))
        good, refused = services.imports.lines(app.campus, run_id)
        assert (good.told, good.cells) == ({}, [])
        assert "PETIT" in refused.cells
    app.clock.now += timedelta(days=31)
    with app.unit_of_work() as services:
        services.imports.forget_old()
    with app.unit_of_work() as services:
        _, refused = services.imports.lines(app.campus, run_id)
        assert (refused.cells, refused.told, refused.reason) == ([], {}, FORGOTTEN)
        with pytest.raises(NotFound):
            services.imports.report(app.campus, forgotten_draft)


def test_people_who_signed_in_by_name_alone_are_found_again(app: App) -> None:
    with app.unit_of_work() as services:
        services.activities.record(
            app.campus, app.activity.id, listed("MARTIN Zoé"), by=Actor(app.trainer.id)
        )
    day = app.activity.starts_on.strftime("%d/%m/%Y")
    line = f"A-1;{app.activity.title};{day};;MARTIN;Zoé;zoe@exemple.fr;;;"
    assert take(app, line)[0][0] is ImportLineOutcome.CHANGED
    assert take(app, line)[0][0] is ImportLineOutcome.SAME
    with app.unit_of_work(reading=True) as services:
        found = services.activities.page(app.campus, app.activity.id)
        assert list(found.addresses.values()) == ["zoe@exemple.fr"]


def test_line_with_the_name_of_two_participants_is_refused(app: App) -> None:
    take(app, ZOE)
    with app.unit_of_work() as services:
        [activity] = [
            each for each, _ in services.activities.list_in(app.campus) if each.title == "Robotique"
        ]
        twice = listed("LE GOFF Anne\nLE GOFF Anne (2)")
        services.activities.record(app.campus, activity.id, twice, by=Actor(app.trainer.id))
    assert take(app, ANNE, source="Autre suivi") == [(ImportLineOutcome.REFUSED, SEVERAL_OF_NAME)]
    assert [result for result in people(app) if result[2] == 2.5] == []
