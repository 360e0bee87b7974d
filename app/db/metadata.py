"""Every table in one list, for Alembic and for tests."""

from __future__ import annotations

from sqlmodel import SQLModel

from app.domain import (
    access,
    activities,
    activity_log,
    activity_plans,
    award_evidence,
    awards,
    badges,
    campus,
    claim_codes,
    competencies,
    federation,
    history,
    keys,
    letters,
    openings,
    passkeys,
    people,
    rates,
    request_files,
    requests,
    rooms,
    sessions,
    sign_in,
    status,
    team,
    workers,
)

NOUNS = (
    access,
    activities,
    activity_log,
    award_evidence,
    activity_plans,
    awards,
    badges,
    campus,
    claim_codes,
    competencies,
    federation,
    history,
    keys,
    letters,
    openings,
    passkeys,
    people,
    rates,
    request_files,
    requests,
    rooms,
    sessions,
    sign_in,
    status,
    team,
    workers,
)
METADATA = SQLModel.metadata
