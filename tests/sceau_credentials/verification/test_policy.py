"""Additional demands of one verifier: trusted issuers, supplied files."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from sceau_credentials.keys import encode_multibase
from sceau_credentials.verification.answers import Policy
from sceau_credentials.verification.report import CheckId, Report, Verdict
from sceau_credentials.verification.run_checks import verify
from tests.support.badges.credentials import DID, HOST, NOON
from tests.support.badges.forgery import CAMPUS, SIGNED, resigned
from tests.support.running.every import for_each

FILE = b"Compte rendu de l'atelier, trois pages."
URL = f"{HOST}/preuves/1.pdf"


def under(policy: Policy, presented: bytes | str = SIGNED.embedded) -> Report:
    return verify(presented, documents=CAMPUS.documents(), at=NOON, policy=policy)


def test_a_policy_of_trusted_issuers_leaves_other_issuers_undetermined() -> None:
    """C-027."""
    only = Policy(only_trusted_issuers=True, trusted_issuers=frozenset({"did:web:elsewhere.example"}))
    report = under(only)
    assert (report.verdict, report.check(CheckId.ISSUER).reason) == (
        Verdict.UNDETERMINED,
        "issuer_not_trusted",
    )
    assert report.document is not None
    assert under(Policy(only_trusted_issuers=True, trusted_issuers=frozenset({DID}))).verdict is Verdict.VALID


def sri(algorithm: str, body: bytes = FILE) -> str:
    return f"{algorithm}-{base64.b64encode(hashlib.new(algorithm, body).digest()).decode()}"


def multihash(code: int, algorithm: str, base: Any, body: bytes = FILE) -> str:
    digest = hashlib.new(algorithm, body).digest()
    return encode_multibase(bytes([code, len(digest)]) + digest, base)


DIGESTS: list[tuple[dict[str, str], str, Verdict]] = [
    ({"digestSRI": sri("sha256")}, "signature_holds", Verdict.VALID),
    ({"digestSRI": sri("sha384")}, "signature_holds", Verdict.VALID),
    ({"digestSRI": f"{sri('sha512')} {sri('sha512', b'x')}"}, "signature_holds", Verdict.VALID),
    ({"digestMultibase": multihash(0x12, "sha256", "u")}, "signature_holds", Verdict.VALID),
    ({"digestMultibase": multihash(0x20, "sha384", "z")}, "signature_holds", Verdict.VALID),
    ({"digestSRI": sri("sha384", b"x")}, "resource_differs", Verdict.INVALID),
    ({"digestSRI": f"{sri('sha256')} {sri('sha512', b'x')}"}, "resource_differs", Verdict.INVALID),
    ({"digestMultibase": multihash(0x13, "sha512", "u", b"x")}, "resource_differs", Verdict.INVALID),
    (
        {"digestSRI": sri("sha384"), "digestMultibase": multihash(0x12, "sha256", "u", b"x")},
        "resource_differs",
        Verdict.INVALID,
    ),
    ({"digestSRI": "md5-AAAA"}, "resource_digest_not_read", Verdict.UNDETERMINED),
    ({"digestSRI": "sha256-%%"}, "resource_digest_not_read", Verdict.UNDETERMINED),
    ({"digestMultibase": "uAAAA"}, "resource_digest_not_read", Verdict.UNDETERMINED),
    ({"digestMultibase": "x"}, "resource_digest_not_read", Verdict.UNDETERMINED),
]


@for_each(("digests", "reason", "verdict"), DIGESTS, ids=range(len(DIGESTS)))
@for_each("member", ["relatedResource", "evidence"])
def test_a_supplied_file_is_the_one_that_the_badge_contains_a_digest_of(
    member: str, digests: dict[str, str], reason: str, verdict: Verdict
) -> None:
    """C-020, J-005."""
    named = {"id": URL, **digests} | ({"type": ["Evidence"]} if member == "evidence" else {})
    presented = json.dumps(resigned(**{member: [named]}))
    report = under(Policy(resources={URL: FILE}), presented)
    assert (report.check(CheckId.PROOF).reason, report.verdict) == (reason, verdict)
    assert under(Policy(), presented).verdict is Verdict.VALID
    assert under(Policy(resources={f"{URL}x": b""}), presented).verdict is Verdict.VALID


def test_a_file_without_a_digest_has_no_effect() -> None:
    evidence = [{"id": URL, "type": ["Evidence"]}]
    report = under(Policy(resources={URL: b"anything"}), json.dumps(resigned(evidence=evidence)))
    assert report.verdict is Verdict.VALID
