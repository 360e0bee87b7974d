"""`python -m bench.at_scale.moved_bytes`: badges read from the database and from an object store on this machine.

Half of the badges have moved; each badge is asked for once, those of one place and the other in turns.
"""

from __future__ import annotations

import http.client
import random
import statistics
import time
import uuid
from collections.abc import Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import text

from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from bench.web import serving
from tests.support.app import App, build_app
from tests.support.databases.postgres import database_of_this_run
from tests.support.servers.object_store import KEYS

BADGES, A_BATCH = 3_000, 500
FORMS = {"page": ("", "text/html"), "JSON": (".json", "application/json"), "JWT": (".jwt", "text/plain")}


class _Bucket(BaseHTTPRequestHandler):
    """Stores what it is given; verifies nothing, so that the time is ours."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    objects: dict[str, bytes] = {}  # noqa: RUF012

    def do_PUT(self) -> None:
        self.objects[self.path] = self.rfile.read(int(self.headers["content-length"]))
        self._answer(200, b"")

    def do_GET(self) -> None:
        found = self.objects.get(self.path)
        self._answer(404 if found is None else 200, found or b"")

    def do_DELETE(self) -> None:
        self.objects.pop(self.path, None)
        self._answer(200, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _serve(result: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Bucket)
    result.send(server.server_address[1])
    server.serve_forever()


@contextmanager
def bucket() -> Any:
    here, there = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_serve, args=[there], daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()


def main() -> None:
    with TemporaryDirectory(prefix="sceau-bench-") as name, bucket() as port:
        folder = Path(name)
        (folder / "database").mkdir()
        _measure(f"sqlite:///{folder}/database/sceau.sqlite", folder, port)
        with database_of_this_run() as url:
            (folder / "postgresql").mkdir()
            _measure(url, folder / "postgresql", port)


def _measure(url: str, folder: Path, port: int) -> None:
    keys = folder / "keys"
    keys.write_text(f"{KEYS.access_id}\n{KEYS.secret}\n")
    keys.chmod(0o600)
    store = {
        "object_store": f"http://127.0.0.1:{port}/badges/{uuid.uuid4()}",
        "object_store_keys": f"file:{keys}",
    }
    app = _app(url, folder, store)
    engine = app.process.engine.dialect.name
    awards = _awards(app)
    moved = _move(app, engine)
    places = {"database": [each for each in awards if each not in moved], "object store": list(moved)}
    result = {
        "SCEAU_DATABASE_URL": url,
        "SCEAU_DEVELOPMENT_DIR": str(folder / "secrets"),
        "SCEAU_WORK": "off",
        **{f"SCEAU_{name.upper()}": value for name, value in store.items()},
    }
    with serving("app.main:served", result) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, 60)
        for number, (form, (suffix, accept)) in enumerate(FORMS.items()):
            found: dict[str, list[float]] = {place: [] for place in places}
            part = slice(number * A_BATCH, (number + 1) * A_BATCH)
            for pair in zip(*(each[part] for each in places.values()), strict=True):
                for place, award_id in zip(places, pair, strict=True):
                    found[place].append(_ask(connection, f"/attributions/{award_id}{suffix}", accept))
            for place, taken in found.items():
                print(f"{engine}: {form} from the {place}: {_percentiles(taken)} ms", flush=True)
    _back(app, engine)
    app.close()


def _app(url: str, folder: Path, store: dict[str, str]) -> App:
    from app.db.engine.schema import migrate

    migrate(url)
    return build_app(url, folder, **store)


def _awards(app: App) -> list[uuid.UUID]:
    found: list[uuid.UUID] = []
    for start in range(0, BADGES, A_BATCH):
        lines = (f"Prénom{n} Nom{n % 997};p{n}@exemple.fr" for n in range(start, start + A_BATCH))
        found += [line.award_id for line in app.award(*lines).lines if line.award_id]
    with app.unit_of_work() as services:
        for each in found:
            services.awards.set_visibility(each, Visibility.OPEN, by=Actor(label="bench"))
    random.shuffle(found)
    return found


def _move(app: App, engine: str) -> set[uuid.UUID]:
    app.clock.move(days=1)
    assert app.process.object_store is not None
    mover = app.process.bytes_mover(app.process.object_store)
    begun, used, size = time.perf_counter(), time.process_time(), 0
    for _ in range(BADGES // 2 // 100):
        size += mover.move_some(app.clock()).size
    took, processor = time.perf_counter() - begun, time.process_time() - used
    with app.owner.connect() as connection:
        query = text("SELECT award_id FROM signed_credential WHERE embedded IS NULL")
        moved = {uuid.UUID(str(each)) for each in connection.execute(query).scalars()}
    print(
        f"{engine}: {len(moved)} badges ({size / 1e6:.1f} MB) to the store in {took:.1f} s, {processor:.1f} s of processor time"
    )
    return moved


def _back(app: App, engine: str) -> None:
    assert app.process.object_store is not None
    mover, done = app.process.bytes_mover(app.process.object_store), 0
    begun = time.perf_counter()
    while not (batch := mover.take_back_some()).is_empty:
        done += batch.documents
    print(f"{engine}: {done} badges back in {time.perf_counter() - begun:.1f} s")


def _ask(connection: http.client.HTTPConnection, path: str, accept: str) -> float:
    begun = time.perf_counter()
    connection.request("GET", path, headers={"Host": "localhost:8000", "Accept": accept})
    answer = connection.getresponse()
    body = answer.read()
    took = (time.perf_counter() - begun) * 1000
    assert answer.status == 200, (path, answer.status, body[:300])
    return took


def _percentiles(taken: Sequence[float]) -> str:
    cut = statistics.quantiles(taken, n=100)
    return f"p50 {cut[49]:.1f}, p95 {cut[94]:.1f}, p99 {cut[98]:.1f}"


if __name__ == "__main__":
    main()
