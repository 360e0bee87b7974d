"""Every change reaches its webhook at least once, whenever the worker is killed; duplicates have one id."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate
from pathlib import Path
from random import Random

from tests.support.app import COMMAND, build_app
from tests.torture.scene import Nest, wait_until

KILLS = int(os.environ.get("SCEAU_TEST_KILLS", "3"))
"""`make test-long` gives each engine twenty, `make torture` two hundred."""


def _killed_at() -> list[int]:
    """Requests during which the worker dies; those of odd numbers after their answer was written."""
    rng = Random(20261129)
    return list(accumulate((rng.choice((1, 2)) for _ in range(KILLS - 1)), initial=2))


KILLED_AT = _killed_at()
AWARDS = KILLED_AT[-1] + 2


class Receiving(ThreadingHTTPServer):
    """Counts messages, and kills their sender at the worst moments."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.ids: list[str] = []
        self.subjects: dict[str, str] = {}
        self.kills: list[int] = []
        self.worker = 0
        self.lock = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    server: Receiving

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        receiving, message_id = self.server, self.headers["webhook-id"]
        with receiving.lock:
            receiving.ids.append(message_id)
            receiving.subjects.setdefault(message_id, json.loads(body)["data"]["id"])
            assert receiving.subjects[message_id] == json.loads(body)["data"]["id"]
            number = len(receiving.ids)
        if number in KILLED_AT and number % 2:
            self._answer()
        if number in KILLED_AT:
            receiving.kills.append(number)
            os.kill(receiving.worker, signal.SIGKILL)
            return
        self._answer()

    def _answer(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def receiving() -> Iterator[Receiving]:
    server = Receiving()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_every_change_arrives_whoever_is_killed_and_duplicates_have_one_id(database_url: str, tmp_path: Path):
    with receiving() as server:
        port = server.server_address[1]
        app = build_app(database_url, tmp_path, at=datetime.now(UTC), fetch_local_ports=str(port))
        nest = Nest()
        try:
            with app.unit_of_work() as services:
                services.webhooks.add(
                    app.campus,
                    url=f"http://localhost:{port}/badges",
                    label="SI",
                    kinds=["award"],
                    by=COMMAND,
                )
            people = (f"Zoé Martin;zoe.{number}@exemple.fr" for number in range(AWARDS))
            awards = {str(line.award_id) for line in app.award(*people).lines}
            env = {
                "SCEAU_DATABASE_URL": database_url,
                "SCEAU_DEVELOPMENT_DIR": str(tmp_path / "secrets"),
                "SCEAU_FETCH_LOCAL_PORTS": str(port),
            }
            for deaths in range(len(KILLED_AT) + 1):
                server.worker = nest.hatch(["work"], env, tmp_path / "worker.log")
                wait_until(
                    lambda deaths=deaths: len(server.kills) > deaths or _is_done(server, awards), pause=0.05
                )
        finally:
            nest.close()
            app.close()
    assert server.kills == KILLED_AT
    assert set(server.subjects.values()) == awards
    assert len(server.subjects) == AWARDS, "one id for each change, however often it came"
    repeated = Counter(server.ids)
    assert sum(repeated.values()) <= AWARDS + len(KILLED_AT)
    again = sum(repeated.values()) - AWARDS
    assert again > 0, "nobody was killed between an arrival and its note"
    print(f"{len(server.kills)} kills, {AWARDS} messages, {again} of them sent again")


def _is_done(server: Receiving, awards: set[str]) -> bool:
    return set(server.subjects.values()) >= awards
