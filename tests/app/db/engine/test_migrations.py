"""Migrations go up and down on a database with people in it, say what the rows say, and run once."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
import subprocess
import sys
import uuid
from datetime import date
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlmodel import SQLModel

import app.domain
from app.db.engine import session
from app.db.engine.row_level_security import METADATA, MODULES
from app.db.engine.schema import SchemaState, schema_state
from app.db.engine.session import open_engine
from app.domain.campus.audit_log import Actor
from app.domain.reports.surveys import Answer
from app.services.learners.requests import RequestOutcome
from tests.support.app import COMMAND, build_app
from tests.support.content.networks import NETWORK, label, network_of
from tests.support.databases.engines import as_owner
from tests.support.handed import PHONE, photo

MIGRATE = "import sys; from app.db.engine import session; session.upgrade(sys.argv[1])"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.sqlite'}"
    return request.getfixturevalue("empty_postgres_url")


def tables(engine: Engine) -> set[str]:
    return {name for name in inspect(engine).get_table_names() if not is_full_text(name)}


def is_full_text(name: str) -> bool:
    """Of full-text search: tables on SQLite, an index on PostgreSQL."""
    return name.startswith(("framework_search_index", "catalogue_index"))


def leftovers(engine: Engine) -> set[str]:
    """What a migration could forget besides tables: triggers and functions."""
    if engine.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type IN ('trigger', 'view')"
    else:
        query = (
            "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
            "WHERE n.nspname = 'public'"
        )
    with engine.connect() as connection:
        return set(connection.execute(text(query)).scalars())


def test_a_filled_database_goes_down_and_up_again(database_url: str, tmp_path: Path):
    app = build_app(database_url, tmp_path)
    award_id = app.award("Zoé Martin;zoe@exemple.fr").lines[0].award_id
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Erreur de date.", by=Actor(label="tests"))  # type: ignore[arg-type]
    app.close()

    engine = open_engine(as_owner(database_url))
    up, guards = tables(engine), leftovers(engine)
    assert guards
    session.downgrade(as_owner(database_url))
    assert tables(engine) == {"alembic_version"}
    assert leftovers(engine) == set()
    assert schema_state(engine) is SchemaState.OLDER
    session.upgrade(as_owner(database_url))
    assert tables(engine) == up
    assert leftovers(engine) == guards
    assert schema_state(engine) is SchemaState.CURRENT
    engine.dispose()
    (again := tmp_path / "again").mkdir()
    app = build_app(database_url, again)
    assert app.award("Zoé Martin;zoe@exemple.fr").lines[0].award_id
    app.close()


def test_lists_from_before_tokens_are_signed_again_when_they_are_read(database_url: str, tmp_path: Path):
    app = build_app(database_url, tmp_path)
    app.award("Zoé Martin;zoe@exemple.fr")
    session.downgrade(as_owner(database_url), "0001")
    assert "token" not in {each["name"] for each in inspect(app.process.engine).get_columns("status_list")}
    session.upgrade(as_owner(database_url))
    with app.owner.connect() as connection:
        written = connection.execute(text("SELECT id, token FROM status_list")).all()
    assert [token for _, token in written] == [""]
    list_id = uuid.UUID(str(written[0][0]))
    with app.unit_of_work(reading=True) as services:
        assert services.publication.status_list(list_id, "jwt").body.count(b".") == 2
    with app.unit_of_work(reading=True) as services:
        assert services.status.published(list_id).token
    app.close()


def test_of_several_keys_of_a_network_the_newest_stays_in_service(database_url: str, tmp_path: Path):
    app = build_app(database_url, tmp_path)
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
        label(services, network, app.campus, date(2026, 1, 1), date(2029, 1, 1))
    app.clock.move(days=1)
    with app.unit_of_work() as services:
        services.partner_keys.retire_of_network(network, reason="Le relais de chaque année.", by=COMMAND)
        newest = services.register.page(NETWORK).key
    session.downgrade(as_owner(database_url), "0044")
    session.upgrade(as_owner(database_url))
    with app.unit_of_work(reading=True) as services:
        assert services.register.page(NETWORK).key == newest
        assert len(services.register.page(NETWORK).former) == 1
    app.close()


def test_migrating_again_changes_nothing(database_url: str, tmp_path: Path):
    app = build_app(database_url, tmp_path)
    session.upgrade(as_owner(database_url))
    with app.unit_of_work(reading=True) as services:
        assert services.campuses.get("itip").did == app.campus.did
    app.close()


def test_the_schema_is_what_the_rows_say(engine: Engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, METADATA)
        assert [
            each
            for each in differences
            if each[0] not in ("remove_table", "remove_index") or not is_full_text(each[1].name)
        ] == []


def test_every_table_of_the_rows_is_there_and_no_other(engine: Engine):
    assert tables(engine) == set(METADATA.tables) | {"alembic_version"}


def test_every_module_with_tables_is_listed():
    """A migration imports those alone: of a table elsewhere the application's role would get nothing."""
    for found in pkgutil.walk_packages(app.domain.__path__, "app.domain."):
        importlib.import_module(found.name)
    owners = {each.class_.__module__ for each in SQLModel._sa_registry.mappers}
    listed = {each.__name__ for each in MODULES}
    assert {each for each in owners if each.startswith("app.domain.")} - listed == set()


def test_two_workers_that_start_at_once_migrate_once(empty_url: str):
    """Each is a process of its own, as servers are (I21)."""
    workers = [
        subprocess.Popen([sys.executable, "-c", MIGRATE, empty_url], stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ends = [(worker.communicate(timeout=120)[1], worker.returncode) for worker in workers]
    assert [code for _, code in ends] == [0, 0], ends
    engine = open_engine(empty_url)
    assert schema_state(engine) is SchemaState.CURRENT
    with engine.connect() as connection:
        assert len(connection.execute(text("SELECT version_num FROM alembic_version")).all()) == 1
    engine.dispose()


def test_photos_of_requests_from_before_lose_what_their_camera_wrote(database_url: str, tmp_path: Path):
    app = build_app(database_url, tmp_path)
    with app.unit_of_work() as services:
        badge = services.badges.badges.get(app.presence.badge.id)
        badge.accepts_requests = True
        asked = services.asking.ask(
            badge.id, RequestOutcome("Ada", "Faure", "ada@exemple.fr", "J’ai animé deux ateliers.")
        )
        token = services.asking.token_of(asked)
        services.asking.confirm(token)
        services.asking.complete(token, files=[app.process.intake.take("banc.jpg", photo("JPEG"))])
    session.downgrade(as_owner(database_url), "0021")
    with app.owner.begin() as connection:
        connection.execute(text("UPDATE request_file_content SET content = :photo"), {"photo": photo("JPEG")})
        assert PHONE.encode() in bytes(
            connection.execute(text("SELECT content FROM request_file_content")).scalar_one()
        )
    session.upgrade(as_owner(database_url))
    with app.unit_of_work(reading=True) as services:
        (file,) = services.asking.mine(token).files
        kept = services.files.open_any(file.id).content
        assert PHONE.encode() not in kept + services.files.preview_any(file.id)
        assert (file.size, file.digest) == (len(kept), hashlib.sha256(kept).hexdigest())
    app.close()


def test_badges_without_a_name_get_the_one_that_their_campus_knew(database_url: str, tmp_path: Path):
    """From an earlier edition, else from a person who was never renamed; else none."""
    app = build_app(database_url, tmp_path)
    removed, never, renamed = (
        app.award(f"{name};{address}").lines[0].award_id
        for name, address in (
            ("Zoé Martin", "zoe@exemple.fr"),
            ("Inès Sow", "ines@exemple.fr"),
            ("Léo Petit", "leo@exemple.fr"),
        )
    )
    with app.unit_of_work() as services:
        for award_id in (removed, never, renamed):
            record = services.awards.record(award_id)
            services.reissuing.choose_name(record.award, False, name="", by=COMMAND)
        person = services.awards.record(removed).person
        services.stores.names.rename(person, "Albert", "Einstein")
        for award_id in (never, renamed):
            # As if no edition of theirs had ever contained a name.
            services.awards.awards.lock(award_id).edition = 1
    with app.owner.begin() as connection:
        person_id = connection.execute(
            text("SELECT person_id FROM award WHERE id = :id"), {"id": _key(app.owner, renamed)}
        ).scalar_one()
        connection.execute(
            text(
                "INSERT INTO history_entry (at, actor_label, action, noun, noun_id, facts) "
                "VALUES (:at, '', 'rename', 'person', :id, '{}')"
            ),
            {"at": app.clock.now, "id": person_id},
        )
    session.downgrade(as_owner(database_url), "0131")
    session.upgrade(as_owner(database_url))
    with app.unit_of_work(reading=True) as services:
        names = [services.awards.record(each).award.campus_name for each in (removed, never, renamed)]
    assert names == ["Zoé Martin", "Inès Sow", ""]
    app.close()


def test_surveys_of_up_to_four_answers_stop_being_facts(database_url: str, tmp_path: Path):
    app = build_app(database_url, tmp_path)
    with app.unit_of_work() as services:
        day = app.campus.day_of(services.clock())
        code = services.surveys.open(app.campus, app.activity.id, closes_on=day, by=COMMAND).code
        for number, rating in enumerate((4, 1, 3, 4)):
            services.surveys.answer(code, Answer(rating, rating > 1), phone=f"phone {number}")
    facts = text(
        "SELECT asked, not_at_all, rather_not, rather, fully, recommends, recommends_not FROM activity_survey"
    )
    session.downgrade(as_owner(database_url), "0134")
    with app.owner.connect() as connection:
        assert [tuple(row) for row in connection.execute(facts)] == [(4, 1, 0, 1, 2, 3, 1)]
    session.upgrade(as_owner(database_url))
    with app.owner.connect() as connection:
        assert connection.execute(facts).all() == []
    app.close()


def _key(engine: Engine, number: uuid.UUID | None) -> object:
    """As raw statements give it to the engine."""
    assert number is not None
    return number.hex if engine.dialect.name == "sqlite" else number
