"""Counts stored for reports: stored by the worker, never shown once their rows have changed, compared every night."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlmodel import col, select

from app.container import IntegrityRun
from app.db.activities.plans import ActivityPlanStore
from app.db.engine import session
from app.domain.activities import Activity, ActivityKind
from app.domain.awards import Award
from app.domain.campus.audit_log import Actor
from app.domain.reports.ledger import Period
from app.jobs.kinds import COUNTS, EVERYTHING
from tests.app.jobs.next_release import scripts_of_next_release
from tests.support.databases.engines import as_owner
from tests.support.house import COMMAND, House, build_house

PEOPLE = ("Zoé Martin", "Ali Benali", "Eva Roy", "Léo Petit", "Ana Faure", "Tom Girard")
STORED = ("activity_count", "month_count", "award_count")
MARKS = ("activity_change", "month_change", "award_change")


@pytest.fixture
def anywhere(database_url: str, tmp_path: Path):
    built = build_house(database_url, tmp_path)
    yield built
    built.close()


def recount(house: House) -> None:
    while COUNTS.perform(house.process, EVERYTHING):
        pass


def rows_in(house: House, *tables: str) -> list[int]:
    with house.owner.connect() as connection:
        return [connection.execute(text(f"SELECT count(*) FROM {each}")).scalar_one() for each in tables]


def shown(house: House) -> tuple[object, ...]:
    with house.process.visit(reading=True, campus_id=house.campus.id) as services:
        found = services.reports.figures(house.campus, Period.civil(house.activity.starts_on.year))
    return (
        found.figures["actions"].value,
        found.figures["participations"].value,
        found.figures["apprenants"].value,
        found.now.distinct.awards,
    )


@pytest.mark.parametrize(("declared", "is_stored"), [("", True), ("\nrecount = True", False)])
def test_migration_leaves_stored_counts_unless_it_recounts(
    anywhere: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, declared: str, is_stored: bool
) -> None:
    house = anywhere
    house.award(*PEOPLE)
    recount(house)
    scripts = scripts_of_next_release(tmp_path / "next", declared=f"online = True{declared}")
    monkeypatch.setattr(session, "SCRIPTS", scripts)
    session.upgrade(as_owner(house.process.settings.database_url))
    is_postgres = house.owner.dialect.name == "postgresql"
    # SQLite rebuilds tables, and its migrations are short.
    assert all(rows_in(house, *STORED)) is (is_stored and is_postgres)
    with house.owner.begin() as connection:
        connection.execute(text("UPDATE participation SET hours = 7"))
    assert rows_in(house, "activity_change") > [0]


def test_worker_stores_counts_and_each_write_is_counted_at_once(anywhere: House) -> None:
    house = anywhere
    house.award(*PEOPLE)
    before = shown(house)
    assert before == (1, 6, 6, 6)
    recount(house)
    assert rows_in(house, *MARKS) == [0, 0, 0]
    assert all(rows_in(house, *STORED))
    assert shown(house) == before
    house.record("Nina Blanc")
    assert shown(house) == (1, 7, 7, 6), "counted from the rows before any worker came by"
    assert rows_in(house, "activity_change")[0]
    recount(house)
    assert shown(house) == (1, 7, 7, 6)


def test_deleted_activity_leaves_no_figure_behind(anywhere: House) -> None:
    house = anywhere
    with house.unit_of_work() as services:
        day = house.activity.starts_on
        other = services.activities.create(
            Activity(kind=ActivityKind.MEETING, title="Réunion", starts_on=day, ends_on=day),
            [house.campus],
            by=COMMAND,
        )
    recount(house)
    assert shown(house)[0] == 2
    with house.process.visit(campus_id=house.campus.id) as services:
        ActivityPlanStore(services.stores.session).delete(other.id)
    assert shown(house)[0] == 1
    recount(house)
    assert shown(house)[0] == 1


def test_nightly_check_names_a_wrong_count_and_has_it_counted_again(anywhere: House) -> None:
    house = anywhere
    house.award(*PEOPLE)
    recount(house)
    right = shown(house)
    with house.owner.begin() as connection:
        connection.execute(text("UPDATE activity_count SET named = 99"))
        connection.execute(text("DELETE FROM month_count"))
        connection.execute(text("DELETE FROM award_count"))
    run = IntegrityRun(house.process)
    *_, check = run.run(run.begin(by=Actor.command("tests"), anew=True))
    assert {each[0] for each in check.faults} == {"count_differs"}
    assert shown(house) == right, "marked: counted from the rows from then on"
    recount(house)
    *_, again = run.run(run.begin(by=Actor.command("tests"), anew=True))
    assert again.fault_count == 0
    assert shown(house) == right


def test_erasure_leaves_no_stored_count_that_names_the_person(anywhere: House) -> None:
    house = anywhere
    given = house.award(*PEOPLE)
    recount(house)
    award_id = given.lines[0].award_id
    assert award_id is not None
    with house.owner.connect() as connection:
        query = select(Award).where(col(Award.id) == award_id)
        person = connection.execute(query.with_only_columns(col(Award.person_id))).scalar_one()
    with house.owner.connect() as connection:
        kept = connection.execute(text("SELECT learners FROM activity_count")).scalars().all()
    assert any(person.bytes in bytes(each) for each in kept)
    with house.unit_of_work() as services:
        services.erasures.process_chunk(house.campus, person, "Demande.", by=COMMAND)
    with house.owner.connect() as connection:
        for table, column in (
            ("activity_count", "learners"),
            ("month_count", "learners"),
            ("award_count", "holders"),
        ):
            left = connection.execute(text(f"SELECT {column} FROM {table}")).scalars().all()
            assert not any(person.bytes in bytes(each) for each in left)
    assert shown(house) == (1, 6, 6, 6), "an erased person stays in totals"


def test_another_campus_reads_no_stored_count(anywhere: House) -> None:
    house = anywhere
    house.award(*PEOPLE)
    recount(house)
    house.record("Nina Blanc")
    if house.owner.dialect.name != "postgresql":
        pytest.skip("SQLite has no row-level security")
    with house.process.visit(reading=True, campus_id=house.other_campus.id) as services:
        connection = services.stores.session.connection()
        for table in (*STORED, *MARKS):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0, table


def test_figures_read_no_large_table_from_end_to_end(anywhere: House) -> None:
    """On tables so small a planner may prefer a scan: it is told not to."""
    house = anywhere
    house.award(*PEOPLE)
    recount(house)
    asked: list[tuple[str, object]] = []
    with house.process.visit(reading=True, campus_id=house.campus.id) as services:
        connection = services.stores.session.connection()
        is_sqlite = connection.dialect.name == "sqlite"
        if not is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        event.listen(
            connection,
            "before_cursor_execute",
            lambda _c, _u, statement, values, *_: asked.append((statement, values)),
        )
        services.reports.figures(house.campus, Period.civil(2026))
        plans = [
            "\n".join(
                str(row[3] if is_sqlite else row[0])
                for row in connection.exec_driver_sql(
                    f"{'EXPLAIN QUERY PLAN' if is_sqlite else 'EXPLAIN'} {statement}",
                    values,  # type: ignore[arg-type]
                )
            )
            for statement, values in list(asked)
            if statement.startswith("SELECT") and "set_config" not in statement
        ]
    assert len(plans) > 4
    for plan in plans:
        assert "participation" not in plan.replace("participation_tombstone", ""), (
            "nothing changed: no row is read"
        )
        for table in ("award", "activity", "activity_campus", "month_count", "award_count", "activity_count"):
            assert f"SCAN {table}\n" not in f"{plan}\n", plan
            assert f"Seq Scan on {table} " not in plan, plan
