"""`sceau migrate --check`, and what a program says of a schema that is older or newer than it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from app.container import notes_of, problems_of
from app.db.engine import schema, session
from app.db.engine.schema import SchemaState
from tests.app.cli.conftest import Operator
from tests.app.jobs.next_release import scripts_of_next_release
from tests.support.app import App
from tests.support.databases.engines import as_owner

pytestmark = pytest.mark.both_engines


@pytest.fixture
def operator(stranger: Operator, app: App) -> Operator:
    url = app.process.settings.database_url
    stranger.works_with(app.process.settings)
    stranger.sets(SCEAU_OWNER_DATABASE_URL=as_owner(url) if url.startswith("postgresql") else "")
    stranger.sets(SCEAU_LOCALE="en")
    return stranger


@pytest.fixture
def next_release(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Migrates as a later release would; the program stays this one."""

    def migrate(declared: str = "online = True") -> None:
        url = app.process.settings.database_url
        with monkeypatch.context() as patched:
            patched.setattr(session, "SCRIPTS", scripts_of_next_release(tmp_path, declared=declared))
            session.upgrade(as_owner(url), granted_to=make_url(url).username or "")

    return migrate


@pytest.fixture
def as_next_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """The program itself is a later release from then on."""

    def become(declared: str) -> None:
        monkeypatch.setattr(session, "SCRIPTS", scripts_of_next_release(tmp_path, declared=declared))
        forget()

    def forget() -> None:
        for cached in (schema._newest, schema._migrations):
            cached.cache_clear()

    yield become
    monkeypatch.undo()
    forget()


def test_nothing_waits_in_a_current_database(operator: Operator):
    done = operator.types("migrate", "--check")
    assert (done.code, done.out, done.err.strip()) == (0, "", "The database is up to date.")


@pytest.mark.parametrize(
    ("declared", "code", "line"),
    [
        ("online = True", 1, "9999\tgoes on\tWhat a later release adds\n"),
        (
            "online = False\nannounced = 'removes'",
            2,
            "9999\tremoves what the previous version still reads\tWhat a later release adds\n",
        ),
    ],
    ids=["online", "announced"],
)
def test_check_lists_what_waits_and_changes_nothing(
    operator: Operator,
    app: App,
    as_next_release: Callable[[str], None],
    declared: str,
    code: int,
    line: str,
):
    as_next_release(declared)
    done = operator.types("migrate", "--check")
    if app.owner.dialect.name == "sqlite":
        # A running service of this version is not served by the newer schema there.
        code, line = 2, line.replace("goes on", "stops, with SQLite")
    assert (done.code, done.out) == (code, line)
    assert app.process.schema_state() is SchemaState.OLDER


def test_schema_is_newer_for_a_program_that_runs_on_over_the_files_of_the_next_one(
    app: App, tmp_path: Path, next_release: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    assert app.process.schema_state() is SchemaState.CURRENT
    next_release("online = False\nannounced = 'removes'")
    with monkeypatch.context() as patched:
        patched.setattr(session, "SCRIPTS", tmp_path / "alembic")
        schema._migrations.cache_clear()
        state = app.process.schema_state()
    schema._migrations.cache_clear()
    assert state is SchemaState.NEWER


def test_an_empty_database_has_no_service_to_stop(operator: Operator, tmp_path: Path):
    operator.sets(SCEAU_DATABASE_URL=f"sqlite:///{tmp_path}/empty/s.sqlite", SCEAU_OWNER_DATABASE_URL="")
    done = operator.types("migrate", "--check")
    assert (done.code, done.out) == (1, "")
    assert (
        done.err.strip() == "The database is empty: “sceau migrate” creates it. There is no service to stop."
    )


@pytest.mark.parametrize("app_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_a_program_that_the_newer_schema_serves_is_ready_and_says_so(
    operator: Operator, app: App, next_release: Callable[..., None]
):
    next_release()
    assert problems_of(app.process) == []
    assert "version plus récente" in notes_of(app.process)[0]
    answer = app.client().get("/health/ready")
    assert (answer.status_code, answer.json()["status"], len(answer.json()["notes"])) == (200, "ready", 1)
    for command in (["migrate"], ["migrate", "--check"]):
        done = operator.types(*command)
        assert (done.code, "newer version" in done.err) == (0, True)
    finding = json.loads(operator.types("doctor", "--json").out.splitlines()[1])
    assert (finding["subject"], finding["state"]) == ("Database", "warning")


def test_a_program_that_the_newer_schema_does_not_serve_stops(
    operator: Operator, app: App, next_release: Callable[..., None]
):
    next_release("online = False\nannounced = 'removes'")
    assert app.process.schema_state() is SchemaState.NEWER
    assert app.client().get("/health/ready").status_code == 503
    for command in ("migrate", "migrate --check", "serve --port 8766", "work", "keys list"):
        done = operator.types(*command.split())
        assert (done.code, "newer version" in done.err) == (3, True), command
    assert operator.types("doctor").code == 1
