"""`sceau backup` while the service runs, and `sceau restore --backup` on a machine that has lost its database."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from typing import IO
from unittest.mock import Mock, patch

import pyrage
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from app.cli.operations import restore
from app.container import Process, backup
from app.container.backup import BackupUnusable, _piped, make_backup
from app.db.engine import row_level_security, schema
from app.settings import Settings
from tests.app.cli.conftest import Operator
from tests.support.app import App
from tests.support.content.restores import ADA, REASON, ROOF, bit, given, place_of, withdraw
from tests.support.databases.engines import ROLE, as_owner

pytestmark = pytest.mark.both_engines


@pytest.fixture
def owner_at(stranger: Operator, app: App) -> Operator:
    """The operator, whose settings name both roles on PostgreSQL."""
    settings = app.process.settings
    stranger.works_with(settings.model_copy(update={"owner_database_url": as_owner(settings.database_url)}))
    return stranger


@pytest.fixture
def key() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def key_file(key: pyrage.x25519.Identity, tmp_path: Path) -> Path:
    path = tmp_path / "key.txt"
    path.write_text(f"# created by hand\n# public key: {key.to_public()}\n{key}\n")
    return path


@pytest.fixture
def elsewhere(request: pytest.FixtureRequest, app: App, tmp_path: Path) -> Settings:
    """A new machine: an empty database, the same secrets and anchor folder."""
    settings = app.process.settings
    if settings.database_url.startswith("sqlite"):
        url = f"sqlite:///{tmp_path}/new/sceau.sqlite"
        return settings.model_copy(update={"database_url": url})
    owner = request.getfixturevalue("empty_postgres_url")
    url = make_url(owner).set(username=ROLE, password=ROLE).render_as_string(hide_password=False)
    return settings.model_copy(update={"database_url": url, "owner_database_url": owner})


def backed_up(operator: Operator, key: pyrage.x25519.Identity, path: Path) -> Path:
    done = operator.types("backup", path, "--recipient", str(key.to_public()))
    assert done.code == 0, done.err
    return path


def test_backup_and_restore_on_a_new_machine_keeps_awards_and_withdrawals(
    app: App, owner_at: Operator, elsewhere: Settings, key, key_file: Path, tmp_path: Path
):
    withdrawn, kept = given(app, ROOF), given(app, ADA)
    path = backed_up(owner_at, key, tmp_path / "sceau.age")
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"remi@exemple.fr" not in path.read_bytes()
    withdraw(app, withdrawn)
    later = given(app, "Zoé Petit; zoe@exemple.fr")

    owner_at.works_with(elsewhere)
    done = owner_at.types("restore", "--backup", path, "--identity", key_file, "--yes", "--reason", REASON)
    assert done.code == 0, done.err

    process = Process(elsewhere, clock=app.clock, mailer=app.letters)
    process.check()
    restored = replace(app, process=process)
    client = restored.client()
    assert [bit(client, *place_of(restored, each)) for each in (withdrawn, kept, later)] == [
        True,
        False,
        False,
    ]
    assert client.get(f"/attributions/{later}.json").status_code == 200
    restored.close()


def test_full_disk_under_the_backup_is_named_and_leaves_nothing(
    owner_at: Operator, key, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Encryption has the errors of the file as text alone."""

    class Full(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, piece: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    encrypt = pyrage.encrypt_io
    monkeypatch.setattr(backup.pyrage, "encrypt_io", lambda source, _, to: encrypt(source, Full(), to))
    done = owner_at.types("backup", tmp_path / "a.age", "--recipient", str(key.to_public()))
    assert (done.code, "le disque est plein" in done.err) == (3, True)
    assert not list(tmp_path.glob("*.age")) + list(tmp_path.glob(".sceau-*"))


def test_restore_without_room_does_not_blame_the_backup(
    owner_at: Operator,
    elsewhere: Settings,
    key,
    key_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    path = backed_up(owner_at, key, tmp_path / "sceau.age")
    owner_at.works_with(elsewhere)
    monkeypatch.setattr(
        backup, "_extract", Mock(side_effect=OSError(errno.ENOSPC, "No space left on device"))
    )
    done = owner_at.types("restore", "--backup", path, "--identity", key_file, "--yes", "--reason", REASON)
    assert (done.code, "La place manque" in done.err) == (3, True)
    monkeypatch.undo()
    owner_at.works_with(elsewhere)
    absent = tmp_path / "absent.age"
    done = owner_at.types("restore", "--backup", absent, "--identity", key_file, "--yes", "--reason", REASON)
    assert (done.code, f"{absent} ne se lit pas : ce chemin n’existe pas." in done.err) == (3, True)


def test_programs_of_postgresql_get_every_option_of_the_address_and_no_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Mock(return_value=Mock(returncode=0))
    monkeypatch.setattr(backup.subprocess, "run", run)
    url = (
        "postgresql+psycopg://sceau:tr0mp%40@/sceau?host=one:5432&host=two:5433"
        "&options=-c%20lock_timeout%3D0&target_session_attrs=read-write"
    )
    backup._run(["pg_dump", "--file=a"], url)
    (command,), named = run.call_args
    assert (command[0], command[2:]) == ("pg_dump", ["--file=a"])
    assert conninfo_to_dict(command[1].removeprefix("--dbname=")) == {
        "host": "one,two",
        "port": "5432,5433",
        "user": "sceau",
        "dbname": "sceau",
        "options": "-c lock_timeout=0 -c sceau.reach=everywhere",
        "target_session_attrs": "read-write",
    }
    assert named["env"]["PGPASSWORD"] == "tr0mp@"


def _make_workflow_table(settings: Settings) -> None:
    """As a worker does, with the application's role."""
    engine = create_engine(settings.database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE sceau_work.workflow (id int)")
    engine.dispose()


def test_backup_leaves_workflow_tables_to_the_role_that_makes_them(
    app: App, owner_at: Operator, elsewhere: Settings, key, key_file: Path, tmp_path: Path
):
    """Their owner alone may read them, and the application's role could not use what another role restores."""
    settings = app.process.settings
    if settings.database_url.startswith("sqlite"):
        return
    _make_workflow_table(settings)
    try:
        path = backed_up(owner_at, key, tmp_path / "sceau.age")
    finally:
        engine = create_engine(settings.database_url)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE sceau_work.workflow")
        engine.dispose()
    owner_at.works_with(elsewhere)
    done = owner_at.types("restore", "--backup", path, "--identity", key_file, "--yes", "--reason", REASON)
    assert done.code == 0, done.err
    _make_workflow_table(elsewhere)


def test_backup_in_an_empty_database_has_no_session_even_if_nothing_is_lacking(
    app: App, owner_at: Operator, elsewhere: Settings, key, key_file: Path, tmp_path: Path
):
    browser = app.client(app.trainer)
    path = backed_up(owner_at, key, tmp_path / "sceau.age")
    owner_at.works_with(elsewhere)
    done = owner_at.types("restore", "--backup", path, "--identity", key_file, "--yes", "--reason", REASON)
    assert done.code == 0, done.err
    assert "rien n’est à reprendre" in done.err
    process = Process(elsewhere, clock=app.clock, mailer=app.letters)
    process.check()
    restored = replace(app, process=process)
    client = restored.client()
    client.cookies.update(browser.cookies)
    assert client.get("/compte").status_code == 401
    restored.close()


def test_nothing_but_restore_starts_on_a_half_restored_database(
    app: App,
    owner_at: Operator,
    elsewhere: Settings,
    key,
    key_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    """Killed between loading and ending sessions, the database is complete, and sessions of the copy are open."""
    browser = app.client(app.trainer)
    path = backed_up(owner_at, key, tmp_path / "sceau.age")
    lost = elsewhere.model_copy(update={"log_anchors": tmp_path / "anchors-of-the-new-machine"})
    owner_at.works_with(lost)
    with monkeypatch.context() as killed:
        killed.setattr(backup, "finish_load", Mock(side_effect=KeyboardInterrupt))
        killed.setattr(restore, "finish_load", Mock(side_effect=KeyboardInterrupt))
        owner_at.types("restore", "--backup", path, "--identity", key_file)
    for command in (["serve"], ["serve", "--demo"], ["work"], ["migrate"], ["keys", "list"], ["check"]):
        done = owner_at.types(*command)
        assert (done.code, "n’est pas finie" in done.err) == (3, True), command
    assert "n’est pas finie" in " ".join(owner_at.types("doctor").out.split())
    again = owner_at.types("restore", "--backup", path, "--identity", key_file)
    assert (again.code, "n’est pas finie" in again.err) == (3, True)

    done = owner_at.types("restore")
    assert (done.code, "rien n’est à reprendre" in done.err) == (0, True), done.err
    names = {each.name for each in app.process.anchors.folder.iterdir() if each.is_file()}
    assert {each.name for each in lost.log_anchors.iterdir() if each.is_file()} == names
    process = Process(lost, clock=app.clock, mailer=app.letters)
    process.check()
    assert process.is_ready()
    restored = replace(app, process=process)
    client = restored.client()
    client.cookies.update(browser.cookies)
    assert client.get("/compte").status_code == 401
    restored.close()


@contextmanager
def of_revision(settings: Settings, revision: str | None) -> Iterator[None]:
    """The database as if migrations had brought it there."""
    url = settings.database_url
    engine = create_engine(url if url.startswith("sqlite") else settings.owner_database_url or as_owner(url))

    def change(to: str | None) -> str:
        with engine.begin() as connection:
            before = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{to}'")
        return str(before)

    before = change(revision)
    try:
        yield
    finally:
        change(before)
        engine.dispose()


def test_backup_of_a_newer_version_waits_for_that_version(
    app: App,
    owner_at: Operator,
    elsewhere: Settings,
    key,
    key_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(row_level_security, "served", lambda _: ())
    path = tmp_path / "sceau.age"
    with of_revision(app.process.settings, "9999"):
        settings = app.process.settings
        owned = settings.model_copy(update={"owner_database_url": as_owner(settings.database_url)})
        make_backup(Process(owned), path, [key.to_public()])
    owner_at.works_with(elsewhere)
    done = owner_at.types("restore", "--backup", path, "--identity", key_file)
    assert (done.code, "version plus récente" in done.err) == (3, True), done.err
    again = owner_at.types("restore")
    assert (again.code, "version plus récente" in again.err) == (3, True), again.err
    with of_revision(elsewhere, schema._newest()):
        assert owner_at.types("restore").code == 0


def test_restore_interrupted_before_its_backup_was_loaded_begins_again(
    app: App,
    owner_at: Operator,
    elsewhere: Settings,
    key,
    key_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    path = backed_up(owner_at, key, tmp_path / "sceau.age")
    lost = elsewhere.model_copy(update={"log_anchors": tmp_path / "anchors-of-the-new-machine"})
    owner_at.works_with(lost)
    with monkeypatch.context() as killed:
        killed.setattr(backup, "_run", Mock(side_effect=KeyboardInterrupt))
        killed.setattr(backup, "_copy_database", Mock(side_effect=KeyboardInterrupt))
        owner_at.types("restore", "--backup", path, "--identity", key_file)
    for command in ["migrate"], ["restore"]:
        if lost.owner_database_url:
            done = owner_at.types(*command)
            assert (done.code, "Recommencez : sceau restore --backup" in done.err) == (3, True), command
    done = owner_at.types("restore", "--backup", path, "--identity", key_file)
    assert (done.code, "dossier des ancres était vide" in done.err) == (0, True), done.err
    assert not (lost.log_anchors / ".restored").exists()


def test_restore_names_another_address_and_another_secret(
    app: App, owner_at: Operator, elsewhere: Settings, key, key_file: Path, tmp_path: Path
) -> None:
    given(app, ADA)
    path = backed_up(owner_at, key, tmp_path / "sceau.age")
    other = {"base_url": "http://localhost:9999", "secret": "another secret, and as long as it has to be"}
    owner_at.works_with(elsewhere.model_copy(update=other))
    done = owner_at.types("restore", "--backup", path, "--identity", key_file)
    assert done.code == 0, done.err
    said = " ".join(done.err.split())
    assert "est celle de http://localhost:8000, et SCEAU_BASE_URL est http://localhost:9999" in said
    assert "SCEAU_SECRET n’est pas celui de cette sauvegarde" in said
    for command in ["doctor"], ["check", "--processes", "1"]:
        found = owner_at.types(*command)
        assert found.code in (1, 3), command
        assert "remplie pour une autre adresse" in " ".join((found.out + found.err).split()), command


def test_restored_anchors_of_a_lost_folder_do_not_replace_those_that_are_there(
    app: App, owner_at: Operator, elsewhere: Settings, key, key_file: Path, tmp_path: Path
):
    given(app, ROOF)
    path = backed_up(owner_at, key, tmp_path / "sceau.age")
    lost = elsewhere.model_copy(update={"log_anchors": tmp_path / "anchors-of-the-new-machine"})
    owner_at.works_with(lost)
    done = owner_at.types("restore", "--backup", path, "--identity", key_file)
    assert done.code == 0, done.err
    assert "dossier des ancres était vide" in done.err
    names = {each.name for each in app.process.anchors.folder.iterdir() if each.is_file()}
    assert {each.name for each in lost.log_anchors.iterdir() if each.is_file()} == names


def test_restore_refuses_what_it_cannot_load_whole_and_changes_nothing(
    app: App, owner_at: Operator, elsewhere: Settings, key, key_file: Path, tmp_path: Path
):
    award_id = given(app, ROOF)
    path = backed_up(owner_at, key, tmp_path / "sceau.age")
    other, damaged, foreign_key = tmp_path / "other.txt", tmp_path / "damaged.age", tmp_path / "kek"
    other.write_text(str(pyrage.x25519.Identity.generate()))
    damaged.write_bytes(path.read_bytes()[:-2000])
    changed = tmp_path / "changed.tar"
    with tarfile.open(changed, "w") as tar:
        folder = tmp_path / "opened"
        (tmp_path / "plain.tar").write_bytes(pyrage.decrypt(path.read_bytes(), [key]))
        with tarfile.open(tmp_path / "plain.tar") as plain:
            plain.extractall(folder, filter="data")
        (folder / "database").write_bytes(b"x" + (folder / "database").read_bytes()[1:])
        tar.add(folder, "", recursive=True)
    refusals = {}
    refusals["not empty"] = owner_at.types("restore", "--backup", path, "--identity", key_file)
    owner_at.works_with(elsewhere)
    refusals["other key"] = owner_at.types("restore", "--backup", path, "--identity", other)
    refusals["no key"] = owner_at.types("restore", "--backup", path)
    refusals["cut short"] = owner_at.types("restore", "--backup", damaged, "--identity", key_file)
    refusals["changed"] = owner_at.types("restore", "--backup", changed)
    owner_at.types("keys", "make-kek", foreign_key)
    owner_at.sets(SCEAU_KEK=f"file:{foreign_key}")
    refusals["other KEK"] = owner_at.types("restore", "--backup", path, "--identity", key_file)
    assert {name: done.code for name, done in refusals.items()} == dict.fromkeys(refusals, 3)
    for name, sentence in {
        "not empty": "n’est pas vide",
        "other key": "ne s’ouvre pas",
        "no key": "ne s’ouvre pas",
        "cut short": "ne s’ouvre pas",
        "changed": "abîmée : database",
        "other KEK": "SCEAU_KEK",
    }.items():
        assert sentence in refusals[name].err, name
    assert app.client().get(f"/attributions/{award_id}").status_code == 200
    owner_at.works_with(elsewhere)
    assert "est vide" in owner_at.types("keys", "list").err


def test_backup_asks_for_whom_and_never_overwrites(owner_at: Operator, key, tmp_path: Path):
    assert owner_at.types("backup", tmp_path / "a").code == 3
    assert owner_at.types("backup", tmp_path / "a", "--recipient", "age1nobody").code == 3
    assert list(tmp_path.glob("a*")) == []
    path = backed_up(owner_at, key, tmp_path / "a")
    before = path.read_bytes()
    refused = owner_at.types("backup", path, "--recipient", str(key.to_public()))
    assert (refused.code, path.read_bytes()) == (3, before)
    assert not [each for each in tmp_path.iterdir() if each.name.startswith(".")]


def test_unencrypted_backup_names_its_content(owner_at: Operator, tmp_path: Path):
    path = tmp_path / "plain.tar"
    assert owner_at.types("backup", path, "--unencrypted").code == 0
    with tarfile.open(path) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))  # type: ignore[arg-type]
        assert set(tar.getnames()) == {"manifest.json", *manifest["files"]}
    assert "kek" not in {name.split("/")[-1] for name in manifest["files"]}


def test_backup_leaves_nothing_in_clear_beside_it(
    app: App, owner_at: Operator, key, tmp_path: Path, monkeypatch
):
    """Its folder may be a disk of somebody else."""
    given(app, ROOF)
    elsewhere, seen = tmp_path / "usb", set[str]()
    elsewhere.mkdir()
    encrypt = pyrage.encrypt_io

    def looking(*given):
        seen.update(each.name for each in elsewhere.iterdir())
        return encrypt(*given)

    monkeypatch.setattr(pyrage, "encrypt_io", looking)
    backed_up(owner_at, key, elsewhere / "sceau.age")
    (part,) = seen
    assert part.startswith(".sceau-backup-")
    assert [each.name for each in elsewhere.iterdir()] == ["sceau.age"]


def test_two_backups_to_one_file_at_once_make_one_whole_file(
    app: App, owner_at: Operator, key: pyrage.x25519.Identity, tmp_path: Path
):
    process, path, at_once = app.process, tmp_path / "sceau.age", Barrier(2)
    settings = process.settings.model_copy(
        update={"owner_database_url": as_owner(process.settings.database_url)}
    )
    encrypt = pyrage.encrypt_io

    def together(source: IO[bytes], target: IO[bytes], recipients: list[pyrage.x25519.Recipient]) -> None:
        at_once.wait(60)
        encrypt(source, target, recipients)
        at_once.wait(60)

    def back_up(_: int) -> bool:
        other = Process(settings)
        try:
            make_backup(other, path, [key.to_public()])
        except BackupUnusable:
            return False
        finally:
            other.engine.dispose()
        return True

    with patch("app.container.backup.pyrage.encrypt_io", together), ThreadPoolExecutor(2) as pool:
        done = list(pool.map(back_up, range(2)))
    assert True in done
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(path.read_bytes(), [key]))) as archive:
        manifest = json.loads(archive.extractfile("manifest.json").read())
        found = {each.name: hashlib.sha256(archive.extractfile(each).read()).hexdigest() for each in archive}
    assert {name: found[name] for name in manifest["files"]} == manifest["files"]
    assert [each.name for each in tmp_path.glob(".sceau-backup-*")] == []


def test_backup_removes_what_a_killed_one_left_beside_it(owner_at: Operator, key, tmp_path: Path):
    old, new = tmp_path / ".sceau-backup-aa.part", tmp_path / ".sceau-backup-bb.part"
    for each in (old, new):
        each.write_bytes(b"x")
    os.utime(old, (0, 0))
    assert owner_at.types("backup", tmp_path / "b.age", "--recipient", str(key.to_public())).code == 0
    assert (old.exists(), new.exists()) == (False, True)


def test_decrypted_backup_of_a_killed_restore_is_removed_by_the_next_backup_or_restore(
    owner_at: Operator, elsewhere: Settings, key, key_file: Path, tmp_path: Path, monkeypatch
):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    database = make_url(elsewhere.database_url)
    is_sqlite = database.get_backend_name() == "sqlite"
    folder = Path(str(database.database)).parent if is_sqlite else tmp_path / "temporary"

    def abandon(folder: Path) -> Path:
        left = folder / ".sceau-restore-aa"
        left.mkdir(parents=True)
        (left / "database").write_bytes(b"Zo\xc3\xa9 Petit")
        os.utime(left, (0, 0))
        return left

    left = abandon(tmp_path)
    path = backed_up(owner_at, key, tmp_path / "b.age")
    assert not left.exists()
    left = abandon(folder)
    owner_at.works_with(elsewhere)
    done = owner_at.types("restore", "--backup", path, "--identity", key_file, "--yes", "--reason", REASON)
    assert (done.code, left.exists()) == (0, False), done.err


def test_backup_from_before_a_new_master_key_opens_with_the_old_one_beside_it(
    app: App, owner_at: Operator, elsewhere: Settings, key, key_file: Path, tmp_path: Path
):
    given(app, ROOF)
    path = backed_up(owner_at, key, tmp_path / "sceau.age")
    owner_at.types("keys", "make-kek", tmp_path / "kek-2")
    old = elsewhere.development_dir / "kek"
    owner_at.works_with(
        elsewhere.model_copy(update={"kek": f"file:{tmp_path / 'kek-2'}", "other_keks": f"file:{old}"})
    )
    done = owner_at.types("restore", "--backup", path, "--identity", key_file)
    assert done.code == 0, done.err


def test_archive_read_to_its_end_mark_is_whole_whatever_padding_follows() -> None:
    """The reader of an archive stops at its end mark; a good backup was refused when the rest came later."""

    def write(target: IO[bytes]) -> None:
        target.write(b"archive" + bytes(1_000_000))

    with _piped(write) as source:
        assert source.read(7) == b"archive"
