"""Yearly figures among a million participations of eight campuses: `python -m bench.at_scale.reports [sqlite] [postgresql]`.

PARTICIPATIONS=100000 for fewer. The largest campus has a third of them; four years; four activities of a person on
average; a tenth of the activities of two campuses; six awards for ten participations. Log lines are ten times as
many, on PostgreSQL alone. Pages are asked for whole, through the application, at different campuses and periods.
"""

from __future__ import annotations

import os
import random
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from app.container import Services
from app.container.process import collect_rarely
from app.db.engine.session import upgrade
from app.db.engine.writes import insert_values
from app.domain.activities import (
    Activity,
    ActivityCampus,
    ActivityKind,
    ActivitySession,
    Attendance,
    Participation,
    PartKind,
)
from app.domain.activity_log.recovery import Frame
from app.domain.awards import Award, AwardState, Visibility
from app.domain.badges import Badge, BadgeKind, BadgeVersion
from app.domain.campus.campus import Campus, Network
from app.domain.people import Membership, Person, Role
from app.domain.reports.facts import (
    ActivityAudience,
    ActivityEstablishment,
    ActivityFacts,
    ActivityObjective,
    ActivityOrganisation,
    ActivitySurvey,
    Audience,
    OrganisationPart,
    OrganisationType,
    ReportObjective,
)
from app.domain.reports.ledger import ParticipationTombstone
from app.domain.reports.network import Topic
from tests.support.app import COMMAND, NOON, App, build_app
from tests.support.databases.engines import as_application, restricted_role
from tests.support.databases.postgres import database_of_this_run, server_url

PARTICIPATIONS = int(os.environ.get("PARTICIPATIONS", "1000000"))
SHARES = (0.33, 0.2, 0.15, 0.1, 0.08, 0.06, 0.05, 0.03)
YEARS = (2023, 2024, 2025, 2026)
A_BLOCK = 20_000
BADGES = 30
UAIS = ("0710012C", "0750654D", "0210015C", "0251234A")


def main(names: list[str]) -> int:
    collect_rarely()  # as every server process does
    print(f"{PARTICIPATIONS:,} participations at {len(SHARES)} campuses over {len(YEARS)} years")
    for name, opened in (("SQLite", _sqlite), ("PostgreSQL", database_of_this_run)):
        if names and name.lower() not in names:
            continue
        with TemporaryDirectory(prefix="sceau-bench-") as folder, opened() as url:
            if url is None:
                print("without PostgreSQL: none is installed")
                continue
            app = build_app(_migrated(url), Path(folder))
            try:
                fill(app)
                measure(name, app)
            finally:
                app.close()
    return 0


def _migrated(url: str) -> str:
    """As the application connects: on PostgreSQL, as a role that row-level security restricts."""
    if not url.startswith("postgresql"):
        upgrade(url)
        return url
    upgrade(url, granted_to=restricted_role(server_url()))
    return as_application(url)


@contextmanager
def _sqlite() -> Iterator[str]:
    with TemporaryDirectory(prefix="sceau-bench-") as folder:
        yield f"sqlite:///{folder}/sceau.sqlite"


# --- rows


class _Rows:
    """Waiting rows by table; written in the order of the tables."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._waiting: dict[Any, list[dict[str, Any]]] = {}

    def add(self, table: Any, /, **values: Any) -> uuid.UUID:
        columns = table.__table__.c
        full = {
            name: None if columns[name].nullable else _default(table, name) for name in table.model_fields
        }
        full |= values
        if "id" in full and full["id"] is None:
            full["id"] = uuid.uuid4()
        self._waiting.setdefault(table, []).append(full)
        return full.get("id")  # type: ignore[return-value]

    def write(self) -> None:
        for kind, rows in self._waiting.items():
            insert_values(self.session, kind, rows)
        self._waiting.clear()


def _default(kind: Any, name: str) -> Any:
    field = kind.model_fields[name]
    if name == "id":
        return None
    return field.get_default(call_default_factory=True) if not field.is_required() else None


def fill(app: App) -> None:
    begun = time.perf_counter()
    chosen = random.Random(18)  # noqa: S311 - not a secret
    with app.unit_of_work() as services:
        campuses = _campuses(services, app)
    with Session(app.owner) as session:
        rows = _Rows(session)
        people = _people(rows, chosen)
        badges, objectives = _badges(rows, campuses, chosen), _objectives(rows, campuses)
        rows.write()
        session.commit()
        for place, campus in enumerate(campuses):
            for year in YEARS:
                count = int(PARTICIPATIONS * SHARES[place] / len(YEARS))
                pool = _pool(people, place)
                _year(
                    rows,
                    chosen,
                    campus,
                    campuses,
                    year,
                    count,
                    pool,
                    badges[campus.id],
                    objectives[campus.id],
                )
                rows.write()
                session.commit()
    print(f"  filled in {time.perf_counter() - begun:.0f} s", flush=True)
    if app.owner.dialect.name == "postgresql":
        _log(app, campuses)
    with app.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if app.owner.dialect.name == "postgresql" else "ANALYZE"))
    print(f"  ready after {time.perf_counter() - begun:.0f} s", flush=True)


def _campuses(services: Services, app: App) -> list[Campus]:
    campuses = [app.campus, app.other_campus]
    for number in range(2, len(SHARES)):
        campus = Campus(
            slug=f"c{number}", short_name=f"C{number}", name=f"Campus {number}", did="", contact_email="c@exemple.fr",
            created_at=NOON,
        )  # fmt: skip
        campuses.append(services.campuses.create(campus, by=COMMAND))
    network = services.campuses.create_network(Network(slug="pole", name="Pôle"), campuses, by=COMMAND)
    for campus in campuses:
        services.network_reports.share(campus, network.slug, list(Topic), by=COMMAND)
        if campus.id != app.campus.id:
            services.stores.session.add(
                Membership(person_id=app.admin.id, campus_id=campus.id, role=Role.CAMPUS_ADMIN, since=NOON)
            )
    return campuses


def _people(rows: _Rows, chosen: random.Random) -> list[uuid.UUID]:
    found = []
    for number in range(max(100, PARTICIPATIONS // 4)):
        found.append(
            rows.add(
                Person, given_name=f"P{number % 997}", family_name=f"N{chosen.randrange(50_000)}", created_at=NOON,
                listed_as=f"n {number}",
            )
        )  # fmt: skip
        if len(found) % A_BLOCK == 0:
            rows.write()
    return found


def _pool(people: list[uuid.UUID], place: int) -> list[uuid.UUID]:
    """Its own people, and a twentieth of all."""
    first = int(sum(SHARES[:place]) * len(people))
    own = people[first : first + int(SHARES[place] * len(people))]
    return list(dict.fromkeys([*own, *people[: len(people) // 20]]))


def _badges(
    rows: _Rows, campuses: Iterable[Campus], chosen: random.Random
) -> dict[uuid.UUID, list[tuple[uuid.UUID, uuid.UUID, bool]]]:
    found: dict[uuid.UUID, list[tuple[uuid.UUID, uuid.UUID, bool]]] = {}
    for campus in campuses:
        for number in range(BADGES):
            badge = rows.add(Badge, campus_id=campus.id, slug=f"b{number}", created_at=NOON)
            version = rows.add(
                BadgeVersion, badge_id=badge, number=1, kind=BadgeKind.PARTICIPATION, name=f"Badge {number}",
                description="", criteria="", created_at=NOON,
                alignments=[{"framework": "rome", "code": f"H{number:04}", "name": "x", "version": "4"}],
            )  # fmt: skip
            found.setdefault(campus.id, []).append((badge, version, chosen.random() < 0.2))
    return found


def _objectives(rows: _Rows, campuses: Iterable[Campus]) -> dict[uuid.UUID, list[uuid.UUID]]:
    return {
        campus.id: [
            rows.add(ReportObjective, campus_id=campus.id, code=f"{axis}.{number}", title="Objectif")
            for axis in range(1, 7)
            for number in (1, 2)
        ]
        for campus in campuses
    }


def _year(
    rows: _Rows,
    chosen: random.Random,
    campus: Campus,
    campuses: list[Campus],
    year: int,
    count: int,
    pool: list[uuid.UUID],
    badges: list[tuple[uuid.UUID, uuid.UUID, bool]],
    objectives: list[uuid.UUID],
) -> None:
    left = count
    while left > 0:
        size = min(left, len(pool), max(4, int(chosen.lognormvariate(2.9, 0.9))))
        left -= size
        day = date(year, 1, 1) + timedelta(days=chosen.randrange(365))
        days = [day + timedelta(days=7 * number) for number in range(chosen.choice([1, 1, 1, 1, 1, 3]))]
        activity = rows.add(
            Activity, kind=chosen.choice(list(ActivityKind)), title=f"Atelier {chosen.randrange(10_000)}",
            starts_on=day, ends_on=days[-1], hours=chosen.choice([1.5, 3.0, 7.0]), created_at=NOON,
            declared_size=chosen.choice([None, size, size + 7]),
        )  # fmt: skip
        rows.add(ActivityCampus, activity_id=activity, campus_id=campus.id, position=0, accepted_at=NOON)
        if chosen.random() < 0.1:
            other = chosen.choice([each for each in campuses if each is not campus])
            rows.add(ActivityCampus, activity_id=activity, campus_id=other.id, position=1, accepted_at=NOON)
        _facts(rows, chosen, activity, size, objectives)
        held = [
            rows.add(ActivitySession, activity_id=activity, held_on=each, hours=2.0) for each in days
        ] if len(days) > 1 else []  # fmt: skip
        badge = chosen.choice(badges) if chosen.random() < 0.6 else None
        at = datetime(day.year, day.month, day.day, 15, tzinfo=NOON.tzinfo) + timedelta(
            days=chosen.randrange(8)
        )
        for person in chosen.sample(pool, size):
            _part(rows, chosen, activity, person, held, at)
            if badge is not None:
                _award(rows, chosen, campus, badge, person, activity, at)
        if sum(len(some) for some in rows._waiting.values()) > A_BLOCK:
            rows.write()


def _facts(
    rows: _Rows, chosen: random.Random, activity: uuid.UUID, size: int, objectives: list[uuid.UUID]
) -> None:
    rows.add(
        ActivityFacts, activity_id=activity, departement=chosen.choice(["71", "21", "25", "75", ""]), sector="naf:C",
        cancelled_at=NOON if chosen.random() < 0.03 else None,
    )  # fmt: skip
    for audience in chosen.sample(list(Audience), chosen.randint(1, 3)):
        rows.add(
            ActivityAudience,
            activity_id=activity,
            audience=audience,
            people=max(1, size // 3),
            women=size // 6,
        )
    for number in chosen.sample(range(400), chosen.randint(0, 3)):
        rows.add(
            ActivityOrganisation, activity_id=activity, name=f"Entreprise {number}", key=f"name:entreprise {number}",
            part=chosen.choice(list(OrganisationPart)), type=OrganisationType.COMPANY,
        )  # fmt: skip
    for number in chosen.sample(UAIS, chosen.randint(0, 2)):
        rows.add(ActivityEstablishment, activity_id=activity, number=number, name="Lycée")
    if chosen.random() < 0.3:
        rows.add(
            ActivitySurvey,
            activity_id=activity,
            asked=size,
            rather=size // 3,
            fully=size // 3,
            recommends=size // 2,
        )
    if chosen.random() < 0.8:
        rows.add(ActivityObjective, activity_id=activity, objective_id=chosen.choice(objectives))


def _part(
    rows: _Rows,
    chosen: random.Random,
    activity: uuid.UUID,
    person: uuid.UUID,
    held: list[uuid.UUID],
    at: datetime,
) -> None:
    part = chosen.choice([PartKind.LEARNER] * 9 + [PartKind.RESOURCE])
    if chosen.random() < 0.01:
        rows.add(ParticipationTombstone, activity_id=activity, holder=person, part=part)
        return
    entry = rows.add(
        Participation, activity_id=activity, person_id=person, line_key=str(person), part=part, recorded_at=at,
        is_present=chosen.random() < 0.95,
    )  # fmt: skip
    for session in held:
        if chosen.random() < 0.8:
            rows.add(Attendance, session_id=session, participation_id=entry, noted_at=at)


def _award(
    rows: _Rows,
    chosen: random.Random,
    campus: Campus,
    badge: tuple[uuid.UUID, uuid.UUID, bool],
    person: uuid.UUID,
    activity: uuid.UUID,
    at: datetime,
) -> None:
    revoked = at + timedelta(days=40) if chosen.random() < 0.03 else None
    rows.add(
        Award, campus_id=campus.id, badge_id=badge[0], version_id=badge[1], person_id=person, activity_id=activity,
        subject_id=uuid.uuid4(), awarded_at=at, valid_until=at + timedelta(days=1095) if badge[2] else None,
        revoked_at=revoked, state=AwardState.REVOKED if revoked else AwardState.ISSUED,
        claimed_at=at + timedelta(days=chosen.randrange(60)) if chosen.random() < 0.5 else None,
        visibility=Visibility.OPEN if chosen.random() < 0.15 else Visibility.CLOSED,
    )  # fmt: skip


def _log(app: App, campuses: list[Campus]) -> None:
    """Lines without meaning, so that the tables have their number of rows."""
    with app.unit_of_work() as services:
        logs = [services.activity_log.open(campus) for campus in campuses]
    with app.owner.begin() as connection:
        for log, share in zip(logs, SHARES, strict=True):
            last = log.size + int(PARTICIPATIONS * 10 * share)
            lines = "(log_id, number, kind, at, commitment, leaf_hash) SELECT :log, n, 'participation', :at, "
            connection.execute(
                text(
                    f"INSERT INTO log_entry {lines} sha256(n::text::bytea), sha256(n::text::bytea) "
                    "FROM generate_series(CAST(:first AS bigint), :last) n"
                ),
                {"log": log.id, "at": NOON, "first": log.size, "last": last - 1},
            )
            connection.execute(
                text("UPDATE campus_log SET size = :size WHERE id = :log"), {"size": last, "log": log.id}
            )
            # One frame for all of them: the process would otherwise catch up its recovery journal first.
            app.process.journal.append(Frame(log.campus_id, log.origin, log.size, last, NOON, {}))


# --- figures


def measure(name: str, app: App) -> None:
    slugs = _slugs()
    admin = app.client(app.admin)
    periods = ("2026", "2025", "2024-2025", "2025-01-01/2025-06-30")
    pages = [f"/gestion/{slug}/rapport?periode={key}" for slug in slugs for key in periods]
    if name != "as counted":
        _print(name, "dashboards, counted from the rows", [_timed(lambda: _get(admin, pages[-1]))])
        took = _timed(lambda: _recount(app))
        print(f"  {name}: counts of everything stored in {took:.1f} s", flush=True)
        took = _timed(lambda: _check(app))
        print(f"  {name}: compared with the rows in {took:.1f} s", flush=True)
    for what in ("first", "again"):
        times = {page: _timed(lambda page=page: _get(admin, page)) for page in pages}
        _print(name, f"dashboards, {what}", list(times.values()))
        largest = [took for page, took in times.items() if f"/{slugs[0]}/" in page]
        _print(name, f"dashboards of the largest campus, {what}", largest)
    _print(
        name,
        "one figure",
        [_timed(lambda s=s: _get(admin, f"/gestion/{s}/rapport/chiffres/apprenants")) for s in slugs],
    )
    years = [f"/reseau/pole/rapport?periode={key}" for key in ("2026", "2025", "2024-2025", "2024")]
    _print(name, "network", [_timed(lambda page=page: _get(admin, page)) for page in years * 2])
    here = f"/gestion/{slugs[0]}/rapport"
    _print(name, "report, as page", [_timed(lambda: _get(admin, f"{here}/annuel/2025"))])
    _print(name, "report, as PDF", [_timed(lambda: _get(admin, f"{here}/annuel/2025/rapport.pdf"))])


def _slugs() -> list[str]:
    return ["itip", "agt", *(f"c{number}" for number in range(2, len(SHARES)))]


def _recount(app: App) -> None:
    more = True
    while more:
        with app.unit_of_work() as services:
            more = services.reports.recount_some()


def _check(app: App) -> None:
    with app.unit_of_work(reading=True) as services:
        found = services.stores.report_counts.counts.check()
    assert not found.activities, found.activities[:3]
    assert not found.days, found.days[:3]


def _get(client: Any, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)


def _timed(do: Callable[[], object]) -> float:
    begun = time.perf_counter()
    do()
    return time.perf_counter() - begun


def _print(name: str, what: str, times: list[float]) -> None:
    ordered = sorted(times)
    median, high = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 for share in (0.5, 0.95))
    print(f"  {name}, {what}: p50 {median:,.0f} ms, p95 {high:,.0f} ms ({len(times)})", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
