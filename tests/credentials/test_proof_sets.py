"""Proof sets and chains (Data Integrity 4.5): what each proof covers, and which proofs stand or fall together."""

from __future__ import annotations

import pytest

from app.credentials.canonical import canonical_nquads
from app.credentials.errors import ProofError
from app.credentials.keys import Algorithm
from app.credentials.proofs.data_integrity import add_proof, proofs_of
from tests.credentials.signed import DID, NOON, credential, reason, resigned, sha, verified, without_proof


@pytest.mark.parametrize(
    ("proof", "expected"),
    [
        (None, "proof_malformed"),
        ([], "no_proof"),
        ("z", "proof_malformed"),
        ([{}, "z"], "proof_malformed"),
        ([[{}]], "proof_malformed"),
        ([{}] * 5, "too_many_proofs"),
        ([{}] * 500, "too_many_proofs"),
        ([{"id": "urn:x:1"}, {"id": "urn:x:1"}], "proof_malformed"),
    ],
)
def test_what_is_no_set_of_proofs_is_refused_at_once(proof, expected):
    with pytest.raises(ProofError) as refusal:
        proofs_of(credential(proof=proof))
    assert refusal.value.reason == expected


def test_each_proof_of_a_set_covers_the_document_without_any_proof(ring):
    once = add_proof(credential(), signer=ring.signer(), created=NOON)
    twice = add_proof(once, signer=ring.signer(Algorithm.ES256), created=NOON)
    assert twice["proof"][0] == once["proof"]
    outcome = verified(twice, ring)
    assert [result.holds for result in outcome.results] == [True, True]
    assert verified(without_proof(twice) | {"proof": twice["proof"][1]}, ring).accepted


def test_unknown_proof_beside_a_known_one_is_let_be(ring):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    unknown = {"type": "SomeProofType", "verificationMethod": f"{DID}#x", "proofPurpose": "assertionMethod"}
    signed["proof"] = [unknown, signed["proof"]]
    outcome = verified(signed, ring)
    assert outcome.accepted.proof == signed["proof"][1]
    assert reason(signed | {"proof": unknown}, ring) == "proof_not_read"


def test_good_proof_beside_a_bad_one_is_not_believed(ring):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    other = add_proof(credential(name="Autre chose"), signer=ring.signer(), created=NOON)
    signed["proof"] = [signed["proof"], other["proof"]]
    assert reason(signed, ring) == "signature_mismatch"


def chained(ring):
    """One proof, and a second one made upon it."""
    first_signer, second_signer = ring.signer(), ring.signer()
    document = credential()
    first = resigned(document, first_signer, id="urn:uuid:11111111-1111-4111-8111-111111111111")
    seen = document | {"proof": [first]}
    options = {"previousProof": first["id"], "id": "urn:uuid:22222222-2222-4222-8222-222222222222"}
    unsigned = resigned(document, second_signer, **options)
    configuration = {"@context": document["@context"]} | {
        k: v for k, v in unsigned.items() if k != "proofValue"
    }
    data = sha(canonical_nquads(configuration)) + sha(canonical_nquads(seen))
    return document | {"proof": [first, resigned(document, second_signer, data, **options)]}


def test_chained_proof_covers_the_proof_before_it(ring):
    document = chained(ring)
    assert [result.holds for result in verified(document, ring).results] == [True, True]


def test_chained_proof_without_the_one_before_it_is_refused(ring):
    document = chained(ring)
    document["proof"] = document["proof"][1:]
    assert reason(document, ring) == "proof_malformed"


def test_chained_proof_falls_with_the_one_before_it(ring):
    document = chained(ring)
    del ring.keys[document["proof"][0]["verificationMethod"]]
    assert [result.holds for result in verified(document, ring).results] == [False, False]


@pytest.mark.parametrize(
    "previous", [[], [3], {}, None, ["a"] * 5, "urn:uuid:33333333-3333-4333-8333-333333333333"]
)
def test_reference_to_no_proof_is_refused(ring, previous):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    signed["proof"]["previousProof"] = previous
    assert reason(signed, ring) == "proof_malformed"
