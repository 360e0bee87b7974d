"""Whether this process is alive, and whether it can do its work."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.container import last_check_of, problems_of
from app.http.policies import public
from app.http.request_scope import process_of
from sceau_credentials.values.timestamps import format_timestamp

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="The process answers")
@public
async def live() -> JSONResponse:
    return JSONResponse({"status": "live"}, headers={"Cache-Control": "no-store"})


@router.get("/ready", summary="All of the work can be done; otherwise why not, in sentences")
@public
def ready(request: Request) -> JSONResponse:
    """Damage that the last check found is shown and keeps nobody from the rest: it does not make a process unready."""
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
