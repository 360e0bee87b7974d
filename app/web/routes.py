"""Every page of the HTML face, by noun."""

from __future__ import annotations

from fastapi import APIRouter

from app.web import entrance

router = APIRouter(include_in_schema=False)
for noun in (entrance,):
    router.include_router(noun.router)
