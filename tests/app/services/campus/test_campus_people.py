"""The stored people of a campus match the rows that tie them to it, whatever program writes them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from app.container import IntegrityRun
from app.domain.campus.audit_log import Actor
from app.domain.campus.integration import NamedKind
from app.services.campus.registers import PeopleFilter, PeopleSort, Start
from tests.support.app import App, build_app
from tests.support.databases.engines import as_owner, autocommitting

pytestmark = pytest.mark.both_engines

ADA, ZOE = "Ada Martin;ada@exemple.fr", "Zoé Petit;zoe@exemple.fr"


@pytest.fixture
def anywhere(database_url: str, tmp_path: Path) -> Iterator[App]:
    built = build_app(database_url, tmp_path)
    yield built
    built.close()


def names(app: App, *, other: bool = False) -> list[str]:
    """The names in the register, after checking its count."""
    campus = app.other_campus if other else app.campus
    with app.process.visit(reading=True, campus_id=campus.id, person_id=app.admin.id) as services:
        register = services.people_register
        found = register.page(campus, PeopleFilter(), Start(), PeopleSort.NAME, descending=False)
        assert register.count(campus, PeopleFilter()) == len(found)
        for sort in PeopleSort:
            shown = register.page(campus, PeopleFilter(), Start(), sort, descending=True)
            assert {each.id for each in shown} == {each.id for each in found}, sort
    return [each.name for each in found]


def write(app: App, *statements: str) -> None:
    """Write as a program of an earlier release, which does not know the table."""
    with app.owner.begin() as connection:
        for each in statements:
            connection.execute(text(each))


def check_faults(app: App) -> int:
    run = IntegrityRun(app.process)
    *_, check = run.run(run.begin(by=Actor.command("tests"), anew=True))
    return check.fault_count


def in_doubt(app: App) -> int:
    with app.owner.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM campus_person WHERE in_doubt")).scalar_one())


def pairs(app: App) -> int:
    with app.owner.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM campus_person")).scalar_one())


def counts(app: App, *, other: bool = False) -> dict[str, tuple[int, int, int]]:
    campus = app.other_campus if other else app.campus
    with app.process.visit(reading=True, campus_id=campus.id, person_id=app.admin.id) as services:
        register = services.people_register
        found = register.page(campus, PeopleFilter(), Start(), PeopleSort.NAME, descending=False)
        counted = register.counts(campus, found)
    return {each.given_name: tuple(counted[each.id]) for each in found}


def agrees(app: App) -> bool:
    """Whether stored people match the rows."""
    with app.unit_of_work(reading=True) as services:
        services.stores.tenant_scope.bypass()
        return not services.stores.campus_people.check().campuses


def test_person_belongs_to_a_campus_until_the_last_row_is_deleted(anywhere: App) -> None:
    app = anywhere
    app.record(ADA, ZOE)
    app.award(ADA)
    assert names(app) == ["Ada Martin", "Zoé Petit"]
    write(app, "DELETE FROM participation")
    assert names(app) == ["Ada Martin"], "Ada still has a badge"
    assert in_doubt(app) == 2
    assert pairs(app) == 2
    assert check_faults(app) == 0
    assert (in_doubt(app), pairs(app)) == (0, 1), "settled where a row is left, deleted where none is"
    app.record(ZOE)
    assert names(app) == ["Ada Martin", "Zoé Petit"]
    assert check_faults(app) == 0
    assert in_doubt(app) == 0


def test_co_organiser_has_the_people_from_accepting_to_leaving(anywhere: App) -> None:
    app = anywhere
    app.record(ADA)
    activity, other = (
        each.hex if app.owner.dialect.name == "sqlite" else str(each)
        for each in (app.activity.id, app.other_campus.id)
    )
    write(
        app,
        f"INSERT INTO activity_campus (activity_id, campus_id, position) VALUES ('{activity}', '{other}', 1)",
    )
    assert names(app, other=True) == []
    write(
        app,
        f"UPDATE activity_campus SET accepted_at = '2026-11-24 12:00:00+00' WHERE campus_id = '{other}'",
    )
    app.record(ZOE)
    assert names(app, other=True) == ["Ada Martin", "Zoé Petit"] == names(app)
    write(app, f"DELETE FROM activity_campus WHERE campus_id = '{other}'")
    assert names(app, other=True) == []
    assert names(app) == ["Ada Martin", "Zoé Petit"]
    assert check_faults(app) == 0


def test_identifier_of_the_campus_ties_a_person(anywhere: App) -> None:
    app = anywhere
    app.record(ADA)
    write(app, "DELETE FROM participation")
    assert names(app) == []
    write(
        app,
        "INSERT INTO external_id (campus_id, kind, value, person_id, given_at) "
        f"SELECT c.id, '{NamedKind.PERSON}', 'E1', p.id, p.created_at FROM campus c, person p "
        "WHERE c.slug = 'itip' AND p.given_name = 'Ada'",
    )
    assert names(app) == ["Ada Martin"]
    write(app, "DELETE FROM external_id")
    assert names(app) == []


def test_name_changes_are_stored_and_a_merged_record_is_removed(anywhere: App) -> None:
    app = anywhere
    app.record(ADA, ZOE)
    with app.unit_of_work() as services:
        ada, zoe = (
            services.directory.find_people(app.campus, name, Start())[0].id for name in ("ada", "zoe")
        )
        person = services.stores.people.get(ada)
        person.family_name = "Zyx"
        services.stores.people.save(person)
    assert names(app) == ["Zoé Petit", "Ada Zyx"]
    with app.unit_of_work() as services:
        assert [each.id for each in services.directory.find_people(app.campus, "zyx", Start())] == [ada]
    by = Actor(app.admin.id)
    with app.unit_of_work() as services:
        merged = services.merging.merge_in_campus(app.campus, zoe, ada, "C’est la même personne.", by=by).id
    assert names(app) == ["Zoé Petit"]
    with app.unit_of_work() as services:
        services.merging.undo_in_campus(app.campus, merged, by=by)
    assert names(app) == ["Zoé Petit", "Ada Zyx"]
    assert check_faults(app) == 0


def test_nightly_check_names_the_campus_and_repairs(anywhere: App) -> None:
    app = anywhere
    app.record(ADA, ZOE)
    write(
        app,
        "DELETE FROM campus_person WHERE listed_as LIKE '%ada'",
        "UPDATE campus_person SET listed_as = 'x' WHERE listed_as LIKE '%zoe'",
    )
    assert check_faults(app) == 1
    assert names(app) == ["Ada Martin", "Zoé Petit"]
    assert check_faults(app) == 0


def test_person_erased_leaves_no_pair(anywhere: App) -> None:
    app = anywhere
    app.record(ADA)
    write(app, "DELETE FROM participation", "DELETE FROM person_address")
    write(app, "DELETE FROM person WHERE given_name = 'Ada'")
    with app.owner.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM campus_person")).scalar_one() == 0


@pytest.mark.postgres
def test_who_ties_and_who_unties_at_once_lose_no_person(postgres_url: str, tmp_path: Path) -> None:
    app = build_app(postgres_url, tmp_path)
    app.record(ADA)
    app.award(ADA)
    engine = as_owner(postgres_url)
    with autocommitting(engine) as one, autocommitting(engine) as two, ThreadPoolExecutor(1) as beside:
        row = one.exec_driver_sql("SELECT * FROM participation").mappings().one()
        for each in (one, two):
            each.exec_driver_sql("BEGIN")
        one.exec_driver_sql("DELETE FROM participation")
        one.exec_driver_sql("DELETE FROM award_batch_line")
        waiting = beside.submit(_again, two, row["person_id"])
        one.exec_driver_sql("COMMIT")
        waiting.result(timeout=60)
        two.exec_driver_sql("COMMIT")
        two.exec_driver_sql("UPDATE award SET campus_id = (SELECT id FROM campus WHERE slug = 'agt')")
    assert names(app) == ["Ada Martin"], "her identifier is left"
    assert names(app, other=True) == ["Ada Martin"]
    app.close()


def _again(connection: Connection, person_id: uuid.UUID) -> None:
    connection.exec_driver_sql(
        "INSERT INTO external_id (campus_id, kind, value, person_id, given_at) "
        f"SELECT id, 'person', 'E1', '{person_id}', now() FROM campus WHERE slug = 'itip'"
    )


def test_pair_in_doubt_does_not_tie_a_person_to_a_campus(anywhere: App) -> None:
    app = anywhere
    app.record(ADA)
    with app.unit_of_work() as services:
        [ada] = services.directory.find_people(app.campus, "ada", Start())
    write(app, "DELETE FROM participation", "DELETE FROM log_payload")
    assert in_doubt(app) == 1
    with app.unit_of_work(reading=True) as services:
        services.stores.tenant_scope.bypass()
        assert services.stores.personal_data.campuses_of(ada.id) == set()


def test_counts_follow_every_row_whatever_writes_it(anywhere: App) -> None:
    app = anywhere
    app.record(ADA, ZOE)
    app.award(ADA, ZOE)
    assert counts(app) == {"Ada": (1, 1, 0), "Zoé": (1, 1, 0)}
    ada = "person_id = (SELECT id FROM person WHERE given_name = 'Ada')"
    false, at = ("0" if app.owner.dialect.name == "sqlite" else "false"), "'2026-11-24 12:00:00+00'"
    write(app, f"UPDATE award SET claimed_at = {at} WHERE {ada}")
    assert counts(app)["Ada"] == (1, 1, 1)
    write(app, f"UPDATE award SET state = 'revoked', revoked_at = {at}, revoked_reason = 'x' WHERE {ada}")
    write(app, f"UPDATE participation SET is_present = {false}")
    assert counts(app) == {"Ada": (0, 0, 0), "Zoé": (0, 1, 0)}
    assert in_doubt(app) == 0, "what is counted alone unties nobody"
    assert agrees(app)
    other = "campus_id = (SELECT id FROM campus WHERE slug = 'agt')"
    write(app, f"UPDATE award SET {other}")
    assert counts(app) == {"Ada": (0, 0, 0), "Zoé": (0, 0, 0)}
    assert counts(app, other=True) == {"Ada": (0, 0, 0), "Zoé": (0, 1, 0)}
    assert agrees(app)


def test_counts_of_a_co_organiser_begin_and_end_with_its_participation(anywhere: App) -> None:
    app = anywhere
    app.record(ADA)
    activity, other = (
        each.hex if app.owner.dialect.name == "sqlite" else str(each)
        for each in (app.activity.id, app.other_campus.id)
    )
    write(
        app,
        "INSERT INTO activity_campus (activity_id, campus_id, position, accepted_at) "
        f"VALUES ('{activity}', '{other}', 1, '2026-11-24 12:00:00+00')",
    )
    app.record(ZOE)
    assert counts(app, other=True) == {"Ada": (1, 0, 0), "Zoé": (1, 0, 0)}
    write(app, f"UPDATE activity_campus SET accepted_at = NULL WHERE campus_id = '{other}'")
    assert (counts(app, other=True), counts(app)["Ada"]) == ({}, (1, 0, 0))
    assert check_faults(app) == 0
    assert pairs(app) == 2


def test_counts_of_a_merged_record_move_and_come_back(anywhere: App) -> None:
    app = anywhere
    app.record(ADA)
    app.award(ADA)
    app.award(ZOE, badge=app.role, evidence="A aidé trois groupes.")
    before, by = counts(app), Actor(app.admin.id)
    with app.unit_of_work() as services:
        ada, zoe = (
            services.directory.find_people(app.campus, name, Start())[0].id for name in ("ada", "zoe")
        )
        merged = services.merging.merge_in_campus(app.campus, zoe, ada, "C’est la même personne.", by=by).id
    assert agrees(app)
    assert counts(app)["Zoé"][1] == 2
    with app.unit_of_work() as services:
        services.merging.undo_in_campus(app.campus, merged, by=by)
    assert agrees(app)
    assert {name: each[1] for name, each in counts(app).items()} == {
        name: each[1] for name, each in before.items()
    }


def test_nightly_check_names_the_campus_of_a_wrong_count_and_repairs_it(anywhere: App) -> None:
    app = anywhere
    app.record(ADA)
    app.award(ADA)
    write(app, "UPDATE campus_person SET activities = 7, claimed = 3")
    assert check_faults(app) == 1
    assert counts(app) == {"Ada": (1, 1, 0)}
    assert check_faults(app) == 0


@pytest.mark.postgres
def test_who_is_tied_while_pairs_are_removed_is_added_anew(postgres_url: str, tmp_path: Path) -> None:
    app = build_app(postgres_url, tmp_path)
    app.record(ADA)
    write(app, "DELETE FROM award_batch_line", "DELETE FROM participation")
    with app.owner.connect() as connection:
        person_id = connection.execute(text("SELECT person_id FROM campus_person")).scalar_one()
    with autocommitting(as_owner(postgres_url)) as tying, ThreadPoolExecutor(1) as beside:
        with app.unit_of_work() as services:
            services.stores.tenant_scope.bypass()
            services.stores.campus_people.settle()
            waiting = beside.submit(_again, tying, person_id)
        waiting.result(timeout=60)
    assert names(app) == ["Ada Martin"]
    write(app, "DELETE FROM external_id")
    assert (names(app), in_doubt(app), pairs(app)) == ([], 1, 1)
    assert check_faults(app) == 0
    assert pairs(app) == 0
    app.close()
