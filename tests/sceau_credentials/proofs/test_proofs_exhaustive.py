"""Full reports on invalid sets of proofs: reason, detail and pointer, at a limit and one over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sceau_credentials.errors import KeyNotResolved, ProofError
from sceau_credentials.keys import Algorithm, encode_multibase
from sceau_credentials.proofs.data_integrity import proofs_of, shows_a_part, verify_proofs
from tests.sceau_credentials.signed import NOON, KeyRing, credential
from tests.support.running.every import for_each

RING = KeyRing()
V1 = "https://www.w3.org/2018/credentials/v1"


def refused(error: Any) -> tuple[str, str, str]:
    return error.reason, getattr(error, "pointer", ""), error.detail


def proof(**changes: Any) -> dict[str, Any]:
    whole = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "verificationMethod": "did:x#k",
        "proofPurpose": "assertionMethod",
        "proofValue": encode_multibase(bytes(64)),
    }
    return {name: value for name, value in (whole | changes).items() if value is not ...}


NAMES_NONE = "previousProof names no proof of this document"


@for_each(
    ("changes", "reason", "detail"),
    [
        ({"type": ...}, "proof_malformed", "type"),
        ({"verificationMethod": ["did:x#k"]}, "proof_malformed", "verificationMethod"),
        ({"proofPurpose": ...}, "proof_malformed", "proofPurpose"),
        ({"type": "t" * 101, "cryptosuite": ...}, "proof_not_read", "t" * 100),
        ({"cryptosuite": "c" * 101}, "proof_not_read", "c" * 100),
        ({"cryptosuite": ...}, "proof_malformed", "cryptosuite"),
        ({"cryptosuite": 7}, "proof_malformed", "cryptosuite"),
        ({"proofPurpose": "p" * 101}, "proof_purpose", "p" * 100),
        ({"created": "2026-06-30T12:05:01Z"}, "proof_from_the_future", "2026-06-30T12:05:01Z"),
        ({"created": "noon"}, "proof_malformed", "created or expires"),
        ({"expires": "2026-06-30T12:00:00Z"}, "proof_expired", "2026-06-30T12:00:00Z"),
        ({"expires": None}, "proof_malformed", "created or expires"),
        ({"previousProof": []}, "proof_malformed", NAMES_NONE),
        ({"previousProof": ["urn:x:1"] * 4}, "proof_malformed", NAMES_NONE),
        ({"previousProof": ["urn:x:1"] * 5}, "proof_malformed", "previousProof"),
        ({"previousProof": 7}, "proof_malformed", "previousProof"),
        ({"previousProof": ["urn:x:1", 7]}, "proof_malformed", "previousProof"),
        ({"proofValue": ...}, "proof_malformed", "proofValue"),
        ({"created": "2026-06-30T12:05:00Z", "proofValue": "z"}, "proof_malformed", "proofValue"),
        ({"expires": "2026-06-30T12:00:01Z", "proofValue": "z"}, "proof_malformed", "proofValue"),
        ({"cryptosuite": "eddsa-2022"}, "key_not_found", "did:x#k"),
        ({"cryptosuite": "eddsa-jcs-2022", "@context": V1}, "proof_malformed",
         "its @context does not begin the document's"),
        ({"@context": V1}, "proof_malformed", "its @context is not the document's"),
    ],
)  # fmt: skip
def test_a_fault_of_a_proof_is_reported_with_its_detail(changes: Any, reason: str, detail: str) -> None:
    written = credential(proof=proof(**changes))
    found = verify_proofs(written, key_for=RING.key_for, at=NOON, clock_skew=timedelta(minutes=5))
    assert found.accepted is None
    assert found.error is not None
    assert refused(found.error) == (reason, "", detail)


def test_a_key_of_another_kind_is_named() -> None:
    other = RING.signer(Algorithm.ES256)
    written = credential(proof=proof(verificationMethod=other.verification_method))
    found = verify_proofs(written, key_for=RING.key_for, at=NOON)
    (result,) = found.results
    assert refused(result.error) == ("algorithm_not_allowed", "", "the key is one for ES256")
    assert (result.verification_method, result.key) == (other.verification_method, other.key.public)
    assert found.document == credential()


@pytest.mark.parametrize(
    ("written", "reason", "detail"),
    [
        ([], "no_proof", ""),
        ([proof()] * 5, "too_many_proofs", "5"),
        ([proof(), 7], "proof_malformed", "a proof is an object"),
        ([proof(id="a"), proof(id="b"), proof(id="a")], "proof_malformed", "two proofs with one id"),
    ],
)
def test_an_invalid_set_of_proofs_is_reported_with_its_reason(written: Any, reason: str, detail: str) -> None:
    with pytest.raises(ProofError) as error:
        proofs_of(credential(proof=written))
    assert refused(error.value) == (reason, "", detail)
    with pytest.raises(ProofError) as absent:
        proofs_of(credential())
    assert refused(absent.value) == ("no_proof", "", "")


def test_a_set_holds_up_to_four_proofs() -> None:
    four = [proof(id=f"urn:x:{number}") for number in range(3)] + [proof()]
    assert proofs_of(credential(proof=four)) == tuple(four)
    assert proofs_of(credential(proof=proof())) == (proof(),)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (proof(cryptosuite="ecdsa-sd-2023"), True),
        ([7, proof(), proof(cryptosuite="ecdsa-sd-2023")], True),
        ([proof()], False),
        ("ecdsa-sd-2023", False),
        (None, False),
    ],
)
def test_a_proof_indicates_whether_only_a_part_is_shown(written: Any, shown: bool) -> None:
    assert shows_a_part({"proof": written}) is shown
    assert shows_a_part({}) is False


def test_of_several_proofs_the_bad_one_is_reported_before_the_unread_one() -> None:
    unread = [proof(cryptosuite="other"), proof(cryptosuite="eddsa-jcs-2022", proofPurpose="x")]
    found = verify_proofs(credential(proof=unread), key_for=RING.key_for, at=NOON)
    assert [result.contradicts for result in found.results] == [False, True]
    assert found.error is found.results[1].error

    def elsewhere(_: str) -> Any:
        raise KeyNotResolved("key_not_bound_to_issuer", "named under did:x")

    found = verify_proofs(credential(proof=proof()), key_for=elsewhere, at=NOON)
    assert [result.contradicts for result in found.results] == [False]
    assert refused(found.error) == ("key_not_bound_to_issuer", "", "named under did:x")
