"""Badges that anyone can make and that would take seconds to verify without limits on work."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any

from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.status_list import StatusList, status_list_credential
from tests.support.badges.credentials import DID, LIST_URL, NOON, badge_document
from tests.support.badges.forgery import CAMPUS, EMBEDDED, resigned
from tests.support.badges.hostile_badges import Hostile

_BAD_PROOF = EMBEDDED["proof"]
_OLDER_WORD = ["eyJhbGciOiJFZERTQSJ9.e30.c2ln"]


def _evidence(count: int, **members: Any) -> list[dict[str, Any]]:
    return [{"id": f"urn:x:{number}", "type": ["Evidence"], **members} for number in range(count)]


def _with(*proofs: dict[str, Any], **changed: Any) -> str:
    return json.dumps(badge_document() | changed | {"proof": list(proofs)})


def _chain() -> list[dict[str, Any]]:
    """Four proofs, each of which covers all those before it."""
    ids = [f"urn:x:proof:{number}" for number in range(4)]
    return [
        _BAD_PROOF | {"id": name, **({"previousProof": ids[:number]} if number else {})}
        for number, name in enumerate(ids)
    ]


def _of_older_words(count: int) -> str:
    document = badge_document() | {"evidence": _evidence(count), "proof": _BAD_PROOF}
    document["credentialSubject"]["achievement"]["endorsementJwt"] = _OLDER_WORD
    return json.dumps(document)


def _large_list() -> dict[str, Any]:
    bits = os.urandom(300_000) + bytes(2 * 1024 * 1024 - 300_000)
    unsigned = status_list_credential(
        LIST_URL,
        issuer=DID,
        status_list=StatusList(len(bits) * 8, bits),
        purpose="revocation",
        valid_from=NOON - timedelta(hours=1),
        valid_until=NOON + timedelta(days=1),
        ttl=timedelta(minutes=15),
    )
    return add_proof(unsigned, signer=CAMPUS.signer, created=NOON)


def _many_statuses(count: int) -> str:
    entry = {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListCredential": LIST_URL,
    }
    entries = [entry | {"statusListIndex": str(3_000_000 + number)} for number in range(count)]
    return json.dumps(resigned(credentialStatus=entries))


_ENDORSED = [
    {"id": f"urn:x:{number}", "type": ["EndorsementCredential"], "proof": {"type": "DataIntegrityProof"}}
    for number in range(1_900)
]
LABORIOUS = [
    Hostile("a chain of proofs over a large badge", _with(*_chain(), evidence=_evidence(1_500)), "proof:too_hard"),
    Hostile("four proofs of a large badge", _with(*[_BAD_PROOF] * 4, evidence=_evidence(1_500, narrative={"@value": "m", "@language": "fr"})), "proof:too_hard"),
    Hostile("four proofs of nodes that are alike", _with(*[_BAD_PROOF] * 4, evidence=[{"type": ["Evidence"]}] * 100), "proof:signature_mismatch"),
    Hostile("words added since, in a large badge", _of_older_words(1_900), "proof:too_hard"),
    Hostile("a graph for each of many proofs", _with(_BAD_PROOF, endorsement=_ENDORSED), "proof:too_hard"),
    Hostile("objects that say nothing", _with(_BAD_PROOF, evidence=[{}] * 60_000), "readable:too_large"),
    Hostile("numbers in the place of evidence", _with(_BAD_PROOF, evidence=[0] * 80_000), "readable:too_large"),
    Hostile("as many numbers as are read", _with(_BAD_PROOF, evidence=[0] * 19_000), "schema:schema_violation"),
    Hostile("a list asked fourteen hundred times", _many_statuses(1_400), "status:status_entry_malformed", {LIST_URL: _large_list()}),
]  # fmt: skip
