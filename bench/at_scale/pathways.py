"""Pages of pathways among 10⁵ people on 50 pathways: `python -m bench.at_scale.pathways [sqlite] [postgresql]`.

Each page is asked for different people and different pathways, whole, through the application, and then again. One pathway in
fifty has a fifth of the people. Beside the elapsed time stands the processor time of the application and of the
database's own processes: on a shared machine it tells more.
"""

from __future__ import annotations

import os
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, insert, select, text

from app.db.engine.session import upgrade
from app.domain.activities import Activity, ActivityKind, Participation
from app.domain.awards import Award
from app.domain.campus.audit_log import Actor
from app.domain.frameworks.pathways import (
    ConditionKind,
    PathwayContent,
    PathwayEnrolment,
    PathwayStageState,
    ProposalState,
    StageCondition,
    StageState,
)
from app.domain.people import Person, name_in_lists
from app.services.frameworks.pathways import StageDraft
from tests.support.app import App, build_app
from tests.support.content.many_awards import FAMILY, GIVEN
from tests.support.databases.postgres import database_of_this_run

PEOPLE, PATHWAYS, ASKED, A_BLOCK = 100_000, 50, 150, 5_000
STAGES = tuple(f"e{number}" for number in range(1, 7))


def main(names: list[str]) -> int:
    print(f"{PEOPLE:,} people on {PATHWAYS} pathways; different people and pathways are asked for")
    for name, opened in (("SQLite", _sqlite), ("PostgreSQL", database_of_this_run)):
        if names and name.lower() not in names:
            continue
        with TemporaryDirectory(prefix="sceau-bench-") as folder, opened() as url:
            if url is None:
                print("without PostgreSQL: none is installed")
                continue
            upgrade(url)
            app = build_app(url, Path(folder))
            try:
                _measure(name, app, ProcessorClock(app))
            finally:
                app.close()
    return 0


@contextmanager
def _sqlite() -> Iterator[str]:
    with TemporaryDirectory(prefix="sceau-bench-") as folder:
        yield f"sqlite:///{folder}/sceau.sqlite"


class ProcessorClock:
    """Processor seconds of this process, and of PostgreSQL's processes for this database."""

    def __init__(self, app: App) -> None:
        self.engine = app.owner if app.owner.dialect.name == "postgresql" else None

    def __call__(self) -> float:
        return time.process_time() + sum(map(_used_by, self._backends()))

    def _backends(self) -> list[int]:
        if self.engine is None:
            return []
        with self.engine.connect() as connection:
            found = connection.execute(
                text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
            )
            return [pid for (pid,) in found]


def _used_by(pid: int) -> float:
    """From `/proc`, in ticks of ten milliseconds: read over many requests."""
    try:
        values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(values[11]) + int(values[12])) / os.sysconf("SC_CLK_TCK")


def _measure(name: str, app: App, clock: ProcessorClock) -> None:
    begun = time.perf_counter()
    paths, learners = _fill(app)
    print(f"{name}: filled in {time.perf_counter() - begun:.0f} s", flush=True)
    chosen = random.Random(7)  # noqa: S311 - not a secret
    people = chosen.sample(learners, ASKED)
    trainer = app.client(app.trainer)
    with app.unit_of_work(reading=True) as services:
        found = services.stores.people.list_by_id([person for person, _ in people])
    clients = {person.id: app.client(person) for person in found}

    def measure(what: str, asked: Sequence[Callable[[], object]]) -> None:
        """Each asked for the first time, then all of them again."""
        for words in (f"{what}, first time", f"{what}, again"):
            begun, times = clock(), []
            for each in asked:
                at, used = time.perf_counter(), time.process_time()
                each()
                times.append((time.perf_counter() - at, time.process_time() - used))
            _print(name, words, times, (clock() - begun) / len(asked))

    measure(
        "a learner's page",
        [partial(_get, clients[person], f"/mes-badges/parcours/{path}") for person, path in people],
    )
    here = "/gestion/itip/parcours"
    queries = ("", "?etape=e3&etat=open", "?attente=oui", "?nom=martin", "?version=1&page=3")
    some = [(paths[at % PATHWAYS], queries[at % len(queries)]) for at in range(ASKED // 2)]
    measure(
        "a trainer's overview",
        [partial(_get, trainer, f"{here}/{path}/suivi{query}") for path, query in some],
    )
    large = [(paths[0], queries[at % len(queries)]) for at in range(40)]
    measure(
        f"the same of {PEOPLE // 5:,} people",
        [partial(_get, trainer, f"{here}/{path}/suivi{query}") for path, query in large],
    )
    with app.unit_of_work() as services:
        ids = [each.enrolment_id for each in _enrolments(services.stores.session.connection(), 200)]
        used = time.process_time()
        services.pathway_followers.refresh(ids)
    print(
        f"  the worker computes 200 people again: {(time.process_time() - used) * 1000:.0f} ms of processor"
    )


def _get(client: Any, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200, answer.status_code


def _print(name: str, what: str, times: list[tuple[float, float]], mean: float) -> None:
    elapsed, used = [*map(sorted, zip(*times, strict=True))]
    shown = [
        f"{label} p50 {_at(some, 0.5):.1f} ms, p95 {_at(some, 0.95):.1f} ms, most {some[-1] * 1000:.1f} ms"
        for label, some in (("elapsed", elapsed), ("processor of the application", used))
    ]
    print(
        f"  {name}, {what} ({len(times)} requests): {'; '.join(shown)}; with the database {mean * 1000:.1f} ms on average",
        flush=True,
    )


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[int(len(ordered) * share)] * 1000


# --- rows


def _fill(app: App) -> tuple[list[uuid.UUID], list[tuple[uuid.UUID, uuid.UUID]]]:
    paths = [_draw(app, number) for number in range(PATHWAYS)]
    activities = [_activity(app, number) for number in range(40)]
    model = app.award("Modèle Zoé;modele@exemple.fr").lines[0].award_id
    badges = [(each.badge.id, each.version.id) for each in (app.presence, app.role, app.long_haul)]
    learners: list[tuple[uuid.UUID, uuid.UUID]] = []
    award = select(Award.__table__).where(Award.__table__.c.id == model)  # type: ignore[attr-defined]
    with app.owner.connect() as connection:
        row = dict(connection.execute(award).mappings().one())
    # Without checks of foreign keys: in one transaction PostgreSQL plans them on empty tables, and reads whole ones.
    for start in range(0, PEOPLE, A_BLOCK):
        with app.owner.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SET LOCAL session_replication_role = replica"))
            learners += _block(connection, app, start, paths, activities, badges, row)
    with app.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    return paths, learners


def _draw(app: App, number: int) -> uuid.UUID:
    """Six stages: badges, hours, kinds of activities, a choice, a decision."""
    presence, role, long_haul = (each.badge.id for each in (app.presence, app.role, app.long_haul))
    with app.unit_of_work() as services:
        by, paths = Actor(app.admin.id), services.pathways
        path = paths.create(app.campus, PathwayContent(f"Parcours {number}"), by=by)
        hours = StageCondition(ConditionKind.HOURS, 10, kinds=(ActivityKind.WORKSHOP, ActivityKind.PROJECT))
        seen = StageCondition(ConditionKind.DECISION, text="Un poste tenu devant du public.")
        for draft in (
            StageDraft("Venir", badge_ids=(presence,)),
            StageDraft(
                "Deux des trois", badge_ids=(presence, role, long_haul), least_badges=2, after=("e1",)
            ),
            StageDraft("Des heures", others=(hours,), after=("e2",), choice="A"),
            StageDraft("Tenir un poste", others=(seen,), after=("e2",), choice="A"),
            StageDraft(
                "Trois activités", others=(StageCondition(ConditionKind.ACTIVITIES, 3),), after=("e1",)
            ),
            StageDraft("Une semaine", badge_ids=(long_haul,), after=("e3", "e5")),
        ):
            paths.save_stage(app.campus, path.id, "", draft, by=by)
        paths.describe(app.campus, path.id, title=f"Parcours {number}", summary="", badge_id=role, by=by)
        paths.publish(app.campus, path.id, by=by)
        return path.id


def _activity(app: App, number: int) -> uuid.UUID:
    day = date(2026, 1, 5) + timedelta(days=number * 7)
    with app.unit_of_work() as services:
        activity = Activity(
            kind=list(ActivityKind)[number % 5], title=f"Atelier {number}", starts_on=day, ends_on=day, hours=3
        )  # fmt: skip
        return services.activities.create(activity, [app.campus], by=Actor(app.admin.id)).id


def _block(
    connection: Connection,
    app: App,
    start: int,
    paths: list[uuid.UUID],
    activities: list[uuid.UUID],
    badges: list[tuple[uuid.UUID, uuid.UUID]],
    award: dict[str, Any],
) -> list[tuple[uuid.UUID, uuid.UUID]]:
    people, awards, parts, enrolments, states, found = [], [], [], [], [], []
    for number in range(start, start + A_BLOCK):
        given, family = GIVEN[number % 10], f"{FAMILY[number * 7 % 11]} {number % 997}"
        person, at = uuid.uuid4(), app.clock() - timedelta(minutes=number)
        path = paths[0] if number % 5 == 0 else paths[1 + number % (PATHWAYS - 1)]
        people.append({
            "id": person, "given_name": given, "family_name": family, "created_at": at,
            "listed_as": name_in_lists(family, given),
        })  # fmt: skip
        reached = number % 4
        awards += [
            {**award, "id": uuid.uuid4(), "person_id": person, "subject_id": uuid.uuid4(), "badge_id": badge,
             "version_id": version, "awarded_at": at, "batch_id": None, "once_key": None}
            for badge, version in badges[:reached]
        ]  # fmt: skip
        parts += [
            {"id": uuid.uuid4(), "activity_id": activities[(number + step) % 40], "person_id": person,
             "line_key": f"{person}/{step}", "part": "apprenant", "recorded_at": at}
            for step in range(3)
        ]  # fmt: skip
        enrolment = uuid.uuid4()
        enrolments.append({
            "id": enrolment, "pathway_id": path, "campus_id": app.campus.id, "person_id": person, "listed_as": name_in_lists(family, given), "number": 1,
            "joined_at": at, "changed_at": at, "checked_at": app.clock(), "stale_at": None,
            "proposal": ProposalState.NONE, "proposed_at": None, "reason": "", "decided_by": None,
        })  # fmt: skip
        states += [
            {"enrolment_id": enrolment, "stage": stage, "pathway_id": path, "campus_id": app.campus.id,
             "state": list(StageState)[0 if at_stage < reached else 1 if at_stage == reached else 2],
             "is_needed": True, "since": at}
            for at_stage, stage in enumerate(STAGES)
        ]  # fmt: skip
        found.append((person, path))
    for table, rows in (
        (Person, people),
        (Award, awards),
        (Participation, parts),
        (PathwayEnrolment, enrolments),
        (PathwayStageState, states),
    ):
        connection.execute(insert(table), rows)  # type: ignore[arg-type]
    return found


def _enrolments(connection: Connection, count: int) -> list[Any]:
    table = PathwayStageState.__table__  # type: ignore[attr-defined]
    return list(connection.execute(select(table.c.enrolment_id).where(table.c.stage == "e1").limit(count)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
