"""Counts stored for reports: stored by the worker, never shown once their rows have changed, compared every night."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlmodel import col, select

from app.container import IntegrityRun
from app.db.activities.plans import ActivityPlanStore
from app.db.engine import session
from app.db.reports import counts
from app.domain.activities import Activity, ActivityKind
from app.domain.awards import Award
from app.domain.campus.audit_log import Actor
from app.domain.reports.ledger import Period
from app.jobs.kinds import COUNTS, EVERYTHING
from tests.app.jobs.next_release import scripts_of_next_release
from tests.support.app import COMMAND, App, build_app
from tests.support.databases.engines import as_owner

PEOPLE = ("Zoé Martin", "Ali Benali", "Eva Roy", "Léo Petit", "Ana Faure", "Tom Girard")
STORED = ("activity_count", "month_count", "award_count")
MARKS = ("activity_change", "month_change", "award_change")


@pytest.fixture
def anywhere(database_url: str, tmp_path: Path):
    built = build_app(database_url, tmp_path)
    yield built
    built.close()


def recount(app: App) -> None:
    while COUNTS.perform(app.process, EVERYTHING):
        pass


def rows_in(app: App, *tables: str) -> list[int]:
    with app.owner.connect() as connection:
        return [connection.execute(text(f"SELECT count(*) FROM {each}")).scalar_one() for each in tables]


def shown(app: App) -> tuple[object, ...]:
    with app.process.visit(reading=True, campus_id=app.campus.id) as services:
        found = services.reports.figures(app.campus, Period.civil(app.activity.starts_on.year))
    return (
        found.figures["actions"].value,
        found.figures["participations"].value,
        found.figures["apprenants"].value,
        found.now.distinct.awards,
    )


def recounts(app: App) -> tuple[bool, bool, bool]:
    """Whether this campus, the other one, or any is recounted."""
    with app.unit_of_work(reading=True) as services:
        reports = services.reports
        return (
            reports.is_recounting([app.campus]),
            reports.is_recounting([app.other_campus]),
            reports.is_recounting(),
        )


@pytest.mark.parametrize("at_once", ["ACTIVITIES_AT_ONCE", "MONTHS_AT_ONCE", "DAYS_AT_ONCE"])
def test_campus_is_recounted_while_more_is_marked_than_one_transaction_stores(
    anywhere: App, monkeypatch: pytest.MonkeyPatch, at_once: str
) -> None:
    app = anywhere
    recount(app)
    app.award(*PEOPLE)
    with app.owner.begin() as connection:
        connection.execute(text("UPDATE activity SET title = 'Usinage'"))
    assert recounts(app) == (False, False, False), "the next transaction stores it"
    monkeypatch.setattr(counts, at_once, 0)
    assert recounts(app) == (True, False, True)
    monkeypatch.undo()
    recount(app)
    monkeypatch.setattr(counts, at_once, 0)
    assert recounts(app) == (False, False, False)


@pytest.mark.parametrize(("declared", "is_stored"), [("", True), ("\nrecount = True", False)])
def test_migration_leaves_stored_counts_unless_it_recounts(
    anywhere: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, declared: str, is_stored: bool
) -> None:
    app = anywhere
    app.award(*PEOPLE)
    recount(app)
    scripts = scripts_of_next_release(tmp_path / "next", declared=f"online = True{declared}")
    monkeypatch.setattr(session, "SCRIPTS", scripts)
    session.upgrade(as_owner(app.process.settings.database_url))
    is_postgres = app.owner.dialect.name == "postgresql"
    # SQLite rebuilds tables, and its migrations are short.
    assert all(rows_in(app, *STORED)) is (is_stored and is_postgres)
    with app.owner.begin() as connection:
        connection.execute(text("UPDATE participation SET hours = 7"))
    assert rows_in(app, "activity_change") > [0]


def test_worker_stores_counts_and_each_write_is_counted_at_once(anywhere: App) -> None:
    app = anywhere
    app.award(*PEOPLE)
    before = shown(app)
    assert before == (1, 6, 6, 6)
    recount(app)
    assert rows_in(app, *MARKS) == [0, 0, 0]
    assert all(rows_in(app, *STORED))
    assert shown(app) == before
    app.record("Nina Blanc")
    assert shown(app) == (1, 7, 7, 6), "counted from the rows before any worker came by"
    assert rows_in(app, "activity_change")[0]
    recount(app)
    assert shown(app) == (1, 7, 7, 6)


def test_deleted_activity_leaves_no_figure_behind(anywhere: App) -> None:
    app = anywhere
    with app.unit_of_work() as services:
        day = app.activity.starts_on
        other = services.activities.create(
            Activity(kind=ActivityKind.MEETING, title="Réunion", starts_on=day, ends_on=day),
            [app.campus],
            by=COMMAND,
        )
    recount(app)
    assert shown(app)[0] == 2
    with app.process.visit(campus_id=app.campus.id) as services:
        ActivityPlanStore(services.stores.session).delete(other.id)
    assert shown(app)[0] == 1
    recount(app)
    assert shown(app)[0] == 1


def test_nightly_check_names_a_wrong_count_and_has_it_counted_again(anywhere: App) -> None:
    app = anywhere
    app.award(*PEOPLE)
    recount(app)
    right = shown(app)
    with app.owner.begin() as connection:
        connection.execute(text("UPDATE activity_count SET named = 99"))
        connection.execute(text("DELETE FROM month_count"))
        connection.execute(text("DELETE FROM award_count"))
    run = IntegrityRun(app.process)
    *_, check = run.run(run.begin(by=Actor.command("tests"), anew=True))
    assert {each[0] for each in check.faults} == {"count_differs"}
    assert shown(app) == right, "marked: counted from the rows from then on"
    recount(app)
    *_, again = run.run(run.begin(by=Actor.command("tests"), anew=True))
    assert again.fault_count == 0
    assert shown(app) == right


def test_erasure_leaves_no_stored_count_that_names_the_person(anywhere: App) -> None:
    app = anywhere
    given = app.award(*PEOPLE)
    recount(app)
    award_id = given.lines[0].award_id
    assert award_id is not None
    with app.owner.connect() as connection:
        query = select(Award).where(col(Award.id) == award_id)
        person = connection.execute(query.with_only_columns(col(Award.person_id))).scalar_one()
    with app.owner.connect() as connection:
        kept = connection.execute(text("SELECT learners FROM activity_count")).scalars().all()
    assert any(person.bytes in bytes(each) for each in kept)
    with app.unit_of_work() as services:
        services.erasures.process_chunk(app.campus, person, "Demande.", by=COMMAND)
    with app.owner.connect() as connection:
        for table, column in (
            ("activity_count", "learners"),
            ("month_count", "learners"),
            ("award_count", "holders"),
        ):
            left = connection.execute(text(f"SELECT {column} FROM {table}")).scalars().all()
            assert not any(person.bytes in bytes(each) for each in left)
    assert shown(app) == (1, 6, 6, 6), "an erased person stays in totals"


def test_another_campus_reads_no_stored_count(anywhere: App) -> None:
    app = anywhere
    app.award(*PEOPLE)
    recount(app)
    app.record("Nina Blanc")
    if app.owner.dialect.name != "postgresql":
        pytest.skip("SQLite has no row-level security")
    with app.process.visit(reading=True, campus_id=app.other_campus.id) as services:
        connection = services.stores.session.connection()
        for table in (*STORED, *MARKS):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 0, table


def test_figures_read_no_large_table_from_end_to_end(anywhere: App) -> None:
    """On small tables a planner may prefer a scan, so scans are disabled."""
    app = anywhere
    app.award(*PEOPLE)
    recount(app)
    asked: list[tuple[str, object]] = []
    with app.process.visit(reading=True, campus_id=app.campus.id) as services:
        connection = services.stores.session.connection()
        is_sqlite = connection.dialect.name == "sqlite"
        if not is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        event.listen(
            connection,
            "before_cursor_execute",
            lambda _c, _u, statement, values, *_: asked.append((statement, values)),
        )
        services.reports.figures(app.campus, Period.civil(2026))
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
