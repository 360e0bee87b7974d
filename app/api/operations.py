"""Liveness and readiness of this process, and metrics."""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterator
from datetime import datetime

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from app.container import Process, last_check_of, notes_of, problems_of, waiting_work_of
from app.http.policies import Policy, Who, marked, public
from app.http.request_scope import process_of
from app.services.verification.metrics import REGISTRY
from sceau_credentials.canonical import ways_taken
from sceau_credentials.values.timestamps import format_timestamp

router = APIRouter(prefix="/health", tags=["health"])


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
    problems, notes, last = problems_of(process), notes_of(process), last_check_of(process)
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
    """Figures of the database and its anchors, queried when scraped: the same from every process."""

    def __init__(self, process: Process) -> None:
        last, work = last_check_of(process), waiting_work_of(process)
        now = process.clock().timestamp()
        self._figures = [
            (
                "sceau_check_timestamp_seconds",
                "When everything signed was last verified; 0: never",
                _seconds(last.done_at if last else None),
            ),
            ("sceau_check_faults", "Faults that the last check found", float(last.faults if last else 0)),
            (
                "sceau_campuses_behind_anchor",
                "Campuses older than what was published",
                float(len(process.behind)),
            ),
            (
                "sceau_anchor_folder_failing",
                "1 while the anchor folder takes no file",
                float(bool(process.anchors.failure or process.journal.failure)),
            ),
        ]
        self._states: dict[str, int] = {}
        if work is None:
            return
        self._states = work.messages_by_state
        self._figures += [
            ("sceau_messages_due", "Messages that could leave now", float(work.messages)),
            (
                "sceau_messages_due_oldest_seconds",
                "How long the oldest of them has been due",
                _age(work.oldest_message, now),
            ),
            ("sceau_batches_running", "Awards from lists that are being carried out", float(work.batches)),
            (
                "sceau_batches_running_oldest_seconds",
                "How long ago the oldest of them was requested",
                _age(work.oldest_batch, now),
            ),
            (
                "sceau_worker_seen_timestamp_seconds",
                "When any worker was last alive; 0: never",
                _seconds(work.last_beat),
            ),
        ]

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, documentation, value in self._figures:
            yield GaugeMetricFamily(name, documentation, value=value)
        states = GaugeMetricFamily(
            "sceau_messages", "Messages attempted in the last seven days, by state", labels=["state"]
        )
        for state, count in self._states.items():
            states.add_metric([state], float(count))
        yield states


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
