"""A fake webhook receiver without a network, with scripted answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.campus.integration import Attempt
from tests.support.app import App


@dataclass(frozen=True)
class Received:
    url: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass
class Receiver:
    """A WebhookClient that returns the items of `answers`, then always `answer`."""

    answer: Attempt = Attempt(204)  # noqa: RUF009 - frozen
    answers: list[Attempt] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    def check(self, url: str) -> None:
        pass

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Attempt:
        self.received.append(Received(url, body, headers))
        return self.answers.pop(0) if self.answers else self.answer

    @property
    def types(self) -> list[str]:
        return [each.message["type"] for each in self.received]


def receiver_of(app: App) -> Receiver:
    app.process.webhook_client = receiver = Receiver()
    return receiver


def work(app: App) -> None:
    """Run all jobs that are due."""
    sender = app.process.webhook_sender
    for _ in range(100):
        due = sender.due(limit=10)
        if not due:
            return
        for webhook_id in due:
            while sender.send_some(webhook_id):
                pass
    raise AssertionError("it never ends")
