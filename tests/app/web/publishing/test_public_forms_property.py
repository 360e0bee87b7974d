"""Whatever holders, campuses and keys change, in any order: each public form shows it at the next request."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from app.container import Process, Services
from app.db import publishing
from app.errors import AppError
from app.main import create_app
from tests.support.app import App, build_app
from tests.support.badges.changes import Changes

STEPS = 12


OFTEN = (
    "open",
    "close",
    "open",
    "disclose_all",
    "disclose_least",
    "endorse",
    "hide_endorsement",
    "suspend",
    "lift",
    "correct_log",
)
SELDOM = ("endorse_badge", "retire_key", "lose_key", "end_label", "revoke")


def order_of(seed: int) -> list[str]:
    """Changes in a random order, of which some may be refused; what ends an award comes late."""
    chosen = random.Random(seed)
    steps = [chosen.choice(OFTEN) for _ in range(STEPS)]
    for each in chosen.sample(SELDOM, 3):
        steps.insert(chosen.randrange(STEPS), each)
    return [*steps, "erase"]


@pytest.fixture
def app(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """Never relies on an earlier answer of the database about its commits: it is asked each time."""
    monkeypatch.setattr(publishing, "_KNOWS_FOR", 0)
    built = build_app(database_url, tmp_path)
    yield built
    built.close()


@pytest.fixture
def neighbour(app: App) -> Iterator[Process]:
    """Another process on the same database."""
    process = Process(
        app.process.settings, clock=app.clock, mailer=app.process.mailer, limiter=app.process.limiter
    )
    yield process
    process.engine.dispose()


@pytest.fixture
def uncached(neighbour: Process, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """An application that shares nothing between two requests."""

    async def never() -> None:
        return None

    monkeypatch.setattr(neighbour, "snapshot", never)
    monkeypatch.setattr(neighbour.public_documents, "version", never)
    with TestClient(
        create_app(process=neighbour),
        base_url=neighbour.settings.base_url,
        headers={"accept": "text/html"},
        follow_redirects=False,
    ) as client:
        yield client


def forms_of(app: App, award_id: uuid.UUID, status_list: str) -> list[tuple[str, Mapping[str, str]]]:
    page = f"/attributions/{award_id}"
    pages = [(page, {"accept-language": language}) for language in ("fr", "en")]
    beside = [f"{page}/integrer", f"/oembed?url={app.process.addresses.award(award_id)}"]
    documents = [f"{page}.{form}" for form in ("json", "jwt", "svg")]
    of_log = [f"/preuves/{award_id}", f"/preuves/{award_id}/montrees", "/campus/itip/journal/checkpoint"]
    shared = ["/campus/itip/did.json", status_list, f"{status_list}.suspensions", "/campus/itip"]
    return [*pages, *((path, {}) for path in (*documents, *beside, *of_log, *shared))]


def seen(client: TestClient, path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    accept = "*/*" if path.startswith("/statuts") or path.endswith(".json") else "text/html"
    answer = client.get(path, headers={"accept": accept, **headers})
    # The one part that differs in each answer, on an error page too.
    number = answer.headers.get("x-request-id", "")
    return answer.status_code, answer.content.replace(number.encode(), b"") if number else answer.content


@pytest.mark.parametrize("seed", range(2))
def test_every_form_shows_each_change_at_the_next_request(
    app: App, neighbour: Process, uncached: TestClient, seed: int
) -> None:
    changes, client = Changes(app), app.client()
    credential = client.get(f"/attributions/{changes.award_id}.json").json()
    status_list = urlsplit(credential["credentialStatus"]["statusListCredential"]).path
    forms = forms_of(app, changes.award_id, status_list)
    applied = []
    for position, step in enumerate(order_of(seed)):
        writer = (app.process, neighbour)[position % 2]
        change: Callable[[Services], None] = getattr(changes, step)
        try:
            with writer.unit_of_work() as services:
                change(services)
            applied.append(step)
        except AppError:
            pass  # closed twice, or after the end: nothing changed, and nothing may appear changed
        if position % 3 == 2:
            app.clock.move(seconds=1)
        for path, headers in forms:
            # Twice: a later change must not meet only what the first read cached.
            first, second = (seen(client, path, headers) for _ in range(2))
            assert first == second == seen(uncached, path, headers), (step, path)
    assert len(applied) >= STEPS - 3, applied
    assert applied[-1] == "erase"
