"""`python -m bench.fairness`: an award of five lines while another campus's bulk award of 10,000 lines runs.

A real server with a worker in it, 32 further connections that read public documents all the while, and a program that
gives five badges again and again until the bulk award ends or `SECONDS` are over.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from app.db import migrations
from app.domain.access import Scope
from app.domain.awards import LineOutcome, Visibility
from app.domain.history import Actor
from app.services.awards import AwardRequest
from bench.ten_thousand import new_badge
from bench.whole_service import _crowd
from tests.support.house import COMMAND, House, build_house
from tests.support.postgres import database_of_this_run

LINES, READERS, SECONDS = 10_000, 32, 45.0


def main() -> None:
    with TemporaryDirectory(prefix="sceau-bench-") as folder:
        _measure(Path(folder), f"sqlite:///{folder}/database/sceau.sqlite", "SQLite")
    with TemporaryDirectory(prefix="sceau-bench-") as folder, database_of_this_run() as url:
        if url is not None:
            _measure(Path(folder), url, "PostgreSQL")


def _measure(folder: Path, url: str, engine: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    base_url = f"http://localhost:{port}"
    migrations.upgrade(url)
    house = build_house(url, folder, base_url=base_url)
    crowd = _crowd(house, LINES)
    (shown,) = house.award("Zoé Lue;zoe@exemple.fr").lines
    other = replace(house, campus=house.other_campus, admin=house.stranger, trainer=house.stranger)
    badge, activity = new_badge(other), _crowd(other, 1)
    with house.unit_of_work() as services:
        services.awards.set_visibility(shown.award_id, Visibility.OPEN, by=Actor(label="holder"))
        token = services.people.create_token(
            house.other_campus,
            label="bench",
            scopes=[Scope.AWARD_CREATE.value],
            life=timedelta(days=30),
            by=COMMAND,
        )
    environment = {
        **os.environ,
        "SCEAU_BASE_URL": base_url,
        "SCEAU_DATABASE_URL": url,
        "SCEAU_DEVELOPMENT_DIR": str(folder / "secrets"),
        "SCEAU_FETCH": "off",
        "SCEAU_LIMITS": "memory",
    }
    server = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "app.cli", "serve", "--port", str(port)],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for(base_url)
        asked = {"badge": str(badge), "activity": str(activity.id)}
        alone = _award_again_and_again(base_url, token, asked, until=time.monotonic() + 5)
        load = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", _READING, f"{base_url}/attributions/{shown.award_id}", str(READERS)]
        )
        try:
            batch = _promise(house, crowd.id)
            ended, watching = threading.Event(), threading.Event()
            threading.Thread(target=_watch, args=(house, batch, ended, watching), daemon=True).start()
            begun = time.monotonic()
            under_load = _award_again_and_again(base_url, token, asked, until=begun + SECONDS, ended=ended)
            watching.set()
            with house.unit_of_work(reading=True) as services:
                answered = sum(
                    services.bulk_awards.batches.counts(batch).values()
                ) - services.bulk_awards.batches.counts(batch).get(LineOutcome.READY, 0)
            took = time.monotonic() - begun
        finally:
            load.terminate()
    finally:
        server.terminate()
        server.wait(30)
        house.close()
    for name, each in (("alone", alone), ("under load", under_load)):
        ordered = sorted(each)
        print(
            f"{engine}, {name}: {len(each)} awards of five lines, p50 {ordered[len(ordered) // 2]:.3f} s, "
            f"p95 {ordered[int(len(ordered) * 0.95)]:.3f} s, longest {ordered[-1]:.3f} s",
            flush=True,
        )
    print(
        f"{engine}: {answered:,} lines of the bulk award in {took:.0f} s; load of the machine {os.getloadavg()[0]:.0f}",
        flush=True,
    )


def _promise(house: House, activity_id: uuid.UUID) -> uuid.UUID:
    request = AwardRequest(new_badge(house), activity_id, everybody=True)
    with house.unit_of_work() as services:
        return services.bulk_awards.promise(house.campus, request, by=Actor(house.trainer.id)).id


def _watch(house: House, batch: uuid.UUID, ended: threading.Event, stop: threading.Event) -> None:
    while not stop.wait(1.0):
        with house.unit_of_work(reading=True) as services:
            if LineOutcome.READY not in services.bulk_awards.batches.counts(batch):
                ended.set()
                return


def _award_again_and_again(
    base_url: str, token: str, asked: dict[str, str], *, until: float, ended: threading.Event | None = None
) -> list[float]:
    taken = []
    with httpx.Client(base_url=base_url, timeout=120, trust_env=False) as client:
        client.headers["authorization"] = f"Bearer {token}"
        while time.monotonic() < until and not (ended and ended.is_set()):
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


if __name__ == "__main__":
    main()
