"""A full or unavailable database is reported as an outage, writes nothing partial, and work continues afterwards."""

from __future__ import annotations

import errno
import os
import re
import shutil
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from time import monotonic, sleep
from typing import IO
from unittest.mock import Mock

import pytest
from fastapi.testclient import TestClient
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Connection, delete, event, false, text
from sqlalchemy.engine import make_url
from sqlmodel import Session

from app.container import DatabaseUnreachable, Process
from app.db.engine.queries import tell
from app.db.engine.session import can_write, open_engine
from app.db.engine.writes import cause_of, write_rows
from app.db.publishing import PostgresPublishedStore, published_store
from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.integration import Webhook
from app.domain.core import WorkerBeat
from app.main import create_app
from app.services.campus.webhooks import WebhookService
from app.settings import Settings
from tests.app.api.clients import V1, program
from tests.support.app import COMMAND, App, build_app, listed, send
from tests.support.databases.engines import as_owner, autocommitting
from tests.support.databases.postgres import server_url

NOBODY = uuid.UUID("b3f3b3f3-0000-4000-8000-000000000000")


def test_a_full_disk_is_an_outage_and_what_follows_works(sqlite_url: str, tmp_path: Path) -> None:
    app = build_app(sqlite_url, tmp_path)
    browser = app.client(app.trainer)
    path = f"/gestion/itip/activites/{app.activity.id}"
    letters = str.maketrans("0123456789", "ABCDEFGHIJ")
    people = "\n".join(f"KER{str(n).translate(letters)} Zoé;p{n}@exemple.fr" for n in range(400))

    room = [1.0]
    event.listen(app.process.engine, "begin", lambda connection: leave_room(connection, room[0]))
    room[0] = 0.0
    answer = send(browser, f"{path}/participants", {"liste": people}, seen_on=path)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "Rien n’a été enregistré" in answer.text
    assert recorded(app) == 0

    room[0] = 1.0
    with app.unit_of_work() as services:
        services.activities.record(
            app.campus,
            app.activity.id,
            listed(*people.splitlines()),
            by=Actor(person_id=app.trainer.id),
        )
    assert recorded(app) == 400
    app.close()


def leave_room(connection: Connection, share: float) -> None:
    """`share` 0 leaves not one new page; SQLite then fails as on a full disk."""
    pages = connection.execute(text("PRAGMA page_count")).scalar_one()
    connection.execute(text(f"PRAGMA max_page_count = {pages if share == 0 else 1_000_000}"))


def recorded(app: App) -> int:
    with app.unit_of_work(reading=True) as services:
        return len(services.activities.page(app.campus, app.activity.id).participants)


def test_a_database_out_of_reach_is_not_ready_and_not_a_fault(tmp_path: Path) -> None:
    settings = Settings(
        database_url="postgresql+psycopg://nobody@127.0.0.1:1/nowhere", development_dir=tmp_path, fetch=False
    )
    client = TestClient(create_app(process=Process(settings)), raise_server_exceptions=False)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["status"] == "not_ready"
    assert "ne répond pas" in answer.json()["problems"][0]


def test_server_that_accepts_and_never_answers_is_an_outage_in_seconds(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://nobody@127.0.0.1:{silent.getsockname()[1]}/nowhere?connect_timeout=2"
        process = Process(Settings(database_url=url, development_dir=tmp_path, fetch=False))
        client, begun = TestClient(create_app(process=process), raise_server_exceptions=False), monotonic()
        assert client.get("/health/ready").status_code == 503
        assert monotonic() - begun < 30


def test_connections_to_a_vanished_server_time_out() -> None:
    given = "postgresql+psycopg://nobody@127.0.0.1/nowhere?tcp_user_timeout=5000"
    engine, seen = open_engine(given), list[dict[str, str]]()

    # Engines of one kind share their dialect; the pool connects with its own.
    @event.listens_for(engine.pool._dialect, "do_connect")
    def note(_dialect: object, _record: object, _args: object, values: dict[str, str]) -> None:
        seen.append(values)
        raise OSError

    with suppress(OSError):
        engine.connect()
    (values,) = seen
    assert (values["connect_timeout"], values["keepalives_idle"]) == ("10", "30")
    assert values["tcp_user_timeout"] == "5000"
    store = published_store(engine, lambda: 0)
    assert isinstance(store, PostgresPublishedStore)
    assert conninfo_to_dict(store.conninfo)["connect_timeout"] == "10"


@contextmanager
def away(database_url: str) -> Iterator[None]:
    """The server refuses connections to this database and has ended the existing ones."""
    name = make_url(database_url).database
    with autocommitting(server_url()) as server:
        server.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
        try:
            cut_off(server, name)
            yield
        finally:
            server.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))


def cut_off(server: Connection, name: str | None) -> None:
    ended = text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name")
    server.execute(ended, {"name": name})


@pytest.mark.postgres
def test_unavailable_postgresql_is_no_internal_error_and_work_continues_afterwards(
    postgres_url: str, tmp_path: Path
) -> None:
    app = build_app(postgres_url, tmp_path)
    award = app.award("Zoé Martin;zoe@exemple.fr").lines[0].award_id
    with app.unit_of_work() as services:
        services.awards.set_visibility(award, Visibility.OPEN, by=COMMAND)
    browser, parts = (
        app.client(),
        {"slug": "itip", "award_id": str(award), "extension": "json", "number": "1"},
    )
    urls = sorted(
        {
            re.sub(r"{(\w+)(?::\w+)?}", lambda part: parts.get(part[1], str(NOBODY)), route.path)
            for route in browser.app.router.routes
            if "GET" in (getattr(route, "methods", None) or ())
        }
    )
    url = f"/attributions/{award}.json"
    assert browser.get(url).status_code == 200
    with away(postgres_url):
        for each in urls:
            for accepted in ("text/html", "application/json"):
                answer = browser.get(each, headers={"accept": accepted})
                assert answer.status_code != 500, each
                assert answer.status_code != 503 or int(answer.headers["retry-after"]) > 0, each
        assert browser.get(url).status_code == 503
    assert browser.get(url).status_code == 200
    assert browser.get("/health/ready").status_code == 200
    app.close()


def lose(session: Session) -> None:
    """The connection is cut off within its transaction."""
    connection = session.connection()
    pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    with autocommitting(server_url()) as server:
        server.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    connection.execute(text("SELECT 1"))


@pytest.mark.postgres
def test_connection_lost_within_a_wider_scope_is_reported_as_such(postgres_url: str, tmp_path: Path) -> None:
    app = build_app(postgres_url, tmp_path)
    for scope in ("across_campuses", "restored"):
        with (
            pytest.raises(DatabaseUnreachable),
            app.unit_of_work() as services,
            getattr(services.stores.tenant_scope, scope)(),
        ):
            lose(services.stores.session)
    app.close()


@pytest.mark.postgres
def test_request_that_goes_on_after_a_lost_connection_is_an_outage(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = build_app(postgres_url, tmp_path)

    def list_of(self: WebhookService, campus: Campus) -> list[Webhook]:
        with suppress(DatabaseUnreachable):
            lose(self.webhooks.session)
        return list(self.webhooks.list_of(campus.id))

    monkeypatch.setattr(WebhookService, "list_of", list_of)
    answer = program(app, "webhook:write").get(f"{V1}/webhooks")
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True), answer.text
    app.close()


@pytest.mark.postgres
def test_log_names_why_no_connection_was_made(postgres_url: str) -> None:
    """Without a code: the driver has none where the server refused, or nothing listens."""
    url = make_url(postgres_url)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        closed = probe.getsockname()[1]
    for elsewhere, cause in (
        (url.set(database="absent"), 'database "absent" does not exist'),
        (url.set(port=closed, host="127.0.0.1"), "OperationalError"),
    ):
        engine = open_engine(elsewhere.render_as_string(hide_password=False))
        with pytest.raises(DatabaseUnreachable) as raised:
            engine.connect()
        assert cause_of(raised.value) == cause
        engine.dispose()


@pytest.mark.parametrize("folder", ["database", "temporary"])
def test_process_with_little_disk_space_is_not_ready(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    app = build_app(sqlite_url, tmp_path)
    place = Path(gettempdir()) if folder == "temporary" else Path(str(make_url(sqlite_url).database)).parent
    usage = shutil.disk_usage(tmp_path)

    def nearly_full(where: Path) -> object:
        return usage._replace(free=1_000_000) if where.resolve() == place.resolve() else usage

    monkeypatch.setattr("app.container.health.shutil.disk_usage", nearly_full)
    answer = app.client().get("/health/ready")
    assert answer.status_code == 503
    assert [("TMPDIR" in each, "place" in each) for each in answer.json()["problems"]] == [
        (folder == "temporary", True)
    ]


def test_anchor_folder_that_does_not_answer_is_an_outage(sqlite_url: str, tmp_path: Path) -> None:
    """For example a network file system without its server, or a file instead of the folder."""
    app = build_app(sqlite_url, tmp_path)
    folder = app.process.anchors.folder
    badge = {"badge": str(app.presence.badge.id), "activity": str(app.activity.id), "everybody": True}
    api = program(app, "award:create", "activity:write")
    people = [{"given_name": "Zoé", "family_name": "Kerlec", "address": "zoe@exemple.fr"}]
    assert api.post(f"{V1}/activities/{app.activity.id}/participations", json=people).status_code == 200
    app.process.anchors.check_writable()
    folder.rename(aside := folder.with_name("aside"))
    folder.touch()
    answer = api.post(f"{V1}/awards", json=badge)
    assert (answer.status_code, "ancres" in answer.json()["detail"]) == (503, True), answer.text
    ready = app.client().get("/health/ready")
    assert (ready.status_code, "SCEAU_LOG_ANCHORS" in ready.text) == (503, True)
    folder.unlink()
    aside.rename(folder)
    assert api.post(f"{V1}/awards", json=badge).status_code == 200
    app.close()


def test_process_without_any_temporary_folder_names_it(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python writes to each before it takes one: on a full disk there is none."""
    app = build_app(sqlite_url, tmp_path)
    monkeypatch.setattr(
        "app.container.health.gettempdir", Mock(side_effect=FileNotFoundError(2, "No usable"))
    )
    answer = app.client().get("/health/ready")
    assert answer.status_code == 503
    assert ["TMPDIR" in each for each in answer.json()["problems"]] == [True]


@contextmanager
def read_only(database_url: str) -> Iterator[None]:
    """As after a failover: connections made meanwhile stay read-only."""
    name = make_url(database_url).database
    with autocommitting(server_url()) as server:
        server.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
        try:
            cut_off(server, name)
            yield
        finally:
            server.execute(text(f'ALTER DATABASE "{name}" RESET default_transaction_read_only'))


@pytest.mark.postgres
def test_read_only_server_is_an_outage_and_no_fault_of_ours(postgres_url: str, tmp_path: Path) -> None:
    app = build_app(postgres_url, tmp_path)
    browser, client = app.client(), program(app, "activity:write")
    activity = {"title": "Robotique", "kind": "workshop", "starts_on": "2026-01-05", "ends_on": "2026-01-05"}
    with read_only(postgres_url):
        ready = browser.get("/health/ready")
        assert (ready.status_code, "lecture seule" in ready.text) == (503, True), ready.text
        answer = client.put(f"{V1}/external-ids/activities/A-1", json=activity)
        assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (503, True), answer.text
        assert browser.get("/badges").status_code == 200
    with autocommitting(server_url()) as server:
        cut_off(server, make_url(postgres_url).database)
    assert client.put(f"{V1}/external-ids/activities/A-1", json=activity).status_code == 201
    assert browser.get("/health/ready").status_code == 200
    app.close()


@pytest.mark.postgres
@pytest.mark.parametrize(("code", "writes"), [("53100", False), ("53400", True)])
def test_full_disk_of_the_server_is_found_by_a_temporary_file(
    postgres_url: str, code: str, writes: bool
) -> None:
    """Rows still fit into pages with free space while others are refused: a test write could succeed."""
    with autocommitting(as_owner(postgres_url)) as server:
        server.execute(text("CREATE SCHEMA disk"))
        server.execute(text("GRANT USAGE ON SCHEMA disk TO PUBLIC"))
        server.execute(
            text(
                "CREATE OR REPLACE FUNCTION disk.repeat(text, int) RETURNS text LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE 'No space left on device' USING ERRCODE = '{code}'; END $$"
            )
        )
    path = {"options": "-c search_path=disk,public,pg_catalog"}
    engine = open_engine(make_url(postgres_url).update_query_dict(path).render_as_string(hide_password=False))
    try:
        assert can_write(engine) is writes
    finally:
        engine.dispose()
        with autocommitting(as_owner(postgres_url)) as server:
            server.execute(text("DROP SCHEMA disk CASCADE"))


@pytest.mark.postgres
def test_read_only_connections_are_replaced_once_the_server_writes(postgres_url: str) -> None:
    engine = open_engine(postgres_url)

    def write() -> None:
        with engine.begin() as connection:
            connection.execute(delete(WorkerBeat).where(false()))

    with read_only(postgres_url):
        assert not can_write(engine)
        with pytest.raises(DatabaseUnreachable):
            write()
        with pytest.raises(DatabaseUnreachable), engine.begin() as connection:
            tell(connection, "DELETE FROM worker WHERE false", {})
        with pytest.raises(DatabaseUnreachable), engine.begin() as connection:
            write_rows(connection, "DELETE FROM worker WHERE pid = ANY(%s)", [[1]])
        with engine.connect(), engine.connect():
            pass
    with pytest.raises(DatabaseUnreachable):
        write()
    for _ in range(3):
        write()
    assert can_write(engine)
    engine.dispose()


@pytest.mark.postgres
def test_transaction_that_the_server_ends_for_idling_is_an_outage(postgres_url: str, tmp_path: Path) -> None:
    app = build_app(postgres_url, tmp_path)

    def idle(session: Session) -> None:
        session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 50"))
        sleep(0.3)
        session.execute(text("SELECT 1"))

    with pytest.raises(DatabaseUnreachable), app.unit_of_work() as services:
        idle(services.stores.session)
    app.close()


def test_file_system_that_refuses_writes_is_a_problem_until_it_takes_them(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Still mounted as writable, as ext4 is after a fault of its disk."""
    app = build_app(sqlite_url, tmp_path)
    client = app.client()
    with monkeypatch.context() as disk:

        def refuse(_file: int) -> None:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

        disk.setattr("app.db.engine.session.os.fsync", refuse)
        answer = client.get("/health/ready")
    assert (answer.status_code, "lecture seule" in answer.text) == (503, True), answer.text
    assert client.get("/health/ready").status_code == 200
    app.close()


def test_readiness_asked_often_seldom_writes_to_the_disk(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anyone may ask: each probe would delay the commits of others."""
    app, probes = build_app(sqlite_url, tmp_path), list[Path]()

    def probe(*, dir: Path) -> IO[bytes]:
        probes.append(dir)
        return TemporaryFile(dir=dir)

    monkeypatch.setattr("app.db.engine.session.TemporaryFile", probe)
    client = app.client()
    assert [client.get("/health/ready").status_code for _ in range(5)] == [200] * 5
    assert 1 <= len(probes) <= 2
    app.close()
