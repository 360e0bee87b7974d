"""Liveness and readiness of this process, and metrics."""

from __future__ import annotations

import hmac
import os
import signal
from asyncio import sleep
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from threading import current_thread, main_thread

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from app.container import (
    DatabaseUnreachable,
    Process,
    SignedState,
    WaitingWork,
    free_space_of,
    kek_written_at,
    last_check_of,
    notes_of,
    objects_to_remove,
    problems_of,
    signed_state_of,
    waiting_work_of,
)
from app.domain.campus.campus import is_in_hsm
from app.http.request_scope import Policy, Who, marked, policies, process_of, public
from app.language import gettext as _
from app.telemetry import REGISTRY
from sceau_credentials.canonical import ways_taken
from sceau_credentials.values import format_timestamp

log = structlog.get_logger("health")
DATABASE_ASKED_EVERY = 2.0
"""Seconds."""


async def check_once_it_answers(process: Process) -> None:
    """A server process that starts again while the database is away waits: where it failed, its supervisor would stop
    the others too."""
    while True:
        try:
            return process.check()
        except DatabaseUnreachable as error:
            log.error("waiting for the database", kind=type(error).__name__)
        with _ending_at_once():
            await sleep(DATABASE_ASKED_EVERY)


@contextmanager
def _ending_at_once() -> Iterator[None]:
    """The server reads its signals after the start only."""
    if current_thread() is not main_thread():
        yield
        return
    former = {each: signal.signal(each, signal.SIG_DFL) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for each, handler in former.items():
            signal.signal(each, handler)


router = APIRouter(prefix="/health", tags=["health"], include_in_schema=False)


@router.get("/live", summary="The process answers")
@public
async def live() -> JSONResponse:
    return JSONResponse({"status": "live"}, headers={"Cache-Control": "no-store"})


@router.get("/ready", summary="All of the work can be done; otherwise why not, in sentences")
@public
def ready(request: Request) -> JSONResponse:
    """Damage found by the last check is reported but does not make the process unready: everything else still
    works."""
    process = process_of(request)
    try:
        problems, notes, last = problems_of(process), notes_of(process), last_check_of(process)
    except DatabaseUnreachable:
        problems, notes, last = (
            [_("La base de données ne répond pas : vérifiez le serveur et son disque.")],
            [],
            None,
        )
    check = {"done_at": format_timestamp(last.done_at), "faults": last.faults} if last else None
    return JSONResponse(
        {
            "status": "not_ready" if problems else "ready",
            **({"problems": problems} if problems else {}),
            **({"notes": notes} if notes else {}),
            "last_check": check,
        },
        status_code=503 if problems else 200,
        headers={"Cache-Control": "no-store"},
    )


metrics_router = APIRouter(tags=["health"])
_THIS_MACHINE = ("127.0.0.1", "::1")


class _Stored(Collector):
    """Figures of the database, its anchors and keys, queried when scraped: the same from every process."""

    def __init__(self, process: Process) -> None:
        self._families = list(_gauges(process))

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self._families


def _gauges(process: Process) -> Iterator[GaugeMetricFamily]:
    problems, last = problems_of(process), last_check_of(process)
    yield _gauge("sceau_problems", "What keeps the service from its work, as in /health/ready", len(problems))
    yield _gauge(
        "sceau_check_timestamp_seconds",
        "When everything signed was last verified; 0: never",
        _seconds(last.done_at if last else None),
    )
    yield _gauge("sceau_check_faults", "Faults that the last check found", last.faults if last else 0)
    yield _gauge(
        "sceau_campuses_behind_anchor", "Campuses older than what was published", len(process.behind)
    )
    yield _gauge(
        "sceau_anchor_folder_failing",
        "1 while the anchor folder takes no file",
        bool(process.anchors.failure or process.journal.failure),
    )
    yield _by(
        "sceau_disk_free_bytes", "Free space where the service writes", "folder", free_space_of(process)
    )
    yield _gauge(
        "sceau_kek_timestamp_seconds",
        "When the file of the key-encryption key was written; 0: it is no file",
        _seconds(kek_written_at(process)),
    )
    yield _gauge(
        "sceau_objects_to_remove",
        "Erased or returned badges with objects that are still in the object store",
        objects_to_remove(process),
    )
    if (work := waiting_work_of(process)) is not None:
        yield from _waiting(work, process.clock().timestamp())
    if (signed := signed_state_of(process)) is not None:
        yield from _signed(signed, process)


def _waiting(work: WaitingWork, now: float) -> Iterator[GaugeMetricFamily]:
    yield _gauge("sceau_messages_due", "Messages that could leave now", work.messages)
    yield _gauge(
        "sceau_messages_due_oldest_seconds",
        "How long the oldest of them has been due",
        _age(work.oldest_message, now),
    )
    yield _by(
        "sceau_messages",
        "Messages attempted in the last seven days, by state",
        "state",
        work.messages_by_state,
    )
    yield _gauge("sceau_batches_running", "Awards from lists that are being processed", work.batches)
    yield _gauge(
        "sceau_batches_running_oldest_seconds",
        "How long ago the oldest of them was requested",
        _age(work.oldest_batch, now),
    )
    yield _by(
        "sceau_jobs_waiting",
        "Jobs that are not finished, by kind",
        "kind",
        {kind: each.count for kind, each in work.jobs.items()},
    )
    yield _by(
        "sceau_jobs_waiting_oldest_seconds",
        "How long ago the oldest of them was requested",
        "kind",
        {kind: _age(each.oldest, now) for kind, each in work.jobs.items()},
    )
    yield _gauge(
        "sceau_counts_waiting", "Changes that the stored counts for reports do not contain yet", work.counts
    )
    yield _gauge(
        "sceau_worker_seen_timestamp_seconds",
        "When any worker was last alive; 0: never",
        _seconds(work.last_beat),
    )


def _signed(signed: SignedState, process: Process) -> Iterator[GaugeMetricFamily]:
    now, current = process.clock().timestamp(), process.vault.kek.id
    yield _gauge(
        "sceau_status_list_expiry_timestamp_seconds",
        "When the first status list expires, which is signed again when it is read; 0: there is none",
        _seconds(signed.list_expiry),
    )
    yield _gauge(
        "sceau_log_head_timestamp_seconds",
        "When the newest head of an activity log was signed; 0: never",
        _seconds(signed.log_head),
    )
    yield _gauge(
        "sceau_log_unsigned_seconds",
        "How long a log has had lines under no signed head",
        _age(signed.unsigned_since, now),
    )
    yield _gauge(
        "sceau_witnesses_silent", "Witnesses without a cosignature for a day", signed.silent_witnesses
    )
    yield _by(
        "sceau_signing_key_oldest_timestamp_seconds",
        "When the oldest active key was made, by purpose",
        "purpose",
        {purpose: made.timestamp() for purpose, made in signed.oldest_keys.items()},
    )
    yield _gauge(
        "sceau_keys_under_other_kek",
        "Signing keys of campuses that `sceau keys rewrap` would seal again",
        sum(
            count
            for kek_id, count in signed.sealed_under.items()
            if kek_id != current and not is_in_hsm(kek_id)
        ),
    )


def _gauge(name: str, documentation: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, value=float(value))


def _by(name: str, documentation: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, documentation, labels=[label])
    for each, value in values.items():
        family.add_metric([str(each)], float(value))
    return family


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


def _age(since: datetime | None, now: float) -> float:
    return max(0.0, now - since.timestamp()) if since else 0.0


class _Ways(Collector):
    """Queried when scraped: the library counts without depending on the metrics reader."""

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(
            "sceau_canonical_ways", "Documents by the way to their canonical form", labels=["way"]
        )
        for way, taken in ways_taken().items():
            family.add_metric([way.value], taken)
        yield family


_WAYS = CollectorRegistry()
_WAYS.register(_Ways())


@marked(Policy(Who.OPERATOR))
async def operator(request: Request) -> None:
    """A client with the operator's token or, where none is set, this machine in development."""
    settings = process_of(request).settings
    given = request.headers.get("authorization", "").encode()
    if settings.metrics_token:
        may = hmac.compare_digest(given, f"Bearer {settings.metrics_token}".encode())
    else:
        # A reverse proxy on this machine has a local address too: in production only the token counts.
        may = settings.is_local and request.client is not None and request.client.host in _THIS_MACHINE
    if not may:
        raise HTTPException(404)


@metrics_router.get("/metrics", include_in_schema=False, dependencies=[Depends(operator)])
async def metrics(request: Request) -> Response:
    body = await run_in_threadpool(_figures, process_of(request))
    return Response(body, media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def _figures(process: Process) -> bytes:
    stored = CollectorRegistry()
    stored.register(_Stored(process))
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY) + generate_latest(_WAYS) + generate_latest(stored)
    # Of all processes together; the library's own counts are of one process and left out.
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return generate_latest(together) + generate_latest(stored)


def worker_endpoint(process: Process) -> FastAPI:
    """Health and metrics of a worker that runs apart from any server; nothing else."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.process = process
    app.router.routes.extend((*router.routes, *metrics_router.routes))

    @app.exception_handler(DatabaseUnreachable)
    def unreachable(_request: Request, _error: Exception) -> Response:
        return JSONResponse({"status": "not_ready"}, 503, {"Cache-Control": "no-store"})

    policies(app.routes)
    return app
