"""Every table in one list, for Alembic and for tests."""

from __future__ import annotations

from sqlmodel import SQLModel

from app.domain import (
    activities,
    activity_log,
    awards,
    badges,
    core,
    frameworks,
    messages,
    people,
    publishing,
    trust,
)
from app.domain.accounts import permissions, rate_limits, sessions, sign_in
from app.domain.activities import check_in, files
from app.domain.activity_log import recovery
from app.domain.awards import batches, open_badges, signing_clock
from app.domain.badges import shared_definitions
from app.domain.campus import audit_log, campus, integration, lti, registers, sender, team
from app.domain.frameworks import pathways
from app.domain.imports import calendars, imports
from app.domain.learners import (
    connected_apps,
    portfolios,
    presentations,
    ratings,
    requests,
    wallet_authorization,
    wallets,
)
from app.domain.people import consents, parental_consent
from app.domain.reports import counts, editions, facts, ledger, network, surveys
from app.domain.trust import organisations

MODULES = (
    activities,
    activity_log,
    audit_log,
    awards,
    badges,
    batches,
    calendars,
    campus,
    check_in,
    connected_apps,
    consents,
    core,
    counts,
    editions,
    facts,
    files,
    frameworks,
    imports,
    integration,
    ledger,
    lti,
    messages,
    network,
    open_badges,
    organisations,
    parental_consent,
    pathways,
    people,
    permissions,
    portfolios,
    presentations,
    publishing,
    rate_limits,
    ratings,
    recovery,
    registers,
    requests,
    sender,
    sessions,
    shared_definitions,
    sign_in,
    signing_clock,
    surveys,
    team,
    trust,
    wallet_authorization,
    wallets,
)
METADATA = SQLModel.metadata
