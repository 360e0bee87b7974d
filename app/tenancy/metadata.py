"""Every table in one list, for Alembic and for tests."""

from __future__ import annotations

from sqlmodel import SQLModel

from app.domain import core, frameworks, messages, privacy, publishing, verification
from app.domain.accounts import permissions, rate_limits, sessions, sign_in
from app.domain.activities import activities, check_in, files
from app.domain.activity_log import activity_log, recovery
from app.domain.awards import awards, batches, claim_slips, open_badges, signing_clock
from app.domain.badges import badges, modules, shared_definitions
from app.domain.campus import audit_log, campus, integration, lti, registers, sender, team, webhooks
from app.domain.frameworks import pathways
from app.domain.imports import calendars, imports
from app.domain.learners import (
    connected_apps,
    page_views,
    portfolios,
    ratings,
    requests,
    wallet_authorization,
    wallets,
)
from app.domain.people import name_disambiguation, parental_consent, people, record_merge
from app.domain.reports import counts, editions, facts, ledger, network, surveys
from app.domain.trust import organisations, peers, trust_registry

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
    claim_slips,
    connected_apps,
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
    modules,
    name_disambiguation,
    network,
    open_badges,
    organisations,
    parental_consent,
    page_views,
    pathways,
    peers,
    people,
    permissions,
    portfolios,
    privacy,
    publishing,
    rate_limits,
    ratings,
    record_merge,
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
    trust_registry,
    verification,
    wallet_authorization,
    wallets,
    webhooks,
)
METADATA = SQLModel.metadata
