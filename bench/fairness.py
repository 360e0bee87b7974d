"""An award of five lines beside a bulk award of 10,000 at another campus and 32 reading connections; on both
engines.

A real server with a worker in it and a separate worker beside it. The bulk award is first a trainer's,
processed by the workers, then a program's, processed by the server itself. A program awards five badges
repeatedly until that is done, or `SECONDS` are over.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx

from app.db.engine import session
from app.domain.accounts.sessions import Scope
from app.domain.awards import LineOutcome, Visibility
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.services.awards.awards import AwardRequest
from bench.measuring.engines import on_both_engines
from bench.measuring.measure import Row
from bench.ten_thousand import new_badge
from bench.whole_service import _crowd
from tests.support.app import COMMAND, App, build_app

LINES, READERS, ALONE, SECONDS = 10_000, 32, 10.0, 45.0


def run() -> list[Row]:
    return on_both_engines(_measure)


def _measure(folder: Path, url: str, engine: str) -> list[Row]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    base_url = f"http://localhost:{port}"
    session.upgrade(url)
    app = build_app(url, folder, base_url=base_url)
    crowd = _crowd(app, LINES)
    (shown,) = app.award("Zoé Lue;zoe@exemple.fr").lines
    other = replace(app, campus=app.other_campus, admin=app.stranger, trainer=app.stranger)
    badge, activity = new_badge(other), _crowd(other, 1)
    with app.unit_of_work() as services:
        assert shown.award_id is not None
        services.awards.set_visibility(shown.award_id, Visibility.OPEN, by=Actor(label="holder"))
    few, many = (_token(app, campus) for campus in (app.other_campus, app.campus))
    environment = {
        **os.environ,
        "SCEAU_BASE_URL": base_url,
        "SCEAU_DATABASE_URL": url,
        "SCEAU_DEVELOPMENT_DIR": str(folder / "secrets"),
        "SCEAU_FETCH": "off",
        "SCEAU_LIMITS": "memory",
    }
    taken: dict[str, list[float]] = {}
    with ExitStack() as running:
        running.callback(app.close)
        for command in (["serve", "--port", str(port)], ["work"]):
            running.enter_context(_process([sys.executable, "-m", "app.cli", *command], environment))
        _wait_for(base_url)
        asked = {"badge": str(badge), "activity": str(activity.id)}
        taken["alone"] = _award_again_and_again(base_url, few, asked, seconds=ALONE)
        page = f"{base_url}/attributions/{shown.award_id}"
        running.enter_context(_process([sys.executable, "-c", _READING, page, str(READERS)], environment))
        begun = time.monotonic()
        batch = _enqueue(app, crowd.id)
        taken["beside 10,000 lines of workers"] = _award_again_and_again(
            base_url, few, asked, until=lambda: _is_done(app, batch)
        )
        print(
            f"  {engine}: {_answered(app, batch):,} lines by workers in {time.monotonic() - begun:.0f} s",
            flush=True,
        )
        sent = threading.Thread(target=_award_many, args=(base_url, many, app, crowd.id), daemon=True)
        sent.start()
        taken["beside 10,000 lines of a program"] = _award_again_and_again(
            base_url, few, asked, until=lambda: not sent.is_alive()
        )
    print(f"  {engine}: load of the machine {os.getloadavg()[0]:.0f}", flush=True)
    return [row for name, each in taken.items() for row in _rows(name, each, engine)]


def _rows(name: str, taken: list[float], engine: str) -> list[Row]:
    ordered = sorted(1000 * each for each in taken)
    median, p95 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    print(
        f"  {engine}, {name}: {len(ordered)} awards of five lines, p50 {median:.0f}, p95 {p95:.0f}, longest {ordered[-1]:.0f} ms",
        flush=True,
    )
    spread = ordered[len(ordered) * 3 // 4] - ordered[len(ordered) // 4]
    return [Row(f"five lines {name}, p95, {engine}", round(p95, 1), round(spread, 1), "ms")]


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator[None]:
    running = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        yield
    finally:
        running.terminate()
        running.wait(60)


def _token(app: App, campus: Campus) -> str:
    scopes, life = [Scope.AWARD_CREATE.value], timedelta(days=30)
    with app.unit_of_work() as services:
        return services.people.create_token(campus, label="bench", scopes=scopes, life=life, by=COMMAND)


def _enqueue(app: App, activity_id: uuid.UUID) -> uuid.UUID:
    request = AwardRequest(new_badge(app), activity_id, everybody=True)
    with app.unit_of_work() as services:
        return services.bulk_awards.enqueue(app.campus, request, by=Actor(app.trainer.id)).id


def _counts(app: App, batch: uuid.UUID) -> Mapping[LineOutcome, int]:
    with app.unit_of_work(reading=True) as services:
        return services.bulk_awards.batches.counts(batch)


def _is_done(app: App, batch: uuid.UUID) -> bool:
    return LineOutcome.READY not in _counts(app, batch)


def _answered(app: App, batch: uuid.UUID) -> int:
    return sum(count for outcome, count in _counts(app, batch).items() if outcome is not LineOutcome.READY)


def _award_many(base_url: str, token: str, app: App, activity: uuid.UUID) -> None:
    with httpx.Client(base_url=base_url, timeout=600, trust_env=False) as client:
        client.headers["authorization"] = f"Bearer {token}"
        body = {"badge": str(new_badge(app)), "activity": str(activity), "everybody": True}
        with suppress(httpx.TransportError):  # time may run out before the response
            client.post("/api/v1/campuses/itip/awards", json=body).raise_for_status()


def _award_again_and_again(
    base_url: str,
    token: str,
    asked: dict[str, str],
    *,
    seconds: float = SECONDS,
    until: Callable[[], bool] = lambda: False,
) -> list[float]:
    taken, end = [], time.monotonic() + seconds
    with httpx.Client(base_url=base_url, timeout=120, trust_env=False) as client:
        client.headers["authorization"] = f"Bearer {token}"
        while not taken or (time.monotonic() < end and not until()):
            people = [
                {
                    "given_name": "Anne",
                    "family_name": f"Essai{uuid.uuid4().hex[:8]}",
                    "address": f"{uuid.uuid4().hex}@exemple.fr",
                }
                for _ in range(5)
            ]
            begun = time.perf_counter()
            answer = client.post("/api/v1/campuses/agt/awards", json={**asked, "people": people})
            taken.append(time.perf_counter() - begun)
            assert answer.status_code == 200, answer.text
            assert answer.json()["awarded"] == 5, answer.text
            time.sleep(0.25)
    return taken


_READING = """
import asyncio, sys, httpx
async def read(client):
    while True:
        try:
            await client.get(sys.argv[1], headers={"accept": "application/json"})
        except httpx.HTTPError:
            pass
        await asyncio.sleep(0.05)
async def main():
    async with httpx.AsyncClient(timeout=60, trust_env=False, limits=httpx.Limits(max_connections=int(sys.argv[2]))) as client:
        await asyncio.gather(*(read(client) for _ in range(int(sys.argv[2]))))
asyncio.run(main())
"""


def _wait_for(base_url: str) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            if httpx.get(f"{base_url}/health/ready", trust_env=False, timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise SystemExit("the server did not become ready")
