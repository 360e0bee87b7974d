"""A campus, a forger with a key of the same type, and modified tokens and proofs."""

from __future__ import annotations

import base64
import json
from typing import Any

from sceau_credentials.keys import LocalSigningKey, encode_base64url
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.verification.report import Report
from sceau_credentials.verification.run_checks import verify
from tests.support.badges.credentials import NOON, Campus, badge_document
from tests.support.badges.documents import Documents

CAMPUS = Campus()
FORGER = Campus()
SIGNED = CAMPUS.issue()
EMBEDDED: dict[str, Any] = json.loads(SIGNED.embedded)


def asked(presented: bytes | str, documents: Documents | None = None) -> Report:
    return verify(presented, documents=documents or CAMPUS.documents(), at=NOON)


def token(
    header: dict[str, Any] | None = None,
    claims: dict[str, Any] | None = None,
    *,
    key: LocalSigningKey = CAMPUS.key,
    signature: bytes | None = None,
) -> str:
    """A token with these members changed; `...` removes a member."""
    head = {"alg": "EdDSA", "kid": CAMPUS.jwt_signer.verification_method, "typ": "JWT"} | (header or {})
    payload = json.loads(base64.urlsafe_b64decode(SIGNED.token.split(".")[1] + "==")) | (claims or {})
    parts = (
        encode_base64url(json.dumps({n: v for n, v in each.items() if v is not ...}).encode())
        for each in (head, payload)
    )
    signing_input = ".".join(parts)
    made = key.sign(signing_input.encode()) if signature is None else signature
    return f"{signing_input}.{encode_base64url(made)}"


def resigned(**changed: Any) -> dict[str, Any]:
    return add_proof(badge_document() | changed, signer=CAMPUS.signer, created=NOON)


def with_proof(**changed: Any) -> str:
    proof = {name: value for name, value in (EMBEDDED["proof"] | changed).items() if value is not ...}
    return json.dumps(EMBEDDED | {"proof": proof})
