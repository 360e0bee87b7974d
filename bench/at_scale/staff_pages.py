"""A million awards of thirty campuses on PostgreSQL behind row-level security, for `bench.at_scale.staff_times`.

`python -m bench.at_scale.staff_pages build FOLDER` makes a database (named by NAME) and fills it with rows; `drop FOLDER` drops
it; `copy FOLDER OTHER` writes the same rows into a SQLite database. AWARDS=100000 for fewer. Rows are inserted by PostgreSQL itself: 0.3 people, 1.2 participations, 0.06
activities, one credential, letter, slot, line of history and 2.2 log lines for an award. The largest campus has 29
of 100 people, the second 12, twenty-five have 1.6 each.
"""

# ruff: noqa: S301, S608 - files and names of our own
from __future__ import annotations

import os
import pickle
import random
import shutil
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import fields
from itertools import accumulate
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, event, insert, text
from sqlalchemy.engine import make_url
from sqlmodel import select

from app.adapters.accounts import NoLimits
from app.container import Process
from app.container.process import collect_rarely
from app.db.activities import campus_activities
from app.db.campus import people
from app.db.engine.row_level_security import METADATA
from app.db.engine.session import open_engine, upgrade
from app.db.reports.marks import mark_everything
from app.domain.activity_log.recovery import Frame
from app.domain.campus.campus import Campus
from app.domain.core import plain_text
from app.domain.people import Membership, Role
from app.settings import Settings
from tests.support import app as apps
from tests.support.databases import engines
from tests.support.databases.postgres import server_url

AWARDS = int(os.environ.get("AWARDS", "1000000"))
ACTIVITIES, PEOPLE = AWARDS * 6 // 100, AWARDS * 3 // 10
SHARES = (0.29, 0.12, 0.08, 0.06, 0.05, *(0.016,) * 25)
PARTS, GIVEN_OF_THEM = 20, 17
"""Participations in an activity, and awards."""
BADGES = 40
PARTS_OF_APP = [each.name for each in fields(apps.App)][3:]
"""Without its process, clock and messages."""


def main(arguments: list[str]) -> int:
    collect_rarely()  # as every server process does
    match arguments:
        case ["build", folder]:
            build(Path(folder))
        case ["copy", folder, other]:
            copy_to_sqlite(Path(folder), Path(other))
        case ["drop", folder]:
            url = make_url((Path(folder) / "url").read_text())
            with engines.autocommitting(server_url()) as connection:
                connection.exec_driver_sql(f'DROP DATABASE "{url.database}" WITH (FORCE)')
        case _:
            print(__doc__)
            return 2
    return 0


def build(folder: Path) -> None:
    name = os.environ.get("NAME") or f"sceau_bench_{uuid.uuid4().hex[:8]}"
    role = engines.restricted_role(server_url())
    with engines.autocommitting(server_url()) as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    url = make_url(server_url()).set(database=name).render_as_string(hide_password=False)
    upgrade(url, granted_to=role)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "url").write_text(engines.as_application(url))
    app = apps.build_app(engines.as_application(url), folder)
    app.award("Modèle Zoé;modele@exemple.fr")
    (folder / "app").write_bytes(pickle.dumps({name: getattr(app, name) for name in PARTS_OF_APP}))
    fill(app)
    app.close()


def copy_to_sqlite(folder: Path, other: Path) -> None:
    """Every row, those that triggers count too, so that no trigger has to run."""
    (other / "database").mkdir(parents=True)
    shutil.copytree(folder / "secrets", other / "secrets")
    shutil.copy(folder / "app", other / "app")
    url = f"sqlite:///{other.resolve()}/database/sceau.sqlite"
    (other / "url").write_text(url)
    upgrade(url)
    source, target = open_engine(engines.as_owner((folder / "url").read_text())), open_engine(url)
    event.listen(
        target,
        "connect",
        lambda made, _: made.executescript("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF"),
    )
    with source.connect() as there, target.connect() as here:
        drawn = there.execute(text("SELECT * FROM b_campus")).all()
        here.exec_driver_sql("CREATE TABLE b_campus (n, id CHAR(32), p0, people, t0, acts)")
        rows = [(each[0], each[1].hex, *each[2:]) for each in drawn]
        here.exec_driver_sql("INSERT INTO b_campus VALUES (?, ?, ?, ?, ?, ?)", rows)
        triggers = here.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
        for name, _ in triggers:
            here.exec_driver_sql(f"DROP TRIGGER {name}")
        for table in METADATA.sorted_tables:
            here.execute(table.delete())
            for some in there.execute(select(table).execution_options(yield_per=10_000)).partitions():
                here.execute(insert(table), [dict(row._mapping) for row in some])
        for _, statement in triggers:
            here.exec_driver_sql(statement)
        here.commit()
        here.exec_driver_sql("ANALYZE")
        here.commit()
    source.dispose()
    target.dispose()


def reopened(folder: Path) -> apps.App:
    clock, letters, url = apps.SettableClock(apps.NOON), apps.Letterbox(), (folder / "url").read_text()
    if url.startswith("sqlite"):
        upgrade(url)
    else:
        upgrade(engines.as_owner(url), granted_to=engines.restricted_role(server_url()))
    process = Process(
        Settings(base_url=apps.BASE_URL, database_url=url, development_dir=folder / "secrets", fetch=False),
        clock=clock,
        mailer=letters,
        limiter=NoLimits(),
    )
    return apps.App(process, clock, letters, **pickle.loads((folder / "app").read_bytes()))


# --- rows


def fill(app: apps.App) -> None:
    begun, campuses = time.perf_counter(), _campuses(app)
    with app.owner.connect() as connection:
        connection.exec_driver_sql(
            "SET session_replication_role = replica"
        )  # neither guards nor foreign keys
        connection.exec_driver_sql("SET maintenance_work_mem = '512MB'")
        for what, statement in _statements(connection, app, campuses):
            connection.execute(text(statement))
            connection.commit()
            print(f"  {time.perf_counter() - begun:5.0f} s {what}", flush=True)
    with app.owner.begin() as connection:
        for what, derive in _DERIVED.items():
            derive(connection)
            print(f"  {time.perf_counter() - begun:5.0f} s {what}", flush=True)
    with app.unit_of_work() as services:
        for campus in campuses:
            log = services.activity_log.open(campus)
            # One frame for all lines: the process would otherwise catch up its recovery journal first.
            app.process.journal.append(Frame(log.campus_id, log.origin, 0, log.size, apps.NOON, {}))
    more = True
    while more:
        with app.unit_of_work() as services:
            more = services.reports.recount_some()
    with app.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    print(f"  {time.perf_counter() - begun:5.0f} s ready", flush=True)


_DERIVED: Final = {
    "marks of reports": mark_everything,
    "people of campuses": people.fill,
    "activities of campuses": campus_activities.fill,
}
"""Tables that triggers keep in step elsewhere."""


def _campuses(app: apps.App) -> list[Campus]:
    campuses = [app.campus, app.other_campus]
    with app.unit_of_work() as services:
        for number in range(2, len(SHARES)):
            campus = Campus(
                slug=f"c{number}", short_name=f"C{number}", name=f"Campus {number}", did="",
                contact_email="c@exemple.fr", created_at=apps.NOON,
            )  # fmt: skip
            campuses.append(services.campuses.create(campus, by=apps.COMMAND))
        for campus in campuses:
            services.activity_log.open(campus)
            if campus.id != app.campus.id:
                services.stores.session.add(Membership(
                    person_id=app.admin.id, campus_id=campus.id, role=Role.CAMPUS_ADMIN, since=apps.NOON,
                ))  # fmt: skip
    return campuses


def _names() -> tuple[list[str], list[str]]:
    chosen = random.Random(19)  # noqa: S311 - not a secret
    starts = (
        "Mar",
        "Lef",
        "Dub",
        "Écr",
        "Bœu",
        "Gar",
        "Pet",
        "Ben",
        "Ngu",
        "Ould",
        "Wał",
        "Thi",
        "Rou",
        "Cha",
        "Ker",
    )
    middles = ("tin", "èvr", "ois", "ard", "ier", "nard", "yen", "ec", "ault", "erie", "ass", "ou")
    ends = ("", "e", "eau", "et", "on", "in", "ska", "ez", "ic")
    family = [a + b + c for a in starts for b in middles for c in ends]
    family += [f"Le {each}" for each in family[::7]]
    given = [
        a + b
        for a in ("Zo", "Ily", "An", "No", "Ha", "Éli", "Cam", "Sa", "Lu", "Ma")
        for b in ("é", "ès", "ne", "ël", "ïa", "ette", "ille", "cha", "cie", "rc")
    ]
    chosen.shuffle(family)
    return family, given


def _array(values: Sequence[object]) -> str:
    return "ARRAY[" + ", ".join("'" + str(each).replace("'", "''") + "'" for each in values) + "]"


def _like(connection: Connection, table: str, where: str, source: str, **values: str) -> str:
    """Inserts rows like the model row of a table; `values` are SQL expressions over `source`."""
    columns = [
        row[0] for row in connection.execute(
            text("SELECT column_name FROM information_schema.columns WHERE table_name = :table AND table_schema = 'public'"),
            {"table": table},
        )
    ]  # fmt: skip
    shown = ", ".join(values.get(each, f"m.{each}") for each in columns)
    model = f"(SELECT * FROM {table} WHERE {where} LIMIT 1) m"
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {shown} FROM {model}, {source}"


def _statements(
    connection: Connection, app: apps.App, campuses: Sequence[Campus]
) -> Iterator[tuple[str, str]]:
    family, given = _names()
    starts = [round(each * PEOPLE) for each in accumulate((0, *SHARES))]
    first = [round(each * ACTIVITIES) for each in accumulate((0, *SHARES))]
    rows = ", ".join(
        f"({n}, '{campus.id}'::uuid, {starts[n]}, {starts[n + 1] - starts[n]}, {first[n]}, {first[n + 1] - first[n]})"
        for n, campus in enumerate(campuses)
    )
    yield (
        "campuses",
        f"CREATE UNLOGGED TABLE b_campus AS SELECT * FROM (VALUES {rows}) v (n, id, p0, people, t0, acts)",
    )
    at = "timestamptz '2022-12-01 09:00+00' + (n * 4 * 365.0 / {of}) * interval '1 day'"
    yield (
        "names",
        f"CREATE UNLOGGED TABLE b_person AS SELECT n, md5('p' || n)::uuid AS id, ({_array(given)})[1 + n % {len(given)}] AS g, "
        f"({_array(family)})[1 + (n * 7919) % {len(family)}] AS f, ({_array([plain_text(e) for e in given])})[1 + n % {len(given)}] AS pg, "
        f"({_array([plain_text(e) for e in family])})[1 + (n * 7919) % {len(family)}] AS pf, {at.format(of=PEOPLE)} AS at "
        f"FROM generate_series(0::bigint, {PEOPLE - 1}) n",
    )
    admin = f"id = '{app.admin.id}'"
    yield "people", _like(
        connection, "person", admin, "b_person p",
        id="p.id", given_name="p.g", family_name="p.f", created_at="p.at", listed_as="p.pf || E'\\t' || p.pg",
    )  # fmt: skip
    yield "addresses", _like(
        connection, "person_address", "true", "b_person p",
        id="md5('e' || p.n)::uuid", person_id="p.id", address="'p' || p.n || '@exemple.fr'", is_main="true",
        name_key="p.pf || ' ' || p.pg",
    )  # fmt: skip
    yield (
        "identifiers of other systems",
        (
            "INSERT INTO external_id (campus_id, kind, value, person_id, given_at) SELECT c.id, 'person', 'E' || p.n, p.id, p.at "
            "FROM b_campus c JOIN b_person p ON p.n >= c.p0 AND p.n < c.p0 + c.people WHERE c.n % 2 = 0"
        ),
    )
    staff = "b_campus c CROSS JOIN LATERAL generate_series(0, CASE WHEN c.n = 0 THEN 149 ELSE 14 END) k"
    yield "staff", _like(
        connection, "membership", f"person_id = '{app.trainer.id}'", staff,
        id="md5('m' || c.n || '.' || k)::uuid", person_id="md5('p' || c.p0 + k)::uuid", campus_id="c.id",
    )  # fmt: skip
    badge, version = app.presence.badge.id, app.presence.version.id
    badges = f"b_campus c CROSS JOIN generate_series(0, {BADGES - 1}) k"
    yield "badges", _like(
        connection, "badge", f"id = '{badge}'", badges,
        id="md5('b' || c.n || '.' || k)::uuid", campus_id="c.id", slug="'b' || k",
    )  # fmt: skip
    yield "badge versions", _like(
        connection, "badge_version", f"id = '{version}'", badges,
        id="md5('v' || c.n || '.' || k)::uuid", badge_id="md5('b' || c.n || '.' || k)::uuid", name="'Savoir-faire ' || k",
    )  # fmt: skip
    yield (
        "activities, drawn",
        (
            "CREATE UNLOGGED TABLE b_activity AS SELECT a AS n, md5('t' || a)::uuid AS id, c.n AS cn, c.id AS campus_id, a - c.t0 AS place, "
            "c.p0, c.people, timestamptz '2022-12-01 09:00+00' + ((a - c.t0) * 4 * 365.0 / c.acts) * interval '1 day' AS at, "
            f"md5('b' || c.n || '.' || a % {BADGES})::uuid AS badge_id, md5('v' || c.n || '.' || a % {BADGES})::uuid AS version_id, "
            "md5('p' || c.p0 + a % CASE WHEN c.n = 0 THEN 150 ELSE 15 END)::uuid AS trainer "
            f"FROM generate_series(0::bigint, {ACTIVITIES - 1}) a JOIN b_campus c ON a >= c.t0 AND a < c.t0 + c.acts"
        ),
    )
    yield "activities", _like(
        connection, "activity", f"id = '{app.activity.id}'", "b_activity t",
        id="t.id", title="'Atelier ' || (t.n * 7919) % 9973", place="'Lieu ' || t.n % 211", starts_on="t.at::date",
        ends_on="t.at::date", created_at="t.at", declared_size=f"{PARTS} + t.n % 9",
    )  # fmt: skip
    organised = f"activity_id = '{app.activity.id}'"
    yield "organisers", _like(
        connection, "activity_campus", organised, "b_activity t",
        activity_id="t.id", campus_id="t.campus_id", position="0", accepted_at="t.at",
    )  # fmt: skip
    yield "organisers beside them", _like(
        connection, "activity_campus", organised,
        f"b_activity t JOIN b_campus o ON o.n = (t.cn + 1 + t.n % {len(SHARES) - 1}) % {len(SHARES)} WHERE t.n % 10 = 3",
        activity_id="t.id", campus_id="o.id", position="1", accepted_at="t.at",
    )  # fmt: skip
    yield (
        "trainers",
        "INSERT INTO activity_trainer (activity_id, person_id) SELECT id, trainer FROM b_activity",
    )
    yield (
        "badges of activities",
        "INSERT INTO activity_badge (activity_id, badge_id) SELECT id, badge_id FROM b_activity",
    )
    yield (
        "parts, drawn",
        (
            "CREATE UNLOGGED TABLE b_part AS SELECT t.*, k, CASE WHEN k = 19 THEN ((t.n * 104729) % greatest(t.people, 1) + t.p0 + t.people) "
            f"% {PEOPLE} ELSE t.p0 + (t.n * 7907 + k) % t.people END AS person_n FROM b_activity t CROSS JOIN generate_series(0, {PARTS - 1}) k"
        ),
    )
    yield "participations", _like(
        connection, "participation", "true", "b_part q",
        id="md5('q' || q.n || '.' || q.k)::uuid", activity_id="q.id", person_id="md5('p' || q.person_n)::uuid",
        line_key="'p' || q.person_n || '@exemple.fr|' || q.k", recorded_at="q.at", recorded_by="q.trainer",
        is_present="q.k <> 18", batch_id="NULL",
    )  # fmt: skip
    awards = f"b_part q WHERE q.k < {GIVEN_OF_THEM}"
    award_id = "md5('a' || q.n || '.' || q.k)::uuid"
    yield "awards", _like(
        connection, "award", "true", awards,
        id=award_id, campus_id="q.campus_id", badge_id="q.badge_id", version_id="q.version_id",
        person_id="md5('p' || q.person_n)::uuid", activity_id="q.id", subject_id="md5('s' || q.n || '.' || q.k)::uuid",
        awarded_at="q.at + interval '8 hours'", awarded_by="q.trainer", batch_id="NULL", once_key="NULL",
        claimed_at="CASE WHEN (q.n + q.k) % 2 = 0 THEN q.at + interval '3 days' END",
        visibility="CASE WHEN (q.n + q.k) % 7 = 0 THEN 'open' ELSE 'closed' END",
        state="CASE WHEN (q.n + q.k) % 37 = 0 THEN 'revoked' ELSE 'issued' END",
        revoked_at="CASE WHEN (q.n + q.k) % 37 = 0 THEN q.at + interval '40 days' END",
        valid_until="CASE WHEN q.n % 5 = 0 THEN q.at + interval '3 years' END",
    )  # fmt: skip
    yield (
        "credentials",
        _like(connection, "signed_credential", "true", awards, award_id=award_id, signed_at="q.at"),
    )
    yield "status lists", _like(
        connection, "status_list", "true", "b_campus c CROSS JOIN LATERAL generate_series(0, 3) k",
        id="md5('l' || c.n || '.' || k)::uuid", campus_id="c.id", used="0", closed_at="m.created_at",
    )  # fmt: skip
    place = f"(q.place * {GIVEN_OF_THEM} + q.k)"
    yield "slots", _like(
        connection, "status_slot", "true", awards,
        list_id=f"md5('l' || q.cn || '.' || {place} / 131072)::uuid", position=f"{place} % 131072", award_id=award_id,
    )  # fmt: skip
    yield "history", _like(
        connection, "history_entry", "action = 'award'", awards,
        id="nextval('history_entry_id_seq')", campus_id="q.campus_id", at="q.at + interval '8 hours'", actor_id="q.trainer",
        noun_id=award_id, facts="json_build_object('version', q.version_id)",
    )  # fmt: skip
    yield (
        "letters",
        (
            "INSERT INTO letter (id, envelope, campus_id, award_id, person_id, occasion, once_key, address, state, promised_at, not_before, "
            "attempts, reason, server_said, sent_at, attempted_at) SELECT md5('e' || q.n || '.' || q.k)::uuid, md5('e' || q.n || '.' || q.k)::uuid, "
            f"q.campus_id, {award_id}, md5('p' || q.person_n)::uuid, 'awarded', 'awarded/' || q.n || '.' || q.k, 'p' || q.person_n || '@exemple.fr', "
            f"'sent', q.at, q.at, 1, '', '250', q.at, q.at FROM {awards}"
        ),
    )
    each = PARTS + GIVEN_OF_THEM + 1
    logs = "JOIN campus_log l ON l.campus_id = q.campus_id"
    # A log starts anew at zero: these lines come in the place of the few that the house wrote.
    yield (
        "log, emptied",
        "DELETE FROM log_payload; DELETE FROM log_entry; DELETE FROM award_evidence; DELETE FROM change",
    )
    yield (
        "log, participations",
        (
            f"INSERT INTO log_entry (log_id, number, kind, at, commitment, leaf_hash) SELECT l.id, q.place * {PARTS + GIVEN_OF_THEM} + q.k, "
            f"'participation', q.at, sha256(q.n::text::bytea), sha256(q.k::text::bytea) FROM b_part q {logs}"
        ),
    )
    number = f"q.place * {PARTS + GIVEN_OF_THEM} + {PARTS} + q.k"
    yield (
        "log, awards",
        (
            f"INSERT INTO log_entry (log_id, number, kind, at, commitment, leaf_hash) SELECT l.id, {number}, 'award', q.at, "
            f"sha256(q.n::text::bytea), sha256(q.k::text::bytea) FROM b_part q {logs} WHERE q.k < {GIVEN_OF_THEM}"
        ),
    )
    facts = f"json_build_object('award', 'http://localhost:8000/attributions/' || {award_id}, 'credential', 'nbZzxXGC0RQy-_bmtJe1uyCNvUt_Hq9DKFml', 'entries', json_build_array(q.k), 'signingKey', 'WPXPj5LH0StS1i3n8KQZwjjt1LfJhTnZO1VSSz9hUT4')"
    yield (
        "log, facts of awards",
        (
            f"INSERT INTO log_payload (log_id, number, noun, noun_id, about_id, key, facts) SELECT l.id, {number}, 'award', {award_id}, "
            f"md5('p' || q.person_n)::uuid, sha256(q.n::text::bytea), {facts} FROM b_part q {logs} WHERE q.k < {GIVEN_OF_THEM}"
        ),
    )
    yield (
        "evidence",
        (
            f"INSERT INTO award_evidence (award_id, log_id, size, decision, entries, digest) SELECT {award_id}, l.id, {number} + 1, {number}, "
            f"json_build_array(q.place * {PARTS + GIVEN_OF_THEM} + q.k), 'uEiD0G4cl_csiYnWOb0d0eIcYKP4-fy-32Xg3749EGre7cQ' "
            f"FROM b_part q {logs} WHERE q.k < {GIVEN_OF_THEM}"
        ),
    )
    yield (
        "log heads",
        (
            "UPDATE campus_log l SET size = (SELECT coalesce(max(number) + 1, 0) FROM log_entry e WHERE e.log_id = l.id)"
        ),
    )
    yield (
        "feed heads",
        (
            "INSERT INTO change_head (campus_id, last, last_at, generation) SELECT id, 0, now(), '0badcafe' FROM b_campus ON CONFLICT DO NOTHING"
        ),
    )
    change = "INSERT INTO change (noun_id, campus_id, kind, number, first, at, removed, is_erased) SELECT "
    here = f"q.place * {each}"
    yield (
        "feed, awards",
        f"{change}{award_id}, q.campus_id, 'award', {here} + 20 + q.k, {here} + 20 + q.k, q.at, false, false FROM {awards}",
    )
    yield (
        "feed, parts",
        (
            f"{change}md5('q' || q.n || '.' || q.k)::uuid, q.campus_id, 'participation', {here} + q.k, {here} + q.k, q.at, false, false FROM b_part q"
        ),
    )
    yield (
        "feed, activities",
        f"{change}q.id, q.campus_id, 'activity', {here} + 37, {here} + 37, q.at, false, false FROM b_activity q",
    )
    yield (
        "feed, people",
        (
            f"{change}p.id, c.id, 'person', 10000000 + p.n, 10000000 + p.n, p.at, false, false FROM b_campus c JOIN b_person p "
            "ON p.n >= c.p0 AND p.n < c.p0 + c.people"
        ),
    )
    yield (
        "feed, heads",
        (
            "UPDATE change_head h SET last = coalesce((SELECT max(number) FROM change c WHERE c.campus_id = h.campus_id), 0)"
        ),
    )
    yield (
        "requests",
        (
            "INSERT INTO badge_request (id, campus_id, badge_id, person_id, given_name, family_name, address, language, narrative, links, entries, state, "
            "created_at, waiting_since, evidence) SELECT md5('r' || q.n || '.' || q.k)::uuid, q.campus_id, q.badge_id, md5('p' || q.person_n)::uuid, p.g, p.f, "
            "'p' || p.n || '@exemple.fr', 'fr', repeat('Ce que j’ai fait. ', 12), '[]', '[]', "
            "(ARRAY['waiting', 'accepted', 'accepted', 'refused', 'withdrawn', 'more'])[1 + q.n % 6], q.at, q.at, '' "
            "FROM b_part q JOIN b_person p ON p.n = q.person_n WHERE q.k = 2 AND q.n % 3 = 0"
        ),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
