"""Full answers about an older badge: its reasons and every detail."""

from __future__ import annotations

import json
from typing import Any

from sceau_credentials import Policy, Report, verify
from tests.sceau_credentials.verification.legacy.older_issuer import (
    ASSERTION,
    KEY,
    NOON,
    REVOCATIONS,
    SITE,
    jws,
    published,
    signed_assertion,
)

TOKEN = jws(signed_assertion())
UUID = signed_assertion()["id"]
LONG = f"{SITE}/" + "x" * 2001


def answers_of(presented: Any, documents: Any = None, policy: Policy | None = None) -> dict[str, Any]:
    text = presented if isinstance(presented, str) else json.dumps(presented)
    report = verify(text, documents=documents or published(), at=NOON, policy=policy or Policy())
    return {answer.id.value: (answer.reason, dict(answer.details)) for answer in report.checks}


def skipped(because: str, *questions: str) -> dict[str, Any]:
    return dict.fromkeys(questions, ("not_reached", {"because": because}))


PERIOD = ("in_force", {"valid_from": "2026-06-01T09:00:00Z", "valid_until": "2027-06-01T09:00:00Z"})
HOSTED = {
    "readable": ("open_badge_2", {}),
    "context": ("context_known", {}),
    "schema": ("schema_conforms", {}),
    "proof": ("hosted", {"url": ASSERTION}),
    "key": ("hosted_in_scope", {"url": ASSERTION}),
    "issuer": ("issuer_identified", {"domain": "badges.ancien.example"}),
    "validity": PERIOD,
    "status": ("still_hosted", {"url": ASSERTION}),
    "recipient": ("recipient_not_asked", {}),
}
SIGNED = HOSTED | {
    "proof": ("signature_holds", {}),
    "key": ("key_bound", {"method": KEY}),
    "status": ("not_revoked", {"url": REVOCATIONS}),
}
REST = ("context", "schema", "key", "issuer", "validity", "recipient")


def report_on(presented: Any, documents: Any = None) -> Report:
    text = presented if isinstance(presented, str) else json.dumps(presented)
    return verify(text, documents=documents or published(), at=NOON)
