"""Was it awarded to the person the verifier has in mind?"""

from __future__ import annotations

import hmac
from hashlib import md5, sha256

from sceau_credentials.values.json_text import JsonObject, JsonValue
from sceau_credentials.verification.findings.reasons import Reason, found
from sceau_credentials.verification.policy import Identity
from sceau_credentials.verification.report import CheckResult


def recipient(document: JsonObject, asked: Identity | None) -> CheckResult:
    """C-008, C-014, C-015: equality with the subject's id, else with an identifier of the type asked about."""
    if asked is None:
        return found(Reason.RECIPIENT_NOT_ASKED)
    subject = document.get("credentialSubject")
    if not isinstance(subject, dict):
        return found(Reason.RECIPIENT_NOT_NAMED)
    if _same(str(subject.get("id", "")), asked.value):
        return found(Reason.RECIPIENT_MATCHES)
    listed = subject.get("identifier")
    entries = listed if isinstance(listed, list) else [listed]
    comparable = [e for e in entries if isinstance(e, dict) and e.get("identityType") == asked.type]
    if not comparable:
        return found(Reason.RECIPIENT_NOT_NAMED, type=asked.type)
    # Every entry is compared, so that the time taken tells nothing about which one matched.
    matches = [_names(entry, asked.value) for entry in comparable]
    return found(Reason.RECIPIENT_MATCHES if any(matches) else Reason.RECIPIENT_DIFFERS, type=asked.type)


def _names(entry: JsonObject, value: str) -> bool:
    written = entry.get("identityHash")
    if not isinstance(written, str):
        return False
    if entry.get("hashed") is not True:
        return _same(written, value)
    algorithm, _, digest = written.partition("$")
    computed = _digest(algorithm, value, entry.get("salt"))
    return computed is not None and _same(digest.lower(), computed)


def _digest(algorithm: str, value: str, salt: JsonValue) -> str | None:
    """A-050: the salt is appended; these two algorithms and no other."""
    salted = (value + (salt if isinstance(salt, str) else "")).encode(errors="replace")
    if algorithm == "sha256":
        return sha256(salted).hexdigest()
    if algorithm == "md5":
        return md5(salted, usedforsecurity=False).hexdigest()
    return None


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(errors="replace"), right.encode(errors="replace"))
