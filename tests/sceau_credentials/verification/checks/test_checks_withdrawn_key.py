"""Withdrawn keys: only what the issuer's log contained a full minute before is accepted; full answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.evidence.documents import Evidence, Leaf, LoggedEntry, commit, digest_of, open_entry
from sceau_credentials.evidence.judging import EvidenceOutcome, content_digest, judge_evidence
from sceau_credentials.keys import Algorithm, LocalSigningKey
from sceau_credentials.transparency_log.notes import (
    LeafHashes,
    Note,
    NoteKey,
    TreeHead,
    inclusion_proof,
    root_of,
    sign,
)
from sceau_credentials.verification.checks import withdrawn_key
from tests.support.badges.credentials import DID, HOST
from tests.support.badges.documents import Documents

DECIDED = datetime(2026, 6, 30, 12, tzinfo=UTC)
AWARD, ADDRESS = f"{HOST}/attributions/7", f"{HOST}/preuves/7.json"
LOG = LocalSigningKey.generate(Algorithm.EDDSA)
ORIGIN = "badges.example/campus/itip/journal"
LOG_KEY, KEY_ADDRESS = NoteKey(ORIGIN, LOG.public), f"https://{ORIGIN}/key"
BADGE: dict[str, Any] = {"id": AWARD, "issuer": DID, "name": "Soudure"}
SECRET = bytes(32)


def evidence_of(badge: dict[str, Any], **more: str) -> bytes:
    """The log's evidence of the award of this badge."""
    decision = {"award": badge["id"], "credential": content_digest(badge), "entries": [], **more}
    leaf = Leaf("award", DECIDED, commit(decision, SECRET))
    tree = LeafHashes([leaf.hash()])
    text = TreeHead(ORIGIN, 1, root_of(tree, 1)).to_text()
    return Evidence(
        f"{HOST}/contextes/preuves-v1.jsonld",
        ADDRESS,
        badge["id"],
        Note(text, (sign(text, ORIGIN, LOG),)),
        LoggedEntry(0, leaf, tuple(inclusion_proof(tree, 0, 1))),
        open_entry(decision, SECRET, decision),
        (),
    ).to_bytes()


def logged(badge: dict[str, Any], evidence: bytes) -> dict[str, Any]:
    return badge | {"relatedResource": [{"id": ADDRESS, "digestMultibase": digest_of(evidence)}]}


EVIDENCE = evidence_of(BADGE)
LOGGED = logged(BADGE, EVIDENCE)


class Site(Documents):
    """What the issuer serves; one of its addresses may answer with a cause instead."""

    def __init__(self, away: str = "", cause: str = "") -> None:
        super().__init__({ADDRESS: EVIDENCE, KEY_ADDRESS: LOG_KEY.to_vkey()})
        self._away, self._cause = away, cause

    def fetch(self, url: str, *, accept: str = "application/json") -> Any:
        if url == self._away:
            raise DocumentUnavailable(url, self._cause)
        return super().fetch(url, accept=accept)


def key_answer(document: dict[str, Any], revoked_at: datetime, site: Documents | None = None) -> Any:
    answer = withdrawn_key(document, revoked_at, site or Site())
    return answer.reason, dict(answer.details)


DECIDED_AT = {"decided": "2026-06-30T12:00:00Z"}


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [
        (86_400, "key_revoked_since"),
        (60, "key_revoked_since"),
        (59, "key_revoked_before"),
        (0, "key_revoked_before"),
        (-86_400, "key_revoked_before"),
    ],
)
def test_the_full_minute_of_the_log_entry_must_be_before_the_withdrawal(seconds: int, reason: str) -> None:
    revoked_at = DECIDED + timedelta(seconds=seconds)
    withdrawn = {"withdrawn": revoked_at.isoformat().replace("+00:00", "Z")}
    assert key_answer(LOGGED, revoked_at) == (reason, withdrawn | DECIDED_AT)


LATER = DECIDED + timedelta(days=1)
WITHDRAWN = {"withdrawn": "2026-07-01T12:00:00Z"}


@pytest.mark.parametrize(
    ("document", "site", "reason", "cause"),
    [
        (BADGE, Site(), "key_revoked", "not_logged"),
        (LOGGED, Site(ADDRESS, "not_found"), "key_revoked", "not_found"),
        (LOGGED, Site(ADDRESS, "timed_out"), "key_revoked_log_unread", "timed_out"),
        (LOGGED, Site(KEY_ADDRESS, "timed_out"), "key_revoked_log_unread", "timed_out"),
        (LOGGED | {"name": "Doctorat"}, Site(), "key_revoked", "decision_about_other_content"),
        (LOGGED | {"issuer": "did:web:a.example"}, Site(), "key_revoked", "log_of_somebody_else"),
    ],
)
def test_without_an_entry_of_the_log_the_key_stays_withdrawn(
    document: Any, site: Any, reason: str, cause: str
) -> None:
    assert key_answer(document, LATER, site) == (reason, WITHDRAWN | {"cause": cause})


def test_only_evidence_and_log_key_are_fetched() -> None:
    site = Site()
    assert key_answer(LOGGED, LATER, site)[0] == "key_revoked_since"
    assert site.asked == [ADDRESS, KEY_ADDRESS]


@pytest.mark.parametrize("served", [b"", b"<html>", b"[]", b"{}", b'{"error": "x"}', b"\xff"])
@pytest.mark.parametrize("address", [ADDRESS, KEY_ADDRESS])
def test_an_error_page_instead_of_evidence_or_log_key_proves_nothing(address: str, served: bytes) -> None:
    report = judge_evidence(LOGGED, documents=Site().with_({address: served}))
    assert report is not None
    assert report.outcome is EvidenceOutcome.UNREAD
