"""Every table in one list, for Alembic and for tests."""

from __future__ import annotations

from sqlmodel import SQLModel

from app.domain.accounts import access, federation, operators, passkeys, rates, sessions, set_aside, sign_in
from app.domain.activities import activities, activity_files, files, rooms
from app.domain.activities import plans as activity_plans
from app.domain.activity_log import activity_log, integrity, recovery
from app.domain.activity_log import disputes as log_disputes
from app.domain.activity_log import watch as log_watch
from app.domain.awards import awards, batches, claim_codes, signing_clock
from app.domain.awards import evidence as award_evidence
from app.domain.badges import badges, openings
from app.domain.campus import campus, history, keys, team
from app.domain.core import workers
from app.domain.frameworks import competencies
from app.domain.imports import imports
from app.domain.learners import brought_badges, contributions, portfolios, requests
from app.domain.messages import letters
from app.domain.people import guardians, merging, names, namesakes, people
from app.domain.privacy import consents, erasures, private_looks
from app.domain.publishing import status
from app.domain.trust import endorsements, organisations, recognition

NOUNS = (
    access,
    activities,
    activity_files,
    activity_log,
    award_evidence,
    activity_plans,
    awards,
    badges,
    batches,
    brought_badges,
    campus,
    claim_codes,
    competencies,
    consents,
    endorsements,
    erasures,
    contributions,
    federation,
    files,
    guardians,
    history,
    imports,
    integrity,
    keys,
    letters,
    log_disputes,
    merging,
    names,
    namesakes,
    openings,
    log_watch,
    operators,
    organisations,
    passkeys,
    people,
    portfolios,
    private_looks,
    rates,
    recognition,
    recovery,
    requests,
    rooms,
    sessions,
    set_aside,
    sign_in,
    signing_clock,
    status,
    team,
    workers,
)
METADATA = SQLModel.metadata
