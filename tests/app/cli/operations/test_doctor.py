"""`sceau doctor` names each fault with its remedy, and changes nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.container import health
from app.container.process import Process
from app.domain.awards.signing_clock import Ticks
from tests.app.cli.conftest import Operator
from tests.support.app import App, build_app


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[App]:
    app = build_app(database_url, tmp_path)
    yield app
    app.close()


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
        health,
        "Process",
        lambda settings: Process(
            settings, clock=lambda: started + timedelta(hours=1), counter=lambda: Ticks("boot", 1001.0)
        ),
    )
    found = {each.subject: each for each in health.examine(settings)}
    assert "sauté" in found["Clés, horloge et ancres"].sentence
    assert before.observe_clock() is None
    before.engine.dispose()


def test_doctor_writes_no_anchor(app: App, operator: Operator, tmp_path: Path):
    app.record("Maël Kerbrat;mael@exemple.fr")
    operator.sets(SCEAU_LOG_ANCHORS=str(tmp_path / "elsewhere"))
    operator.types("doctor")
    assert {each.name for each in (tmp_path / "elsewhere").iterdir()} == {"probe", "lock"}


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
