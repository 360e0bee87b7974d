"""The receiver of docs/integrating.md, run on messages that the service really sends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.app.api.clients import V1
from tests.support.app import App
from tests.support.servers.webhooks import Received, receiver_of, work

DOCS = Path(__file__).resolve().parents[4] / "docs" / "integrating.md"
_EXAMPLE = re.compile(r'```python title="receiver.py"\n(.*?)```', re.DOTALL)


@pytest.fixture
def example(app: App) -> dict[str, Any]:
    found = _EXAMPLE.search(DOCS.read_text())
    assert found
    assert len([line for line in found[1].splitlines() if line]) <= 15
    names: dict[str, Any] = {}
    exec(found[1], names)
    names["time"] = SimpleNamespace(time=lambda: app.clock.now.timestamp())
    return names


@pytest.fixture
def sent(app: App, program: TestClient) -> Iterator[tuple[Received, str, str]]:
    """A message after a rotation, the secret before it and the new one."""
    usual, receiver = app.process.webhook_client, receiver_of(app)
    body = {"url": "https://si.exemple.fr/badges", "label": "SI", "kinds": ["award"]}
    hook = program.post(f"{V1}/webhooks", json=body).json()
    here = f"{V1}/webhooks/{hook['id']}"
    newer = program.post(f"{here}/secret").json()["secret"]
    program.post(f"{here}/test")
    work(app)
    yield receiver.received[-1], hook["secret"], newer
    program.delete(here)
    app.process.webhook_client = usual


def test_example_accepts_what_is_sent_with_either_secret(
    example: dict[str, Any], sent: tuple[Received, str, str]
):
    message, before, newer = sent
    assert example["receive"](message.headers, message.body, before) == 204
    assert example["receive"](message.headers, message.body, newer) == 204
    assert example["SEEN"] == {message.id}


def test_example_refuses_another_body_another_secret_and_an_old_message(
    app: App, example: dict[str, Any], sent: tuple[Received, str, str]
):
    message, _, secret = sent
    assert example["receive"](message.headers, message.body + b" ", secret) == 401
    assert example["receive"](message.headers, message.body, "whsec_" + "A" * 44) == 401
    other_id = {**message.headers, "webhook-id": "msg_0"}
    assert example["receive"](other_id, message.body, secret) == 401
    example["time"] = SimpleNamespace(time=lambda: app.clock.now.timestamp() + 301)
    assert example["receive"](message.headers, message.body, secret) == 401
