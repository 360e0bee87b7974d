"""Whether this process is alive, and whether it can do its work."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.policies import public
from app.request_scope import process_of
from app.wiring import problems_of

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="The process answers")
@public
async def live() -> JSONResponse:
    return JSONResponse({"status": "live"}, headers={"Cache-Control": "no-store"})


@router.get("/ready", summary="All of the work can be done; otherwise why not, in sentences")
@public
def ready(request: Request) -> JSONResponse:
    problems = problems_of(process_of(request))
    return JSONResponse(
        {"status": "not_ready", "problems": problems} if problems else {"status": "ready"},
        status_code=503 if problems else 200,
        headers={"Cache-Control": "no-store"},
    )
