"""Liveness and readiness of this process, and metrics."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from app.container import LastCheck, last_check_of, problems_of
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
    problems, last = problems_of(process), last_check_of(process)
    check = {"done_at": format_timestamp(last.done_at), "faults": last.faults} if last else None
    return JSONResponse(
        {
            "status": "not_ready" if problems else "ready",
            **({"problems": problems} if problems else {}),
            "last_check": check,
        },
        status_code=503 if problems else 200,
        headers={"Cache-Control": "no-store"},
    )


metrics_router = APIRouter(tags=["health"])
_THIS_MACHINE = ("127.0.0.1", "::1")


class _Integrity(Collector):
    """Integrity results, queried when scraped."""

    def __init__(self, last: LastCheck | None, behind: int, anchors_fail: bool) -> None:
        self._figures = (
            (
                "sceau_check_timestamp_seconds",
                "When everything signed was last verified; 0: never",
                _seconds(last),
            ),
            ("sceau_check_faults", "Faults that the last check found", float(last.faults if last else 0)),
            ("sceau_campuses_behind_anchor", "Campuses older than what was published", float(behind)),
            ("sceau_anchor_folder_failing", "1 while the anchor folder takes no file", float(anchors_fail)),
        )

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, documentation, value in self._figures:
            yield GaugeMetricFamily(name, documentation, value=value)


def _seconds(last: LastCheck | None) -> float:
    return last.done_at.timestamp() if last else 0.0


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
    process, integrity = process_of(request), CollectorRegistry()
    last = await run_in_threadpool(last_check_of, process)
    failing = bool(process.anchors.failure or process.journal.failure)
    integrity.register(_Integrity(last, len(process.behind), failing))
    body = generate_latest(REGISTRY) + generate_latest(_WAYS) + generate_latest(integrity)
    return Response(body, media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})
