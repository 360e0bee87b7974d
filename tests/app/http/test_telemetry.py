"""Traces: what they contain, what they never contain, and their cost when they are off."""

from __future__ import annotations

import subprocess
import sys
from contextlib import nullcontext

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app import telemetry
from tests.support.app import App

NAME, ADDRESS, STORY = "Zoélie", "zoelie@courriel.exemple", "Elle a tenu la table des capteurs."
ALLOWED = set(telemetry.ATTRIBUTES.values())


@pytest.fixture
def exporter(app: App, monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    monkeypatch.setattr(telemetry, "_provider", None)
    exporter = InMemorySpanExporter()
    telemetry.start("", app.process.engine, exporter=exporter)
    return exporter


def test_spans_follow_a_request_an_award_and_a_failure_without_personal_data(
    app: App, exporter: InMemorySpanExporter
) -> None:
    link = app.private_link(app.award(f"{NAME} Martin;{ADDRESS}", badge=app.role, evidence=STORY))
    client = app.client(app.trainer)
    client.get(link)
    client.get("/espace/itip", params={"q": NAME})
    client.get(f"/verifier?badge={ADDRESS}", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    with pytest.raises(ValueError, match=ADDRESS), telemetry.span("job", kind="award"):
        raise ValueError(ADDRESS)
    spans = exporter.get_finished_spans()
    assert {each.name for each in spans} == {"request", "database", "sign", "job"}
    requests = {each.context.span_id: each for each in spans if each.name == "request"}
    assert any(each.parent and each.parent.span_id in requests for each in spans if each.name == "database")
    assert {each.parent for each in requests.values()} == {None}
    assert {key for each in spans for key in each.attributes} <= ALLOWED
    result = "".join(each.to_json() for each in spans)
    secret = link.rpartition("/")[2]
    cookies = [cookie.value for cookie in client.cookies.jar]
    for private in (
        NAME,
        "Martin",
        ADDRESS,
        "courriel",
        STORY,
        secret,
        *cookies,
        app.process.settings.database_url,
    ):
        assert private not in result
    assert "ValueError" in result


def test_statement_that_fails_ends_its_span(app: App, exporter: InMemorySpanExporter) -> None:
    with app.process.engine.connect() as connection, pytest.raises(Exception, match="no_such_table"):
        connection.exec_driver_sql("SELECT 1 FROM no_such_table")
    [failed] = [each for each in exporter.get_finished_spans() if each.name == "database"][-1:]
    assert failed.attributes["db.operation.name"] == "SELECT"
    with telemetry.span("job", kind="award"):
        pass
    assert exporter.get_finished_spans()[-1].parent is None


def test_nothing_is_imported_nor_recorded_when_traces_are_off(app: App) -> None:
    telemetry.start("", app.process.engine)
    assert isinstance(telemetry.span("job", kind="award"), nullcontext)
    code = (
        "import sys, app.main; print([name for name in sys.modules if name.startswith('opentelemetry.sdk')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
