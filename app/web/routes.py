"""Every page of the HTML face, by noun."""

from __future__ import annotations

from fastapi import APIRouter

from app.web import (
    activities,
    award_register,
    award_results,
    awarding,
    desk,
    entrance,
    sign_in,
)

router = APIRouter(include_in_schema=False)
for noun in (
    entrance,
    sign_in,
    desk,
    activities,
    awarding,
    award_results,
    award_register,
):
    router.include_router(noun.router)
