"""Proof sets and chains (B-052, Data Integrity 4.5): what each proof covers, and which proofs depend on each other."""

from __future__ import annotations

import pytest

from sceau_credentials.canonical import canonical_nquads
from sceau_credentials.errors import (
    CanonicalizationTooHard,
    DocumentUnavailable,
    KeyNotResolved,
    ProofError,
    UnusableKey,
)
from sceau_credentials.keys import Algorithm
from sceau_credentials.proofs.data_integrity import (
    MOST_OBJECTS,
    add_proof,
    proof_options,
    proofs_of,
    verify_proofs,
)
from sceau_credentials.values import objects_in
from tests.sceau_credentials.signed import (
    DID,
    NOON,
    credential,
    reason,
    resigned,
    sha,
    verified,
    without_proof,
)


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
def test_an_invalid_set_of_proofs_is_refused_at_once(proof, expected):
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


def test_an_unknown_proof_beside_a_known_one_is_ignored(ring):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    unknown = {"type": "SomeProofType", "verificationMethod": f"{DID}#x", "proofPurpose": "assertionMethod"}
    signed["proof"] = [unknown, signed["proof"]]
    outcome = verified(signed, ring)
    assert outcome.accepted.proof == signed["proof"][1]
    assert reason(signed | {"proof": unknown}, ring) == "proof_not_read"


def test_a_good_proof_beside_a_bad_one_is_not_accepted(ring):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    other = add_proof(credential(name="Autre chose"), signer=ring.signer(), created=NOON)
    signed["proof"] = [signed["proof"], other["proof"]]
    assert reason(signed, ring) == "signature_mismatch"


def chained(ring):
    """One proof, and a second one that refers to it."""
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


def test_a_chained_proof_fails_with_the_one_before_it(ring):
    document = chained(ring)
    del ring.keys[document["proof"][0]["verificationMethod"]]
    assert [result.holds for result in verified(document, ring).results] == [False, False]


@pytest.mark.parametrize(
    "previous", [[], [3], {}, None, ["a"] * 5, "urn:uuid:33333333-3333-4333-8333-333333333333"]
)
def test_a_reference_to_a_missing_proof_is_refused(ring, previous):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    signed["proof"]["previousProof"] = previous
    assert reason(signed, ring) == "proof_malformed"


FIRST, SECOND, THIRD = (f"urn:uuid:{n * 8}-{n * 4}-4{n * 3}-8{n * 3}-{n * 12}" for n in "123")


def upon(document, signer, *earlier, **options):
    """A proof that refers to these proofs, as Data Integrity 4.5.2 hashes it."""
    seen = document | {"proof": list(earlier)}
    options |= {"previousProof": [proof["id"] for proof in earlier]}
    unsigned = resigned(document, signer, **options)
    configuration = {"@context": document["@context"]} | {
        name: value for name, value in unsigned.items() if name != "proofValue"
    }
    data = sha(canonical_nquads(configuration)) + sha(canonical_nquads(seen))
    return resigned(document, signer, data, **options)


def test_a_chain_of_three_fails_from_its_first_proof_on(ring):
    document = credential()
    first = resigned(document, ring.signer(), id=FIRST)
    second = upon(document, ring.signer(), first, id=SECOND)
    third = upon(document, ring.signer(), second, id=THIRD)
    whole = document | {"proof": [first, second, third]}
    assert [result.holds for result in verified(whole, ring).results] == [True, True, True]
    del ring.keys[first["verificationMethod"]]
    outcome = verified(whole, ring)
    assert [result.holds for result in outcome.results] == [False, False, False]
    assert outcome.results[2].error.detail == "previousProof fails"
    assert outcome.results[2].error.reason == "proof_malformed"
    assert outcome.results[2].key is ring.keys[third["verificationMethod"]]
    assert outcome.results[2].verification_method == third["verificationMethod"]


def test_a_chain_of_three_fails_in_its_middle_and_its_first_proof_holds(ring):
    document = credential()
    first = resigned(document, ring.signer(), id=FIRST)
    second = upon(document, ring.signer(), first, id=SECOND)
    third = upon(document, ring.signer(), second, id=THIRD)
    del ring.keys[second["verificationMethod"]]
    outcome = verified(document | {"proof": [first, second, third]}, ring)
    assert [result.holds for result in outcome.results] == [True, False, False]


def test_a_proof_that_refers_to_two_others_needs_both(ring):
    document = credential()
    first = resigned(document, ring.signer(), id=FIRST)
    second = resigned(document, ring.signer(), id=SECOND)
    third = upon(document, ring.signer(), first, second, id=THIRD)
    whole = document | {"proof": [first, second, third]}
    assert [result.holds for result in verified(whole, ring).results] == [True, True, True]
    del ring.keys[second["verificationMethod"]]
    assert [result.holds for result in verified(whole, ring).results] == [True, False, False]


def test_proofs_with_circular_references_are_refused(ring):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    signed["proof"] |= {"id": FIRST, "previousProof": [FIRST]}
    assert verified(signed, ring).accepted is None


@pytest.mark.parametrize("previous", [[FIRST] * 5, [FIRST, 3], {}])
def test_an_invalid_list_of_earlier_proofs_is_named(ring, previous):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    signed["proof"] |= {"previousProof": previous}
    outcome = verified(signed, ring)
    assert (outcome.error.reason, outcome.error.detail) == ("proof_malformed", "previousProof")


def test_a_proof_may_refer_to_as_many_as_a_document_may_have(ring):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    signed["proof"] |= {"id": FIRST, "previousProof": [FIRST] * 4}
    # Four are not too many: the signature fails, as it was made with none of them.
    assert verified(signed, ring).error.reason == "signature_mismatch"


def test_an_unread_proof_is_named_in_a_hundred_characters(ring):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    signed["proof"]["cryptosuite"] = "x" * 300
    error = verified(signed, ring).error
    assert (error.reason, error.detail) == ("proof_not_read", "x" * 100)
    signed["proof"] = {"type": "y" * 300, "verificationMethod": f"{DID}#x", "proofPurpose": "assertionMethod"}
    assert verified(signed, ring).error.detail == "y" * 100
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    signed["proof"]["proofPurpose"] = "z" * 300
    error = verified(signed, ring).error
    assert (error.reason, error.detail) == ("proof_purpose", "z" * 100)


def test_a_valid_proof_contradicts_nothing_and_a_bad_one_does(ring):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    assert verified(signed, ring).results[0].contradicts is False
    assert verified(signed | {"name": "Autre chose"}, ring).results[0].contradicts is True


@pytest.mark.parametrize("why", ["key_method_not_read", "key_not_bound_to_issuer"])
def test_a_partner_proof_with_an_unresolved_key_does_no_harm(ring, why):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    partner = add_proof(credential(), signer=ring.signer(), created=NOON)["proof"]

    def key_for(method):
        if method == partner["verificationMethod"]:
            raise KeyNotResolved(why)
        return ring.key_for(method)

    signed["proof"] = [partner, signed["proof"]]
    outcome = verify_proofs(signed, key_for=key_for, at=NOON)
    assert outcome.accepted is outcome.results[1]


def test_the_report_on_a_proof_omits_the_key(ring):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    assert "key=" not in repr(verified(signed, ring).results[0])


def test_a_key_without_a_suite_signs_nothing(ring):
    with pytest.raises(UnusableKey) as refusal:
        proof_options(ring.signer(Algorithm.RS256), NOON)
    assert refusal.value.reason == "key_algorithm_mismatch"


def strangers(ring, stranger):
    """The keys of the issuer; that of the stranger is not resolved."""

    def key_for(method):
        if method == stranger["verificationMethod"]:
            raise KeyNotResolved("key_not_bound_to_issuer")
        return ring.key_for(method)

    return key_for


def test_a_proof_that_refers_to_a_stranger_s_is_neither_good_nor_bad(ring):
    document = credential()
    partners = resigned(document, ring.signer(), id=FIRST)
    issuers = upon(document, ring.signer(), partners, id=SECOND)
    outcome = verify_proofs(
        document | {"proof": [partners, issuers]}, key_for=strangers(ring, partners), at=NOON
    )
    assert outcome.accepted is None
    assert [result.contradicts for result in outcome.results] == [False, False]
    assert outcome.error.reason == "proof_not_read"


def test_a_proof_that_refers_to_a_bad_one_and_a_stranger_s_is_bad(ring):
    document = credential()
    partners = resigned(document, ring.signer(), id=FIRST)
    bad = resigned(credential(name="Autre chose"), ring.signer(), id=SECOND)
    issuers = upon(document, ring.signer(), partners, bad, id=THIRD)
    outcome = verify_proofs(
        document | {"proof": [partners, bad, issuers]}, key_for=strangers(ring, partners), at=NOON
    )
    assert outcome.results[2].error.detail == "previousProof fails"


@pytest.mark.parametrize("order", [1, -1])
def test_an_unreachable_key_may_be_the_issuer_s_whatever_other_proofs_there_are(ring, order):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    partners = add_proof(credential(), signer=ring.signer(), created=NOON)["proof"]
    issuers = signed["proof"]["verificationMethod"]
    signed["proof"] = [signed["proof"], partners][::order]

    def key_for(method):
        if method == issuers:
            raise DocumentUnavailable("https://badges.example/did.json", "timeout")
        raise KeyNotResolved("key_not_bound_to_issuer")

    assert verify_proofs(signed, key_for=key_for, at=NOON).error.reason == "timeout"


@pytest.mark.parametrize(("objects", "is_read"), [(MOST_OBJECTS // 2, True), (MOST_OBJECTS // 2 + 1, False)])
def test_several_proofs_are_read_only_for_documents_of_ordinary_size(ring, objects, is_read):
    document = credential()
    proof = add_proof(document, signer=ring.signer(), created=NOON)["proof"]
    two = document | {"proof": [proof, proof], "evidence": []}
    two["evidence"] = [{"type": ["Evidence"]}] * (objects - objects_in(two))
    assert objects_in(two) == objects
    if is_read:
        assert reason(two, ring) == "signature_mismatch"
    else:
        with pytest.raises(CanonicalizationTooHard):
            verified(two, ring)
    assert reason(two | {"proof": proof}, ring) == "signature_mismatch"
