"""What an operator says about fetching, and what the process makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from app.adapters.web_documents import WEBHOOK_LIMITS, GuardedWebhooks, WebDocuments
from app.container import Process
from app.settings import Settings
from sceau_credentials.values import NoDocuments

PRODUCTION = {
    "base_url": "https://badges.exemple.fr",
    "secret": "q8Zk1vN0pT5rXy7uW3eL9mB2cD4fG6hJ",
    "kek": "env:KEK",
}


def process(folder: Path) -> Process:
    database = folder / "database"
    database.mkdir()
    return Process(Settings(database_url=f"sqlite:///{database}/a.sqlite", development_dir=folder / "dev"))


def test_documents_of_others_are_fetched_unless_forbidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("SCEAU_FETCH", raising=False)
    assert isinstance(process(tmp_path).beyond, WebDocuments)


@pytest.mark.parametrize("word", ["off", "OFF", "0", "false", "no"])
def test_one_word_forbids_all_fetching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str):
    monkeypatch.setenv("SCEAU_FETCH", word)
    assert isinstance(process(tmp_path).beyond, NoDocuments)


def test_ports_are_written_with_commas(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SCEAU_FETCH_PORTS", "443, 8443")
    monkeypatch.setenv("SCEAU_FETCH_LOCAL_PORTS", "8001,8002")
    settings = Settings()
    assert settings.ports_to_fetch_from == {443, 8443}
    assert settings.local_ports_to_fetch_from == {8001, 8002}


def test_by_default_only_the_port_of_https_is_open_and_none_of_this_machine(monkeypatch: pytest.MonkeyPatch):
    for name in ("SCEAU_FETCH_PORTS", "SCEAU_FETCH_LOCAL_PORTS"):
        monkeypatch.delenv(name, raising=False)
    assert Settings().ports_to_fetch_from == {443}
    assert Settings().local_ports_to_fetch_from == frozenset()


@pytest.mark.parametrize("ports", ["0", "65536", "https", "-1", "４４３", "443;8443"])
@pytest.mark.parametrize("name", ["fetch_ports", "fetch_local_ports"])
def test_what_is_no_port_stops_the_start(name: str, ports: str):
    with pytest.raises(ValidationError, match="numéros de port"):
        Settings(**{name: ports})


def test_ports_of_this_machine_are_never_open_in_production():
    assert Settings(**PRODUCTION).fetch
    with pytest.raises(ValidationError, match="SCEAU_FETCH_LOCAL_PORTS"):
        Settings(**PRODUCTION, fetch_local_ports="8001")


def test_networks_of_webhooks_are_written_with_commas_and_none_is_open_by_default():
    assert Settings().networks_of_webhooks == ()
    networks = Settings(webhook_networks="10.20.0.0/16, fd00::/8").networks_of_webhooks
    assert [str(each) for each in networks] == ["10.20.0.0/16", "fd00::/8"]


@pytest.mark.parametrize("written", ["10.20.0.1/16", "inside", "10.20.0.0/33"])
def test_what_is_no_network_stops_the_start(written: str):
    with pytest.raises(ValidationError, match="SCEAU_WEBHOOK_NETWORKS"):
        Settings(webhook_networks=written)


def test_webhooks_have_no_circuit_breaker_that_campuses_would_share(tmp_path: Path):
    client = process(tmp_path).webhook_client
    assert isinstance(client, GuardedWebhooks)
    assert client.documents._limits is WEBHOOK_LIMITS
