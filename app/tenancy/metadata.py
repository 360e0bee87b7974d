"""Every table in one list, for Alembic and for tests."""

from __future__ import annotations

from sqlmodel import SQLModel

from app.domain import core, frameworks, messages, privacy, publishing
from app.domain.accounts import (
    permissions,
    rate_limits,
    sessions,
    sign_in,
)
from app.domain.accounts import (
    sessions as access,
)
from app.domain.accounts import (
    sign_in as federation,
)
from app.domain.accounts import (
    sign_in as passkeys,
)
from app.domain.activities import activities, check_in, files
from app.domain.activities import activities as activity_plans
from app.domain.activities import files as activity_files
from app.domain.activity_log import activity_log, recovery
from app.domain.activity_log import activity_log as log_disputes
from app.domain.activity_log import activity_log as log_watch
from app.domain.awards import awards, batches, claim_slips, signing_clock
from app.domain.awards import open_badges as award_evidence
from app.domain.badges import badges
from app.domain.campus import audit_log, campus, team
from app.domain.imports import imports
from app.domain.learners import (
    portfolios,
    requests,
)
from app.domain.learners import (
    portfolios as brought_badges,
)
from app.domain.learners import (
    portfolios as contributions,
)
from app.domain.people import (
    name_disambiguation,
    parental_consent,
    people,
    record_merge,
)
from app.domain.people import (
    people as names,
)
from app.domain.trust import organisations, trust_registry
from app.domain.trust import organisations as endorsements

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
    claim_slips,
    frameworks,
    privacy,
    endorsements,
    privacy,
    contributions,
    federation,
    files,
    parental_consent,
    audit_log,
    imports,
    activity_log,
    campus,
    messages,
    log_disputes,
    record_merge,
    names,
    name_disambiguation,
    badges,
    log_watch,
    permissions,
    organisations,
    passkeys,
    people,
    portfolios,
    privacy,
    rate_limits,
    trust_registry,
    recovery,
    requests,
    check_in,
    sessions,
    sessions,
    sign_in,
    signing_clock,
    publishing,
    team,
    core,
)
METADATA = SQLModel.metadata
