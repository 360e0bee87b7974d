"""The stored people of a campus are those that rows tie to it, whatever writes these rows."""

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
from tests.support.databases.engines import as_owner, autocommitting
from tests.support.house import House, build_house

pytestmark = pytest.mark.both_engines

ADA, ZOE = "Ada Martin;ada@exemple.fr", "Zoé Petit;zoe@exemple.fr"


@pytest.fixture
def anywhere(database_url: str, tmp_path: Path) -> Iterator[House]:
    built = build_house(database_url, tmp_path)
    yield built
    built.close()


def names(house: House, *, other: bool = False) -> list[str]:
    """In the register, which counts as many as it shows."""
    campus = house.other_campus if other else house.campus
    with house.process.visit(reading=True, campus_id=campus.id, person_id=house.admin.id) as services:
        register = services.people_register
        found = register.page(campus, PeopleFilter(), Start(), PeopleSort.NAME, descending=False)
        assert register.count(campus, PeopleFilter()) == len(found)
        for sort in PeopleSort:
            shown = register.page(campus, PeopleFilter(), Start(), sort, descending=True)
            assert {each.id for each in shown} == {each.id for each in found}, sort
    return [each.name for each in found]


def write(house: House, *statements: str) -> None:
    """As a program of an earlier release does, which knows no such table."""
    with house.owner.begin() as connection:
        for each in statements:
            connection.execute(text(each))


def check_faults(house: House) -> int:
    run = IntegrityRun(house.process)
    *_, check = run.run(run.begin(by=Actor.command("tests"), anew=True))
    return check.fault_count


def in_doubt(house: House) -> int:
    with house.owner.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM campus_person WHERE in_doubt")).scalar_one())


def pairs(house: House) -> int:
    with house.owner.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM campus_person")).scalar_one())


def counts(house: House, *, other: bool = False) -> dict[str, tuple[int, int, int]]:
    campus = house.other_campus if other else house.campus
    with house.process.visit(reading=True, campus_id=campus.id, person_id=house.admin.id) as services:
        register = services.people_register
        found = register.page(campus, PeopleFilter(), Start(), PeopleSort.NAME, descending=False)
        counted = register.counts(campus, found)
    return {each.given_name: tuple(counted[each.id]) for each in found}


def agrees(house: House) -> bool:
    """Whether what is stored is what the rows say."""
    with house.unit_of_work(reading=True) as services:
        services.stores.tenant_scope.bypass()
        return not services.stores.campus_people.check().campuses


def test_whoever_takes_part_or_holds_a_badge_belongs_until_the_last_row_goes(anywhere: House) -> None:
    house = anywhere
    house.record(ADA, ZOE)
    house.award(ADA)
    assert names(house) == ["Ada Martin", "Zoé Petit"]
    write(house, "DELETE FROM participation")
    assert names(house) == ["Ada Martin"], "her badge is left"
    assert in_doubt(house) == 2
    assert pairs(house) == 2
    assert check_faults(house) == 0
    assert (in_doubt(house), pairs(house)) == (0, 1), "settled where a row is left, deleted where none is"
    house.record(ZOE)
    assert names(house) == ["Ada Martin", "Zoé Petit"]
    assert check_faults(house) == 0
    assert in_doubt(house) == 0


def test_co_organiser_has_the_people_from_accepting_to_leaving(anywhere: House) -> None:
    house = anywhere
    house.record(ADA)
    activity, other = (
        each.hex if house.owner.dialect.name == "sqlite" else str(each)
        for each in (house.activity.id, house.other_campus.id)
    )
    write(
        house,
        f"INSERT INTO activity_campus (activity_id, campus_id, position) VALUES ('{activity}', '{other}', 1)",
    )
    assert names(house, other=True) == []
    write(
        house,
        f"UPDATE activity_campus SET accepted_at = '2026-11-24 12:00:00+00' WHERE campus_id = '{other}'",
    )
    house.record(ZOE)
    assert names(house, other=True) == ["Ada Martin", "Zoé Petit"] == names(house)
    write(house, f"DELETE FROM activity_campus WHERE campus_id = '{other}'")
    assert names(house, other=True) == []
    assert names(house) == ["Ada Martin", "Zoé Petit"]
    assert check_faults(house) == 0


def test_identifier_of_the_campus_ties_a_person(anywhere: House) -> None:
    house = anywhere
    house.record(ADA)
    write(house, "DELETE FROM participation")
    assert names(house) == []
    write(
        house,
        "INSERT INTO external_id (campus_id, kind, value, person_id, given_at) "
        f"SELECT c.id, '{NamedKind.PERSON}', 'E1', p.id, p.created_at FROM campus c, person p "
        "WHERE c.slug = 'itip' AND p.given_name = 'Ada'",
    )
    assert names(house) == ["Ada Martin"]
    write(house, "DELETE FROM external_id")
    assert names(house) == []


def test_name_is_followed_and_a_merged_record_belongs_no_more(anywhere: House) -> None:
    house = anywhere
    house.record(ADA, ZOE)
    with house.unit_of_work() as services:
        ada, zoe = (
            services.directory.find_people(house.campus, name, Start())[0].id for name in ("ada", "zoe")
        )
        person = services.stores.people.get(ada)
        person.family_name = "Zyx"
        services.stores.people.save(person)
    assert names(house) == ["Zoé Petit", "Ada Zyx"]
    with house.unit_of_work() as services:
        assert [each.id for each in services.directory.find_people(house.campus, "zyx", Start())] == [ada]
    by = Actor(house.admin.id)
    with house.unit_of_work() as services:
        merged = services.merging.merge_in_campus(house.campus, zoe, ada, "C’est la même personne.", by=by).id
    assert names(house) == ["Zoé Petit"]
    with house.unit_of_work() as services:
        services.merging.undo_in_campus(house.campus, merged, by=by)
    assert names(house) == ["Zoé Petit", "Ada Zyx"]
    assert check_faults(house) == 0


def test_nightly_check_names_the_campus_and_repairs(anywhere: House) -> None:
    house = anywhere
    house.record(ADA, ZOE)
    write(
        house,
        "DELETE FROM campus_person WHERE listed_as LIKE '%ada'",
        "UPDATE campus_person SET listed_as = 'x' WHERE listed_as LIKE '%zoe'",
    )
    assert check_faults(house) == 1
    assert names(house) == ["Ada Martin", "Zoé Petit"]
    assert check_faults(house) == 0


def test_person_erased_leaves_no_pair(anywhere: House) -> None:
    house = anywhere
    house.record(ADA)
    write(house, "DELETE FROM participation", "DELETE FROM person_address")
    write(house, "DELETE FROM person WHERE given_name = 'Ada'")
    with house.owner.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM campus_person")).scalar_one() == 0


@pytest.mark.postgres
def test_who_ties_and_who_unties_at_once_lose_no_person(postgres_url: str, tmp_path: Path) -> None:
    house = build_house(postgres_url, tmp_path)
    house.record(ADA)
    house.award(ADA)
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
    assert names(house) == ["Ada Martin"], "her identifier is left"
    assert names(house, other=True) == ["Ada Martin"]
    house.close()


def _again(connection: Connection, person_id: uuid.UUID) -> None:
    connection.exec_driver_sql(
        "INSERT INTO external_id (campus_id, kind, value, person_id, given_at) "
        f"SELECT id, 'person', 'E1', '{person_id}', now() FROM campus WHERE slug = 'itip'"
    )


def test_pair_left_in_doubt_does_not_make_a_campus_know_somebody(anywhere: House) -> None:
    house = anywhere
    house.record(ADA)
    with house.unit_of_work() as services:
        [ada] = services.directory.find_people(house.campus, "ada", Start())
    write(house, "DELETE FROM participation", "DELETE FROM log_payload")
    assert in_doubt(house) == 1
    with house.unit_of_work(reading=True) as services:
        services.stores.tenant_scope.bypass()
        assert services.stores.personal_data.campuses_of(ada.id) == set()


def test_counts_follow_every_row_whatever_writes_it(anywhere: House) -> None:
    house = anywhere
    house.record(ADA, ZOE)
    house.award(ADA, ZOE)
    assert counts(house) == {"Ada": (1, 1, 0), "Zoé": (1, 1, 0)}
    ada = "person_id = (SELECT id FROM person WHERE given_name = 'Ada')"
    false, at = ("0" if house.owner.dialect.name == "sqlite" else "false"), "'2026-11-24 12:00:00+00'"
    write(house, f"UPDATE award SET claimed_at = {at} WHERE {ada}")
    assert counts(house)["Ada"] == (1, 1, 1)
    write(house, f"UPDATE award SET state = 'revoked', revoked_at = {at}, revoked_reason = 'x' WHERE {ada}")
    write(house, f"UPDATE participation SET is_present = {false}")
    assert counts(house) == {"Ada": (0, 0, 0), "Zoé": (0, 1, 0)}
    assert in_doubt(house) == 0, "what is counted alone unties nobody"
    assert agrees(house)
    other = "campus_id = (SELECT id FROM campus WHERE slug = 'agt')"
    write(house, f"UPDATE award SET {other}")
    assert counts(house) == {"Ada": (0, 0, 0), "Zoé": (0, 0, 0)}
    assert counts(house, other=True) == {"Ada": (0, 0, 0), "Zoé": (0, 1, 0)}
    assert agrees(house)


def test_counts_of_a_co_organiser_begin_and_end_with_its_place(anywhere: House) -> None:
    house = anywhere
    house.record(ADA)
    activity, other = (
        each.hex if house.owner.dialect.name == "sqlite" else str(each)
        for each in (house.activity.id, house.other_campus.id)
    )
    write(
        house,
        "INSERT INTO activity_campus (activity_id, campus_id, position, accepted_at) "
        f"VALUES ('{activity}', '{other}', 1, '2026-11-24 12:00:00+00')",
    )
    house.record(ZOE)
    assert counts(house, other=True) == {"Ada": (1, 0, 0), "Zoé": (1, 0, 0)}
    write(house, f"UPDATE activity_campus SET accepted_at = NULL WHERE campus_id = '{other}'")
    assert (counts(house, other=True), counts(house)["Ada"]) == ({}, (1, 0, 0))
    assert check_faults(house) == 0
    assert pairs(house) == 2


def test_counts_of_a_merged_record_move_and_come_back(anywhere: House) -> None:
    house = anywhere
    house.record(ADA)
    house.award(ADA)
    house.award(ZOE, badge=house.role, evidence="A aidé trois groupes.")
    before, by = counts(house), Actor(house.admin.id)
    with house.unit_of_work() as services:
        ada, zoe = (
            services.directory.find_people(house.campus, name, Start())[0].id for name in ("ada", "zoe")
        )
        merged = services.merging.merge_in_campus(house.campus, zoe, ada, "C’est la même personne.", by=by).id
    assert agrees(house)
    assert counts(house)["Zoé"][1] == 2
    with house.unit_of_work() as services:
        services.merging.undo_in_campus(house.campus, merged, by=by)
    assert agrees(house)
    assert {name: each[1] for name, each in counts(house).items()} == {
        name: each[1] for name, each in before.items()
    }


def test_nightly_check_names_the_campus_of_a_wrong_count_and_repairs_it(anywhere: House) -> None:
    house = anywhere
    house.record(ADA)
    house.award(ADA)
    write(house, "UPDATE campus_person SET activities = 7, claimed = 3")
    assert check_faults(house) == 1
    assert counts(house) == {"Ada": (1, 1, 0)}
    assert check_faults(house) == 0


@pytest.mark.postgres
def test_who_is_tied_while_pairs_are_removed_is_added_anew(postgres_url: str, tmp_path: Path) -> None:
    house = build_house(postgres_url, tmp_path)
    house.record(ADA)
    write(house, "DELETE FROM award_batch_line", "DELETE FROM participation")
    with house.owner.connect() as connection:
        person_id = connection.execute(text("SELECT person_id FROM campus_person")).scalar_one()
    with autocommitting(as_owner(postgres_url)) as tying, ThreadPoolExecutor(1) as beside:
        with house.unit_of_work() as services:
            services.stores.tenant_scope.bypass()
            services.stores.campus_people.settle()
            waiting = beside.submit(_again, tying, person_id)
        waiting.result(timeout=60)
    assert names(house) == ["Ada Martin"]
    write(house, "DELETE FROM external_id")
    assert (names(house), in_doubt(house), pairs(house)) == ([], 1, 1)
    assert check_faults(house) == 0
    assert pairs(house) == 0
    house.close()
