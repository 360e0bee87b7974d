"""`sceau doctor` names each fault with its remedy, and changes nothing."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from limits.errors import StorageError
from limits.storage import MemoryStorage
from sqlalchemy.engine import make_url

from app.adapters.accounts import RateLimits
from app.container import doctor
from app.container.process import Process
from app.domain.awards.signing_clock import Ticks
from app.settings import unknown_names
from tests.app.cli.conftest import Operator
from tests.support.app import App
from tests.support.content.restores import given

pytestmark = pytest.mark.both_engines


@pytest.fixture
def operator(stranger: Operator, app: App) -> Operator:
    stranger.works_with(app.process.settings)
    return stranger


def findings(operator: Operator) -> dict[str, tuple[str, str]]:
    lines = [json.loads(line) for line in operator.types("doctor", "--json").out.splitlines()]
    return {line["subject"]: (line["state"], line["sentence"]) for line in lines}


def test_doctor_of_a_working_service_has_no_fault(app: App, operator: Operator):
    done = operator.types("doctor")
    assert done.code == 0, done.out
    found = findings(operator)
    assert found["Base de données"][0] == found["Clés, horloge et ancres"][0] == found["Rôle"][0] == "good"
    assert found["E-mail"][0] == found["Antivirus"][0] == "warning"
    assert all(line.startswith("    → ") for line in done.out.splitlines() if line[0] not in "✓!✗")


def test_doctor_names_faults_and_goes_on(app: App, operator: Operator):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        closed = probe.getsockname()[1]
    operator.sets(
        SCEAU_SMTP_URL=f"smtp://u:tr0mp3tte@127.0.0.1:{closed}", SCEAU_SCANNER=f"tcp://127.0.0.1:{closed}"
    )
    done = operator.types("doctor")
    assert done.code == 1
    assert "tr0mp3tte" not in done.out + done.err
    found = findings(operator)
    assert found["E-mail"][0] == found["Antivirus"][0] == "fault"
    assert found["Base de données"][0] == "good"


def test_doctor_and_commands_repeat_why_the_server_refuses(app: App, operator: Operator):
    url = make_url(app.process.settings.database_url)
    if url.get_backend_name() != "postgresql":
        pytest.skip("SQLite has no server")
    nowhere = url.set(database="absent").render_as_string(hide_password=False)
    operator.sets(SCEAU_DATABASE_URL=nowhere)
    assert findings(operator)["Base de données"] == (
        "fault",
        'Elle répond : « database "absent" does not exist »',
    )
    done = operator.types("campus", "list")
    assert done.code == 75
    assert 'database "absent" does not exist' in done.err
    operator.sets(SCEAU_DATABASE_URL=f"{nowhere}?conect_timeout=3")
    state, sentence = findings(operator)["Démarrage"]
    assert (state, "conect_timeout" in sentence) == ("fault", True)


def test_owner_of_another_database_is_refused_before_anything_is_done(
    app: App, operator: Operator, empty_postgres_url: str, tmp_path: Path
):
    if make_url(app.process.settings.database_url).get_backend_name() != "postgresql":
        pytest.skip("SQLite has no owner")
    operator.sets(SCEAU_OWNER_DATABASE_URL=empty_postgres_url)
    done = operator.types("backup", str(tmp_path / "a.age"), "--unencrypted")
    assert done.code == 1
    assert "ne désignent pas la même base" in done.err
    assert not (tmp_path / "a.age").exists()
    assert findings(operator)["Rôle"][0] == "fault"


def test_owner_who_is_not_reached_or_named_amiss_is_a_sentence(
    app: App, operator: Operator, tmp_path: Path
) -> None:
    url = make_url(app.process.settings.database_url)
    if url.get_backend_name() != "postgresql":
        pytest.skip("SQLite has no owner")
    silent = url.set(port=1).render_as_string(hide_password=False)
    operator.sets(SCEAU_OWNER_DATABASE_URL=silent)
    assert findings(operator)["Rôle"] == ("fault", "Le serveur de SCEAU_OWNER_DATABASE_URL ne répond pas.")
    done = operator.types("backup", str(tmp_path / "a.age"), "--unencrypted")
    assert (done.code, "Vérifiez SCEAU_OWNER_DATABASE_URL." in done.err) == (75, True), done.err
    operator.sets(SCEAU_OWNER_DATABASE_URL=f"{silent}?conect_timeout=3")
    state, sentence = findings(operator)["Démarrage"]
    assert (state, sentence.endswith('option "conect_timeout".')) == ("fault", True)
    done = operator.types("backup", str(tmp_path / "a.age"), "--unencrypted")
    assert "SCEAU_OWNER_DATABASE_URL: invalid connection option" in done.err


def test_an_empty_database_beside_anchors_that_know_campuses_is_not_migrated_by_mistake(
    app: App, operator: Operator, tmp_path: Path
):
    given(app, "Zoé Petit; zoe@exemple.fr")
    operator.sets(SCEAU_DATABASE_URL=f"sqlite:///{tmp_path}/unmounted/s.sqlite", SCEAU_OWNER_DATABASE_URL="")
    for done in (operator.types("serve"), operator.types("campus", "list")):
        assert done.code == 3
        assert "Son disque est-il monté" in done.err
    assert findings(operator)["Base de données"][0] == "fault"


def test_a_file_that_may_not_be_read_is_named_by_doctor_and_commands(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/srv/anchors/lists")

    monkeypatch.setattr(Process, "check", check)
    sentence = "/srv/anchors/lists ne se laisse pas lire ou écrire (accès refusé)"
    state, found = findings(operator)["Démarrage"]
    assert (state, sentence in found) == ("fault", True)
    done = operator.types("log", "check")
    assert (done.code, sentence in " ".join(done.err.split())) == (3, True)


def test_doctor_finds_a_folder_of_the_anchors_that_cannot_be_written(
    app: App, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    (app.process.anchors.folder / "journal" / "campus").mkdir(parents=True, exist_ok=True)
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "campus" and access(path, mode))
    assert findings(operator)["Dossier des ancres"][0] == "fault"


def test_doctor_notices_an_anchor_folder_that_was_begun_again(app: App, operator: Operator):
    folder = app.process.anchors.folder
    given(app, "Zoé Petit; zoe@exemple.fr")
    for days, is_anew in ((0, False), (3, True)):
        begun = (app.campus.created_at + timedelta(days=days)).timestamp()
        os.utime(folder / "begun", (begun, begun))
        state, sentence = findings(operator)["Dossier des ancres"]
        assert state != "fault"
        assert ("n’existe que depuis" in sentence) == is_anew


def test_doctor_notices_an_anchor_folder_that_is_gone_before_the_service_starts(app: App, operator: Operator):
    given(app, "Zoé Petit; zoe@exemple.fr")
    shutil.rmtree(app.process.anchors.folder)
    app.clock.move(days=3)
    for _ in range(2):
        state, sentence = findings(operator)["Dossier des ancres"]
        assert (state, "n’existe que depuis" in sentence) == ("warning", True)


def test_doctor_finds_another_master_key(operator: Operator, tmp_path: Path):
    operator.types("keys", "make-kek", tmp_path / "kek")
    operator.sets(SCEAU_KEK=f"file:{tmp_path / 'kek'}")
    done = operator.types("doctor")
    assert done.code == 1
    assert "SCEAU_KEK" in done.out


def test_doctor_sees_an_unmigrated_and_a_silent_database(operator: Operator, tmp_path: Path):
    operator.sets(SCEAU_DATABASE_URL=f"sqlite:///{tmp_path}/empty/s.sqlite", SCEAU_OWNER_DATABASE_URL="")
    done = operator.types("doctor")
    assert (done.code, "sceau migrate" in done.out) == (1, True)
    operator.sets(SCEAU_DATABASE_URL="postgresql+psycopg://nobody:x@127.0.0.1:1/none")
    done = operator.types("doctor")
    assert (done.code, "ne répond pas" in done.out) == (1, True)


def test_doctor_warns_of_silent_workers_and_a_missing_check(operator: Operator):
    found = findings(operator)
    assert found["Travail de fond"][0] == found["Dernière vérification"][0] == "warning"


def test_doctor_names_a_clock_jump_and_leaves_signing_as_it_was(app: App, monkeypatch: pytest.MonkeyPatch):
    started = datetime(2026, 12, 1, 8, tzinfo=UTC)
    settings = app.process.settings
    before = Process(settings, clock=lambda: started, counter=lambda: Ticks("boot", 1000.0))
    before.observe_clock()
    monkeypatch.setattr(
        doctor,
        "Process",
        lambda settings: Process(
            settings, clock=lambda: started + timedelta(hours=1), counter=lambda: Ticks("boot", 1001.0)
        ),
    )
    found = {each.subject: each for each in doctor.examine(settings)}
    assert "sauté" in found["Clés, horloge et ancres"].sentence
    assert before.observe_clock() is None
    before.engine.dispose()


def test_doctor_writes_no_anchor_and_makes_no_folder(app: App, operator: Operator, tmp_path: Path):
    app.record("Maël Kerbrat;mael@exemple.fr")
    elsewhere = tmp_path / "elsewhere" / "anchors"
    operator.sets(SCEAU_LOG_ANCHORS=str(elsewhere))
    assert findings(operator)["Dossier des ancres"][0] != "fault"
    assert not elsewhere.parent.exists()
    elsewhere.mkdir(parents=True)
    operator.types("doctor")
    assert {each.name for each in elsewhere.iterdir()} == {"probe", "lock"}


def test_doctor_finds_a_missing_anchor_folder_that_cannot_be_made(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.sets(SCEAU_LOG_ANCHORS=str(tmp_path / "closed" / "anchors"))
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path and access(path, mode))
    state, sentence = findings(operator)["Dossier des ancres"]
    assert (state, "accès refusé" in sentence) == ("fault", True)


def test_doctor_goes_on_where_the_anchor_folder_cannot_be_made(operator: Operator, tmp_path: Path):
    (tmp_path / "file").write_bytes(b"")
    operator.sets(SCEAU_LOG_ANCHORS=str(tmp_path / "file" / "anchors"))
    found = findings(operator)
    assert found["Dossier des ancres"][0] == "fault"
    assert found["Disque"][0] == "good"


def test_doctor_names_each_reason_why_a_role_is_not_held_back(
    app: App, operator: Operator, monkeypatch: pytest.MonkeyPatch
):
    if app.process.engine.dialect.name != "postgresql":
        return
    monkeypatch.setattr(Process, "bypasses_policies", True)
    state, sentence = findings(operator)["Rôle"]
    assert (state, "BYPASSRLS" in sentence, "superutilisateur" in sentence) == ("warning", True, True)


def test_doctor_tells_a_check_that_never_ended_from_an_old_one(operator: Operator):
    assert "jamais" in findings(operator)["Dernière vérification"][1]


def test_doctor_names_misspelt_settings_and_never_their_values(operator: Operator):
    operator.sets(SCEAU_TRUSTED_PROXY="tr0mp3tte", SCEAU_COLOUR="blue", SCEAU_TEST_KILLS="3")
    done = operator.types("doctor")
    assert "SCEAU_COLOUR, SCEAU_TRUSTED_PROXY." in done.out
    assert "Vouliez-vous dire SCEAU_TRUSTED_PROXIES ?" in done.out
    assert "tr0mp3tte" not in done.out + done.err
    assert "SCEAU_TEST_KILLS" not in done.out


def test_unknown_names_leave_out_what_other_settings_refer_to(tmp_path: Path):
    services = tmp_path / "services.toml"
    services.write_text('[campus]\nclient_secret = "env:SCEAU_OPENID_SECRET"\n')
    given = {
        "SCEAU_KEK": "env:SCEAU_MASTER", "SCEAU_MASTER": "x", "SCEAU_HSM": "pkcs11:token=a?pin-source=env:SCEAU_PIN",
        "SCEAU_PIN": "x", "SCEAU_SIGN_IN_SERVICES": str(services), "SCEAU_OPENID_SECRET": "x", "sceau_locale": "fr",
        "SCEAU_SHARED_DATA": "/x", "HOME": "/root", "SCEAU_SECRETS": "x", "SCEAU_KEKS": "x",
    }  # fmt: skip
    assert unknown_names(given) == {"SCEAU_KEKS": "SCEAU_KEK", "SCEAU_SECRETS": "SCEAU_SECRET"}


def test_refused_settings_show_the_misspelt_one(operator: Operator):
    operator.sets(
        SCEAU_BASE_URL="https://badges.exemple.fr", SCEAU_FETCH_LOCAL_PORTS="", SCEAU_SECRT="x" * 40
    )
    done = operator.types("doctor")
    assert (done.code, "vouliez-vous SCEAU_SECRET ?" in done.err) == (3, True)


@pytest.mark.parametrize(
    ("name", "value", "french", "english"),
    [
        (
            "SCEAU_PORT",
            "99999",
            "SCEAU_PORT doit valoir 65535 ou moins.",
            "SCEAU_PORT must be 65535 or less.",
        ),
        ("SCEAU_WORKERS", "two", "SCEAU_WORKERS doit être un nombre entier.", "must be a whole number."),
        ("SCEAU_FETCH", "maybe", "SCEAU_FETCH doit valoir on ou off.", "SCEAU_FETCH must be on or off."),
        ("SCEAU_LOG_FORMAT", "xml", "doit correspondre à ^(json|text)$.", "must match ^(json|text)$."),
        ("SCEAU_BASE_URL", "http://Localhost", "comme les navigateurs l’envoient.", "as browsers send it."),
    ],
)
def test_refused_settings_are_in_the_language_of_the_operator(
    operator: Operator, name: str, value: str, french: str, english: str
) -> None:
    for locale, sentence in ("fr", french), ("en", english):
        operator.sets(SCEAU_LOCALE=locale, **{name: value})
        done = operator.types("migrate", "--check")
        assert (done.code, sentence in done.err) == (3, True), done.err


def test_doctor_says_when_nothing_counts_rate_limits(app: App, monkeypatch: pytest.MonkeyPatch):
    counts = MemoryStorage()
    check = Mock(return_value=True)
    monkeypatch.setattr(counts, "check", check)
    limits = RateLimits(counts, b"k")
    monkeypatch.setattr(
        doctor, "Process", lambda settings: Process(settings, clock=app.process.clock, limiter=limits)
    )

    def state() -> str:
        found = {each.subject: each.state for each in doctor.examine(app.process.settings)}
        return found["Limites de débit"].value

    assert state() == "good"
    check.return_value = False
    assert state() == "fault"
    check.side_effect = StorageError(OSError())
    assert state() == "fault"


@pytest.mark.parametrize(
    ("printed", "state"),
    [
        ("pg_dump (PostgreSQL) 9.6.24\n", "warning"),
        ("", "warning"),
        ("pg_dump (PostgreSQL) 99.1 (Debian 99.1-1)\n", "good"),
    ],
)
def test_doctor_compares_pg_dump_with_the_server(
    app: App, operator: Operator, monkeypatch: pytest.MonkeyPatch, printed: str, state: str
):
    monkeypatch.setattr(doctor, "program_version", lambda _name: printed)
    found = findings(operator)["Programme de sauvegarde"]
    is_sqlite = app.process.engine.dialect.name == "sqlite"
    assert found[0] == ("good" if is_sqlite else state)
    assert ("pg_dump" in found[1]) != is_sqlite
