"""Every page of the HTML face, by noun."""

from __future__ import annotations

from fastapi import APIRouter

from app.web import (
    activities,
    activity_editing,
    award_page,
    award_progress,
    award_register,
    award_results,
    awarding,
    badge_desk,
    badge_editor,
    badge_openings,
    badges,
    campuses,
    competency_desk,
    desk,
    directory,
    entrance,
    invitations,
    learner,
    participants,
    password_sign_in,
    presence,
    rooms,
    search,
    short_addresses,
    sign_in,
    team,
    verifier,
    withdrawals,
)

router = APIRouter(include_in_schema=False)
for noun in (
    entrance,
    password_sign_in,
    sign_in,
    invitations,
    desk,
    search,
    directory,
    team,
    activity_editing,
    badge_editor,
    badge_desk,
    badge_openings,
    competency_desk,
    activities,
    participants,
    rooms,
    presence,
    awarding,
    award_progress,
    award_results,
    award_register,
    withdrawals,
    award_page,
    verifier,
    short_addresses,
    learner,
    badges,
    campuses,
):
    router.include_router(noun.router)
