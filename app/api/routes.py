"""Every address of the JSON face, by noun."""

from __future__ import annotations

from fastapi import APIRouter

from app.api import health, public

router = APIRouter()
router.include_router(health.router)
router.include_router(public.router)
