"""`sceau storage`, and what backup, restore, transfer, check and doctor say of a database with an object store."""

from __future__ import annotations

import json
import tarfile
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.container import Process
from app.domain.awards.signed_bytes import InDatabase
from app.settings import Settings
from tests.app.cli.conftest import Operator
from tests.support.app import App, build_app
from tests.support.content.restores import ADA, REASON, ROOF, bit, given, place_of, withdraw
from tests.support.databases.engines import ROLE, as_owner
from tests.support.servers.object_store import BUCKET, REGION, FakeStore, keys_file

pytestmark = pytest.mark.both_engines

SETTINGS = {
    "object_store": f"{BUCKET.address}/{BUCKET.name}/{BUCKET.prefix}",
    "object_store_region": REGION,
}


@pytest.fixture
def store(app: App, monkeypatch: pytest.MonkeyPatch) -> FakeStore:
    """Answers every process that the settings lead to it."""
    store = FakeStore()
    monkeypatch.setattr("app.container.configured.S3Objects", lambda *_, **__: store.client())
    return store


@pytest.fixture
def operator(stranger: Operator, app: App, store: FakeStore, tmp_path: Path) -> Operator:
    settings = app.process.settings
    owner = as_owner(settings.database_url)
    stranger.works_with(
        settings.model_copy(
            update={**SETTINGS, "owner_database_url": owner, "object_store_keys": keys_file(tmp_path)}
        )
    )
    return stranger


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest, app: App, tmp_path: Path) -> Settings:
    settings = app.process.settings.model_copy(update={**SETTINGS, "object_store_keys": keys_file(tmp_path)})
    if settings.database_url.startswith("sqlite"):
        return settings.model_copy(update={"database_url": f"sqlite:///{tmp_path}/new/sceau.sqlite"})
    owner = request.getfixturevalue("empty_postgres_url")
    url = make_url(owner).set(username=ROLE, password=ROLE).render_as_string(hide_password=False)
    return settings.model_copy(update={"database_url": url, "owner_database_url": owner})


def moved(app: App) -> int:
    with app.owner.connect() as connection:
        query = text("SELECT count(*) FROM signed_credential WHERE embedded IS NULL")
        return int(connection.execute(query).scalar_one())


def findings(operator: Operator) -> tuple[str, str, str]:
    lines = [json.loads(line) for line in operator.types("doctor", "--json").out.splitlines()]
    (found,) = (each for each in lines if each["subject"] == "Magasin d’objets")
    return found["state"], found["sentence"], found["remedy"]


def test_move_show_and_back(app: App, operator: Operator, store: FakeStore) -> None:
    given(app, ROOF)
    given(app, ADA)
    asked = operator.types("storage", "move")
    assert (asked.code, "--older-than" in asked.err) == (3, True)
    tried = operator.types("storage", "move", "--older-than", "0", "--dry-run")
    assert (tried.code, "Badges qui partiraient : 2." in tried.err) == (0, True)
    assert (moved(app), store.objects) == (0, {})
    done = operator.types("storage", "move", "--older-than", "0")
    assert (done.code, "Badges mis dans le magasin d’objets : 2" in done.err) == (0, True), done.err
    assert (moved(app), len(store.objects)) == (2, 4)
    assert "Dans la base : 0 ; dans le magasin d’objets : 2." in operator.types("storage", "show").err
    assert operator.types("check", "--processes", "1").code == 0
    again = operator.types("storage", "move", "--older-than", "0")
    assert "magasin d’objets : 0" in again.err
    assert (
        "Badges qui seraient remis dans la base : 2."
        in operator.types("storage", "move", "--back", "--dry-run").err
    )
    back = operator.types("storage", "move", "--back")
    assert (back.code, moved(app)) == (0, 0), back.err
    assert len(store.objects) == 4


def test_commands_say_what_the_store_lacks(app: App, operator: Operator, store: FakeStore) -> None:
    award_id = given(app, ROOF)
    given(app, ADA)
    operator.types("storage", "move", "--older-than", "0")
    with app.unit_of_work(reading=True) as services:
        lost = services.awards.awards.document_of(award_id).token_digest
    kept = store.objects.pop(store.key_of(app.campus.id, lost))
    check = operator.types("check", "--processes", "1")
    assert (check.code, str(award_id) in check.out) == (1, True)
    back = operator.types("storage", "move", "--back")
    assert (back.code, back.out.splitlines()[-1]) == (1, f"{award_id}\t1\tle magasin ne l’a plus")
    assert moved(app) == 1
    store.before = lambda _method, _key: httpx.Response(503, text="<Error><Code>SlowDown</Code></Error>")
    silent = operator.types("storage", "move", "--back")
    assert (silent.code, "503 SlowDown" in silent.err) == (2, True)
    assert operator.types("check", "--processes", "1", "--anew").code == 1
    store.before = lambda _method, _key: None
    store.objects[store.key_of(app.campus.id, lost)] = kept
    assert operator.types("storage", "move", "--back").code == 0
    assert moved(app) == 0


def test_without_a_store_the_commands_say_what_to_set(app: App, operator: Operator) -> None:
    operator.sets(SCEAU_OBJECT_STORE="")
    refused = operator.types("storage", "show")
    assert (refused.code, "SCEAU_OBJECT_STORE" in refused.err) == (3, True)
    assert findings(operator)[0] == "good"


def test_doctor_tries_the_store_and_says_what_to_do(
    app: App, operator: Operator, store: FakeStore, tmp_path: Path
) -> None:
    assert findings(operator)[0] == "good"
    assert store.objects == {}
    for change, remedy in (
        (lambda: store.keys.clear(), "SCEAU_OBJECT_STORE_KEYS"),
        (lambda: store.keys.update({next(iter(FakeStore().keys)): "autre"}), "SCEAU_OBJECT_STORE_REGION"),
    ):
        change()
        state, sentence, advised = findings(operator)
        assert (state, remedy in advised, "objets.exemple.fr" in sentence) == ("fault", True, True)
    store.keys = FakeStore().keys
    store.before = lambda method, _key: (
        httpx.Response(403, text="<Error><Code>AccessDenied</Code></Error>") if method == "DELETE" else None
    )
    assert "s3:DeleteObject" in findings(operator)[2]
    store.before = lambda _method, _key: None
    given(app, ROOF)
    operator.types("storage", "move", "--older-than", "0")
    operator.sets(SCEAU_OBJECT_STORE="")
    assert findings(operator)[0] == "fault"
    operator.sets(SCEAU_OBJECT_STORE="http://s3.exemple.fr/badges")
    assert operator.types("doctor").code == 1


def test_drill_of_a_restore_with_moved_badges(
    app: App, operator: Operator, store: FakeStore, elsewhere: Settings, tmp_path: Path
) -> None:
    """A backup names the objects; a withdrawn badge is withdrawn after it, and a badge that came back since is whole."""
    withdrawn, kept = given(app, ROOF), given(app, ADA)
    operator.types("storage", "move", "--older-than", "0")
    path = tmp_path / "plain.tar"
    done = operator.types("backup", path, "--unencrypted")
    assert (done.code, "(4) : le magasin a ses propres copies" in done.err) == (0, True), done.err
    with tarfile.open(path) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
    assert (manifest["objects"], "objets.exemple.fr/badges" in manifest["object_store"]) == (4, True)
    withdraw(app, withdrawn)
    operator.types("storage", "move", "--back")

    operator.works_with(elsewhere)
    done = operator.types("restore", "--backup", path, "--yes", "--reason", REASON)
    assert done.code == 0, done.err
    assert "dont la base dépend : 4." in done.err
    process = Process(elsewhere, clock=app.clock, mailer=app.letters)
    process.check()
    restored = replace(app, process=process)
    client = restored.client()
    for award_id, is_withdrawn in ((withdrawn, True), (kept, False)):
        assert client.get(f"/attributions/{award_id}.json").status_code == 200
        assert bit(client, *place_of(restored, award_id)) is is_withdrawn
    restored.close()


def test_restore_names_badges_whose_objects_are_lost(
    app: App, operator: Operator, store: FakeStore, elsewhere: Settings, tmp_path: Path
) -> None:
    lost, kept = given(app, ROOF), given(app, ADA)
    operator.types("storage", "move", "--older-than", "0")
    path = tmp_path / "plain.tar"
    operator.types("backup", path, "--unencrypted")
    with app.unit_of_work(reading=True) as services:
        digest = services.awards.awards.document_of(lost).embedded_digest
    del store.objects[store.key_of(app.campus.id, digest)]
    operator.works_with(elsewhere)
    done = operator.types("restore", "--backup", path)
    assert str(lost) in done.out
    assert str(kept) not in done.out


def test_sqlite_with_moved_badges_becomes_postgresql(
    stranger: Operator,
    sqlite_url: str,
    empty_postgres_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, app = FakeStore(), build_app(sqlite_url, tmp_path)
    monkeypatch.setattr("app.container.configured.S3Objects", lambda *_, **__: store.client())
    award_id = given(app, ROOF)
    given(app, ADA)
    settings = app.process.settings.model_copy(update={**SETTINGS, "object_store_keys": keys_file(tmp_path)})
    stranger.works_with(settings)
    stranger.types("storage", "move", "--older-than", "0")
    source = Path(str(make_url(sqlite_url).database))
    url = make_url(empty_postgres_url).set(username=ROLE, password=ROLE).render_as_string(hide_password=False)
    there = settings.model_copy(update={"database_url": url, "owner_database_url": empty_postgres_url})
    stranger.works_with(there)
    done = stranger.types("transfer", source)
    assert done.code == 0, done.err
    assert stranger.types("check", "--processes", "1").code == 0
    moved_app = replace(app, process=Process(there, clock=app.clock, mailer=app.letters))
    assert moved_app.client().get(f"/attributions/{award_id}.jwt").status_code == 200
    assert stranger.types("storage", "move", "--back").code == 0
    moved_app.process.public_documents.elsewhere = InDatabase()
    assert moved_app.client().get(f"/attributions/{award_id}.json").status_code == 200
    moved_app.close()
    app.close()


def test_settings_without_keys_start_nothing(operator: Operator, tmp_path: Path) -> None:
    operator.sets(SCEAU_OBJECT_STORE_KEYS="")
    refused = operator.types("storage", "show")
    assert (refused.code, "SCEAU_OBJECT_STORE_KEYS" in refused.err) == (3, True)
