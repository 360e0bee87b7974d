"""Whether this process is alive, and whether it can do its work."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.policies import public
from app.request_scope import process_of

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="The process answers")
@public
async def live() -> JSONResponse:
    return JSONResponse({"status": "live"}, headers={"Cache-Control": "no-store"})


@router.get("/ready", summary="The database answers and has the schema this program needs")
@public
def ready(request: Request) -> JSONResponse:
    ok = process_of(request).is_ready()
    return JSONResponse(
        {"status": "ready" if ok else "not_ready"},
        status_code=200 if ok else 503,
        headers={"Cache-Control": "no-store"},
    )
