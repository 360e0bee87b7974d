"""Every page of the HTML face, by noun."""

from __future__ import annotations

from fastapi import APIRouter

from app.web import (
    activities,
    award_page,
    award_register,
    award_results,
    awarding,
    badges,
    campuses,
    desk,
    entrance,
    learner,
    sign_in,
    verifier,
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
    award_page,
    verifier,
    learner,
    badges,
    campuses,
):
    router.include_router(noun.router)
