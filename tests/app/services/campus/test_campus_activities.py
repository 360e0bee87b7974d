"""The stored activities and counts of a campus match the rows, whatever program writes them."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from app.container import IntegrityRun
from app.db.engine import session
from app.domain.activities import CampusActivity
from app.domain.campus.audit_log import Actor
from app.domain.campus.registers import ActivityFilter, ActivitySort
from app.services.campus.registers import Start
from tests.support.app import NOON, App, build_app
from tests.support.databases.engines import as_owner, autocommitting

pytestmark = pytest.mark.both_engines

ADA, ZOE, EVE = "Ada Martin;ada@exemple.fr", "Zoé Petit;zoe@exemple.fr", "Ève Roy;eve@exemple.fr"
AT = "'2026-11-24 12:00:00+00'"


@pytest.fixture
def anywhere(database_url: str, tmp_path: Path) -> Iterator[App]:
    built = build_app(database_url, tmp_path)
    yield built
    built.close()


def write(app: App, *statements: str) -> None:
    """Write as a program of an earlier release, which does not know the table."""
    with app.owner.begin() as connection:
        for each in statements:
            connection.execute(text(each))


def agrees(app: App) -> bool:
    """Whether stored activities and counts match the rows."""
    with app.unit_of_work(reading=True) as services:
        services.stores.tenant_scope.bypass()
        return not services.stores.campus_activities.check().campuses


def counts(app: App, *, other: bool = False) -> dict[str, tuple[int, int, int]]:
    """The numbers in the register: people, valid badges, claimed."""
    campus = app.other_campus if other else app.campus
    with app.process.visit(reading=True, campus_id=campus.id, person_id=app.admin.id) as services:
        register, wanted = services.activity_register, ActivityFilter(NOON.replace(tzinfo=None))
        found = register.page(campus, wanted, Start(), ActivitySort.TITLE, descending=False)
        assert register.count(campus, wanted) == len(found)
        counted = register.counts(campus, found)
    return {each.title: tuple(counted[each.id])[:3] for each in found}  # type: ignore[misc]


def check_faults(app: App) -> int:
    run = IntegrityRun(app.process)
    *_, check = run.run(run.begin(by=Actor.command("tests"), anew=True))
    return check.fault_count


def _shown(app: App, number: uuid.UUID) -> str:
    return number.hex if app.owner.dialect.name == "sqlite" else str(number)


class Changes:
    """Random changes of rows in transactions of one to three statements."""

    def __init__(self, app: App, seed: int) -> None:
        self.app, self.draw = app, random.Random(seed)
        self.is_sqlite = app.owner.dialect.name == "sqlite"
        self.activities = [_shown(app, app.activity.id)]
        self.campuses = [_shown(app, each.id) for each in (app.campus, app.other_campus)]
        self.kinds: tuple[Callable[[], str], ...] = (
            self._attends, self._is_removed, self._moves, self._is_copied, self._award_stands, self._award_moves,
            self._campus_comes, self._campus_goes, self._campus_decides, self._activity_is_edited,
        )  # fmt: skip

    def add_activity(self) -> None:
        number = _shown(self.app, uuid.uuid4())
        with self.app.owner.begin() as connection:
            _copy(connection, "activity", f"id = '{self.activities[0]}'", id=f"'{number}'")
        self.activities.append(number)

    def some(self) -> list[str]:
        return [self.draw.choice(self.kinds)() for _ in range(self.draw.randint(1, 3))]

    def _one_of(self, table: str) -> str:
        """Or several, or none."""
        cut = self.draw.randint(0, 15)
        return f"substr(CAST({table}.id AS text), 1, 1) {self.draw.choice(('<', '>='))} '{cut:x}'"

    def _bool(self) -> str:
        is_true = self.draw.random() < 0.5
        return str(int(is_true)) if self.is_sqlite else str(is_true).lower()

    def _attends(self) -> str:
        return f"UPDATE participation SET is_present = {self._bool()} WHERE {self._one_of('participation')}"

    def _is_removed(self) -> str:
        return f"DELETE FROM participation WHERE batch_id IS NULL AND {self._one_of('participation')}"

    def _moves(self) -> str:
        to = self.draw.choice(self.activities)
        taken = f"SELECT q.person_id FROM participation q WHERE q.activity_id = '{to}'"
        one = f"SELECT min(CAST(id AS text)) FROM participation WHERE person_id NOT IN ({taken})"
        return f"UPDATE participation SET activity_id = '{to}' WHERE CAST(id AS text) = ({one})"

    def _is_copied(self) -> str:
        to = self.draw.choice(self.activities)
        new = "lower(hex(randomblob(16)))" if self.is_sqlite else "gen_random_uuid()"
        return (
            "INSERT INTO participation (id, activity_id, person_id, line_key, part, contribution, recorded_at, is_present) "
            f"SELECT {new}, '{to}', p.id, CAST(p.id AS text), 'apprenant', '', p.created_at, {self._bool()} FROM person p "
            f"WHERE {self._one_of('p')} AND p.id NOT IN (SELECT person_id FROM participation WHERE activity_id = '{to}')"
        )

    def _award_stands(self) -> str:
        changes = self.draw.choice(
            (
                "state = 'issued', revoked_at = NULL, revoked_reason = '', undone_at = NULL",
                f"state = 'revoked', revoked_at = {AT}, revoked_reason = 'x', undone_at = NULL",
                f"state = 'revoked', revoked_at = {AT}, revoked_reason = 'x', undone_at = {AT}",
                f"claimed_at = {AT}",
                "claimed_at = NULL",
            )
        )
        return f"UPDATE award SET {changes} WHERE {self._one_of('award')}"

    def _award_moves(self) -> str:
        column, values = self.draw.choice(
            (("activity_id", [*self.activities, None]), ("campus_id", self.campuses))
        )
        to = self.draw.choice(values)
        value = f"'{to}'" if to else "NULL"
        return f"UPDATE award SET {column} = {value} WHERE {self._one_of('award')}"

    def _pair(self) -> tuple[str, str]:
        return self.draw.choice(self.activities), self.draw.choice(self.campuses)

    def _campus_comes(self) -> str:
        (activity, campus), accepted = self._pair(), self.draw.choice((AT, "NULL"))
        return (
            "INSERT INTO activity_campus (activity_id, campus_id, position, accepted_at) "
            f"VALUES ('{activity}', '{campus}', 1, {accepted}) ON CONFLICT DO NOTHING"
        )

    def _campus_goes(self) -> str:
        activity, campus = self._pair()
        return f"DELETE FROM activity_campus WHERE activity_id = '{activity}' AND campus_id = '{campus}'"

    def _campus_decides(self) -> str:
        (activity, campus), value = self._pair(), self.draw.choice((AT, "NULL"))
        column = self.draw.choice(("accepted_at", "closed_at"))
        return f"UPDATE activity_campus SET {column} = {value} WHERE activity_id = '{activity}' AND campus_id = '{campus}'"

    def _activity_is_edited(self) -> str:
        changes = self.draw.choice(
            (
                "title = 'Œuvre ' || title, place = ''", "title = 'Éclair', place = 'À Évry'", "hours = 2.5, audience = ''",
                "starts_on = '2026-01-02', ends_on = '2026-01-03', start_time = NULL", "declared_size = 12, audience = 'tous'",
            )
        )  # fmt: skip
        return f"UPDATE activity SET {changes} WHERE {self._one_of('activity')} AND length(title) < 100"


def _copy(connection: Connection, table: str, where: str, **values: str) -> None:
    columns = list(connection.execute(text(f"SELECT * FROM {table} LIMIT 0")).keys())
    shown = ", ".join(values.get(each, each) for each in columns)
    connection.execute(
        text(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {shown} FROM {table} WHERE {where}")
    )


def test_counts_equal_a_recount_after_every_change_in_any_order(anywhere: App) -> None:
    app = anywhere
    app.award(ADA, ZOE)
    app.award(EVE, badge=app.role, evidence="A aidé trois groupes.")
    for seed in range(6):
        changes = Changes(app, seed)
        for _ in range(3):
            changes.add_activity()
        for step in range(25):
            statements = changes.some()
            write(app, *statements)
            assert agrees(app), (seed, step, statements)


def test_register_matches_the_rows_until_the_campus_leaves(anywhere: App) -> None:
    app = anywhere
    app.record(ADA, ZOE, EVE)
    app.award(ADA, ZOE)
    title = app.activity.title
    assert counts(app) == {title: (3, 2, 0)}
    write(
        app,
        f"UPDATE award SET claimed_at = {AT} WHERE person_id = (SELECT id FROM person WHERE given_name = 'Ada')",
    )
    assert counts(app) == {title: (3, 2, 1)}
    pair = f"'{_shown(app, app.activity.id)}', '{_shown(app, app.other_campus.id)}'"
    write(app, f"INSERT INTO activity_campus (activity_id, campus_id, position) VALUES ({pair}, 1)")
    assert counts(app, other=True) == {}, "invited, not there"
    write(app, f"UPDATE activity_campus SET accepted_at = {AT}")
    assert counts(app, other=True) == {title: (3, 0, 0)}, "badges of the other campus are not its own"
    write(app, "DELETE FROM activity_campus WHERE position = 1")
    assert (counts(app, other=True), counts(app)) == ({}, {title: (3, 2, 1)})


def test_nightly_check_names_the_campus_of_a_wrong_count_and_repairs_it(anywhere: App) -> None:
    app = anywhere
    app.award(ADA)
    before = counts(app)
    for change in ("UPDATE campus_activity SET people = 9, words = 'x'", "DELETE FROM campus_activity"):
        write(app, change)
        assert check_faults(app) == 1
        assert counts(app) == before
    assert check_faults(app) == 0
    assert agrees(app)


def test_migration_down_and_up_stores_what_there_was(anywhere: App, database_url: str) -> None:
    app = anywhere
    app.award(ADA, ZOE)
    before = counts(app)
    app.process.engine.dispose()
    session.downgrade(as_owner(database_url), "0133")
    session.upgrade(as_owner(database_url))
    assert counts(app) == before == {app.activity.title: (2, 2, 0)}
    assert agrees(app)
    app.record(EVE)
    assert counts(app)[app.activity.title][0] == 3


@pytest.mark.postgres
def test_migration_plans_with_statistics_after_a_restore(postgres_url: str, tmp_path: Path) -> None:
    """`pg_restore` leaves none: the planner would read all awards of a campus for each of its activities.

    Of an empty table (`external_id`) none are made.
    """
    app = build_app(postgres_url, tmp_path)
    try:
        app.award(ADA, ZOE)
        app.process.engine.dispose()
        session.downgrade(as_owner(postgres_url), "0133")
        session.upgrade(as_owner(postgres_url))
        read = ("activity", "activity_campus", "award", "participation", "person")
        with app.owner.connect() as connection:
            found = connection.execute(
                text("SELECT relname FROM pg_class WHERE relname = ANY(:read) AND reltuples >= 0"),
                {"read": [*read, "external_id"]},
            )
            assert sorted(found.scalars()) == sorted(read)
    finally:
        app.close()


@pytest.mark.postgres
def test_another_campus_reads_and_writes_no_stored_activity(postgres_url: str, tmp_path: Path) -> None:
    app = build_app(postgres_url, tmp_path)
    app.award(ADA)
    for campus, seen in ((app.campus, 1), (app.other_campus, 0)):
        with app.process.visit(campus_id=campus.id, person_id=app.admin.id) as services:
            rows = services.stores.session.execute(text("SELECT campus_id FROM campus_activity")).all()
            assert [row[0] for row in rows] == [campus.id] * seen
            changed = services.stores.session.execute(text("UPDATE campus_activity SET people = people"))
            assert changed.rowcount == seen  # type: ignore[attr-defined]
    app.close()


@pytest.mark.postgres
def test_campus_that_accepts_while_others_write_counts_them(postgres_url: str, tmp_path: Path) -> None:
    app = build_app(postgres_url, tmp_path)
    app.award(ADA, ZOE)
    pair = f"'{app.activity.id}', '{app.other_campus.id}'"
    accepting = f"INSERT INTO activity_campus (activity_id, campus_id, position, accepted_at) VALUES ({pair}, 1, {AT})"
    writing = "UPDATE participation SET is_present = false"
    claiming = f"UPDATE award SET claimed_at = {AT}"
    for first, second in (
        (writing, accepting),
        (accepting, writing),
        (claiming, accepting),
        (accepting, claiming),
    ):
        with autocommitting(as_owner(postgres_url)) as one, autocommitting(as_owner(postgres_url)) as two:
            one.exec_driver_sql("BEGIN")
            one.exec_driver_sql(first)
            with ThreadPoolExecutor(1) as beside:
                waiting = beside.submit(two.exec_driver_sql, second)
                one.exec_driver_sql("SELECT pg_sleep(0.2)")
                one.exec_driver_sql("COMMIT")
                waiting.result(timeout=60)
        assert agrees(app), (first, second)
        write(
            app,
            "DELETE FROM activity_campus WHERE position = 1",
            "UPDATE participation SET is_present = true",
        )
        write(app, "UPDATE award SET claimed_at = NULL")
    app.close()


def test_stored_activity_goes_with_its_activity(anywhere: App) -> None:
    app = anywhere
    with app.unit_of_work() as services:
        services.stores.tenant_scope.bypass()
        assert services.stores.session.get(CampusActivity, (app.activity.id, app.campus.id)) is not None
    write(
        app,
        "DELETE FROM activity_campus", "DELETE FROM activity_trainer", "DELETE FROM activity_badge",
    )  # fmt: skip
    assert counts(app) == {}
