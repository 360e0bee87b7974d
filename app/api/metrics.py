"""The operator's figures, in the text form that Prometheus reads."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector
from starlette.exceptions import HTTPException

from app.credentials.canonical import ways_taken
from app.metrics import REGISTRY
from app.policies import Policy, Who, marked
from app.request_scope import process_of

router = APIRouter(tags=["health"])
_THIS_MACHINE = ("127.0.0.1", "::1")


class _Ways(Collector):
    """Read when asked: the library counts without knowing who reads."""

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
    """Whoever shows the operator's token and, where none is set, this machine in development."""
    settings = process_of(request).settings
    given = request.headers.get("authorization", "").encode()
    if settings.metrics_token:
        may = hmac.compare_digest(given, f"Bearer {settings.metrics_token}".encode())
    else:
        # A proxy beside us has an address of this machine too: in production only the token counts.
        may = settings.is_local and request.client is not None and request.client.host in _THIS_MACHINE
    if not may:
        raise HTTPException(404)


@router.get("/metrics", include_in_schema=False, dependencies=[Depends(operator)])
async def metrics() -> Response:
    body = generate_latest(REGISTRY) + generate_latest(_WAYS)
    return Response(body, media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})
