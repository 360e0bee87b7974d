"""Metrics for the operator: who may read them, and what they contain."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from app.domain.activities.files import FileNoun, FileState, StoredFile
from app.domain.activity_log import CampusLog, LogCheckpoint, LogCosignature, LogWitness
from app.domain.campus.campus import KeyPurpose, SealedKey
from app.domain.publishing import LIST_LIFE, StatusList
from app.http.health import worker_endpoint
from app.main import create_app
from app.telemetry import note_chunk
from tests.app.api.clients import open_award, stored
from tests.support.app import App

TOKEN = "k3Wm9vX2pQ7tLz5rB8nC"


def asked(app: App, *, address: str = "127.0.0.1", token: str = "", **settings: Any) -> Any:
    """/metrics of this application under other settings, requested from this address."""
    app.process.settings = app.process.settings.model_copy(update=settings)
    client = TestClient(create_app(process=app.process), client=(address, 50000))
    return client.get("/metrics", headers={"Authorization": f"Bearer {token}"} if token else {})


PRODUCTION = {"base_url": "https://badges.exemple.fr"}


@pytest.mark.parametrize(
    ("asker", "status"),
    [
        ({"address": "127.0.0.1"}, 200),
        ({"address": "::1"}, 200),
        ({"address": "192.0.2.7"}, 404),
        ({"address": "127.0.0.1", **PRODUCTION}, 404),
        ({"address": "127.0.0.1", "metrics_token": TOKEN}, 404),
        ({"address": "192.0.2.7", "metrics_token": TOKEN, "token": TOKEN, **PRODUCTION}, 200),
        ({"address": "192.0.2.7", "metrics_token": TOKEN, "token": TOKEN[:-1], **PRODUCTION}, 404),
        ({"address": "192.0.2.7", "metrics_token": TOKEN, "token": "x" * 20, **PRODUCTION}, 404),
    ],
    ids=[
        "this machine in development",
        "this machine by its newer address",
        "another machine",
        "a proxy beside the server",
        "no token where there is one",
        "the token",
        "most of the token",
        "another token",
    ],
)
def test_only_the_operator_reads_the_metrics(app: App, asker: dict[str, Any], status: int) -> None:
    before = app.process.settings
    try:
        assert asked(app, **asker).status_code == status
    finally:
        app.process.settings = before


def figures(app: App) -> dict[str, float]:
    lines = re.findall(r"^(sceau_\S+?(?:\{.*\})?) (\S+)$", asked(app).text, re.MULTILINE)
    return {name: float(value) for name, value in lines}


def test_requests_are_counted_by_the_template_of_their_route(app: App, world: TestClient) -> None:
    name = 'sceau_requests_total{method="GET",route="/campus/{slug}/did.json",status="200"}'
    before = figures(app).get(name, 0)
    assert world.get(f"/campus/{app.campus.slug}/did.json").status_code == 200
    after = figures(app)
    assert after[name] == before + 1
    assert after['sceau_request_seconds_count{route="/campus/{slug}/did.json"}'] >= 1
    assert not any(app.campus.slug in each for each in after)


def test_unknown_paths_and_invented_methods_are_one_line_each(app: App, world: TestClient) -> None:
    for path in ("/rien/zoe@exemple.fr", "/rien/2"):
        world.get(path)
        world.request("INVENTED", path)
    after = figures(app)
    assert after['sceau_requests_total{method="GET",route="none",status="404"}'] >= 2
    assert after['sceau_requests_total{method="other",route="none",status="404"}'] >= 2
    assert not any("zoe" in each or "INVENTED" in each for each in after)


def test_verdicts_and_ways_to_the_canonical_form_are_counted(app: App, world: TestClient) -> None:
    badge = stored(app, open_award(app), "json")
    valid = 'sceau_verdicts_total{form="data_integrity",verdict="valid"}'
    unread = 'sceau_verdicts_total{form="unread",verdict="undetermined"}'
    altered = badge.replace(b'"name":"', b'"name":"M', 1)
    assert altered != badge
    before = figures(app)
    world.post("/api/v1/verify", content=badge)
    world.post("/api/v1/verify", content=altered)
    world.post("/api/v1/verify", content=b"no badge at all")
    after = figures(app)
    assert after[valid] == before.get(valid, 0) + 1
    assert after[unread] == before.get(unread, 0) + 1
    way = 'sceau_canonical_ways_total{way="%s"}'
    assert after['sceau_requests_total{method="POST",route="/api/v1/verify",status="200"}'] >= 2
    assert after[way % "compiled"] > before[way % "compiled"]
    assert way % "general" in after


OPERATE = Path(__file__).parents[4] / "docs/operate"
ENDINGS = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}


def names_of(text: str) -> set[str]:
    return set(re.findall(r"\bsceau_[a-z_]+", text))


def families(app: App) -> dict[str, str]:
    """Name and type of each metric, whether it has a value yet or not."""
    note_chunk("award", "done", 0.1)
    return dict(re.findall(r"^# TYPE (sceau_\S+) (counter|histogram|gauge)$", asked(app).text, re.MULTILINE))


@pytest.mark.parametrize("name", ["deploy/dashboard.json", "deploy/alerts.yaml"])
def test_every_metric_that_dashboard_and_alerts_name_exists(app: App, name: str) -> None:
    named = names_of((OPERATE / name).read_text())
    shown = {
        each.removesuffix("_total") + end if kind == "counter" else each + end
        for each, kind in families(app).items()
        for end in ENDINGS[kind]
    }
    assert len(named) > 10
    assert named - shown == set()


def test_every_metric_is_documented_and_no_other(app: App) -> None:
    table = [line for line in (OPERATE / "watch.md").read_text().splitlines() if line.startswith("| `sceau_")]
    explained = names_of(" ".join(line.split("|")[1] for line in table))
    created = {each for each in families(app) if each.endswith("_created")}
    assert explained == families(app).keys() - created


def test_alerts_name_the_first_action() -> None:
    rules = (OPERATE / "deploy/alerts.yaml").read_text().split("- alert: ")[1:]
    assert [rule.split()[0] for rule in rules if "action: " not in rule or "summary: " not in rule] == []


def test_alerts_match_vectors_with_vectors_only() -> None:
    """Prometheus refuses the whole file where `on` or `ignoring` follows a number."""
    rules = (OPERATE / "deploy/alerts.yaml").read_text()
    before = re.findall(r"(\S+) (?:[-+*/%^<>]|[<>=!]=) (?:on|ignoring) ?\(", rules)
    assert len(before) == len(re.findall(r"\b(?:on|ignoring) ?\(", rules)) > 0
    assert [each for each in before if re.fullmatch(r"[\d.e+-]+", each)] == []


def test_ages_of_what_is_signed_are_shown(app: App) -> None:
    open_award(app)
    at = app.clock.now
    with app.unit_of_work() as services:
        services.log_watch.sign(next(iter(services.stores.activity_log.list_all())).campus_id)
    with app.unit_of_work(reading=True) as services:
        session = services.stores.session
        (published,) = session.exec(select(StatusList.published_at)).all()
        made = session.exec(
            select(SealedKey.created_at).where(SealedKey.purpose == KeyPurpose.CREDENTIAL)
        ).all()
    found = figures(app)
    assert found["sceau_status_list_expiry_timestamp_seconds"] == (published + LIST_LIFE).timestamp()
    assert found['sceau_signing_key_oldest_timestamp_seconds{purpose="credential"}'] == min(made).timestamp()
    assert found["sceau_log_head_timestamp_seconds"] == at.timestamp()
    assert found["sceau_log_unsigned_seconds"] == found["sceau_keys_under_other_kek"] == 0
    assert found["sceau_kek_timestamp_seconds"] > 0
    assert found["sceau_problems"] == 0
    assert found['sceau_disk_free_bytes{folder="anchors"}'] > 0


def test_log_lines_under_no_signed_head_are_counted_from_the_last_line(app: App) -> None:
    app.record("Maël Kerbrat;mael@exemple.fr")
    app.clock.move(minutes=90)
    assert figures(app)["sceau_log_unsigned_seconds"] == 5400


def witness(app: App, named_at: datetime) -> LogWitness:
    return LogWitness(
        campus_id=app.campus.id,
        name="temoin.exemple",
        label="Témoin",
        vkey="temoin.exemple+1+AA",
        named_at=named_at,
    )


def test_a_witness_without_a_cosignature_for_a_day_is_silent(app: App) -> None:
    open_award(app)
    with app.unit_of_work() as services:
        session = services.stores.session
        log = session.exec(select(CampusLog).where(CampusLog.campus_id == app.campus.id)).one()
        session.add(witness(app, app.clock.now - timedelta(days=1)))
        if session.get(LogCheckpoint, (log.id, log.size)) is None:
            session.add(
                LogCheckpoint(log_id=log.id, size=log.size, root=b"r", note="n", signed_at=app.clock.now)
            )
    assert figures(app)["sceau_witnesses_silent"] == 0, "it has a day"
    app.clock.move(hours=25)
    assert figures(app)["sceau_witnesses_silent"] == 1
    with app.unit_of_work() as services:
        services.stores.session.add(
            LogCosignature(
                log_id=log.id, size=log.size, witness="temoin.exemple", line="l", seen_at=app.clock.now
            )
        )
    assert figures(app)["sceau_witnesses_silent"] == 0


def test_jobs_that_wait_are_counted_with_the_oldest(app: App) -> None:
    waiting = 'sceau_jobs_waiting{kind="scans"}'
    before = figures(app)[waiting]
    with app.unit_of_work() as services:
        services.stores.session.add(
            StoredFile(
                campus_id=app.campus.id,
                noun=FileNoun.ACTIVITY,
                noun_id=app.activity.id,
                name="banc.jpg",
                media_type="image/jpeg",
                size=1,
                digest="0" * 64,
                state=FileState.WAITING,
                added_at=app.clock.now,
            )
        )
    app.clock.move(minutes=2)
    found = figures(app)
    assert found[waiting] == before + 1
    assert found['sceau_jobs_waiting_oldest_seconds{kind="scans"}'] >= 120


def test_a_separate_worker_answers_only_health_and_metrics(app: App) -> None:
    client = TestClient(worker_endpoint(app.process), client=("127.0.0.1", 50000))
    note_chunk("letter", "failed", 2.0)
    assert client.get("/health/live").json() == {"status": "live"}
    assert client.get("/health/ready").status_code == 200
    assert 'sceau_job_chunks_total{kind="letter",outcome="failed"}' in client.get("/metrics").text
    for path in ("/", "/connexion", "/api/v1/openapi.json", "/openapi.json", "/docs"):
        assert client.get(path).status_code == 404
    stranger = TestClient(worker_endpoint(app.process), client=("192.0.2.7", 50000))
    assert stranger.get("/metrics").status_code == 404


def test_a_worker_that_stopped_polling_is_not_ready(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.process, "is_working", lambda: False)
    answer = TestClient(worker_endpoint(app.process)).get("/health/ready")
    assert answer.status_code == 503
    assert "travail de fond" in answer.json()["problems"][0]
