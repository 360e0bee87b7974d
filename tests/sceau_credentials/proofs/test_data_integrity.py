"""One embedded proof: the bytes that are signed, and when it is accepted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sceau_credentials.canonical import canonical_nquads
from sceau_credentials.errors import DocumentUnavailable, ProofError
from sceau_credentials.keys import Algorithm, LocalSigningKey, decode_multibase, encode_multibase
from sceau_credentials.proofs.data_integrity import add_proof, proofs_of, verify_proofs
from tests.sceau_credentials.signed import NOON, credential, reason, resigned, sha, verified, without_proof


def test_signed_bytes_are_the_hash_of_the_proof_then_the_hash_of_the_document(ring):
    signer = ring.signer()
    signed = add_proof(credential(), signer=signer, created=NOON)
    proof = signed["proof"]
    assert {name: value for name, value in proof.items() if name != "proofValue"} == {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2026-06-30T12:00:00Z",
        "verificationMethod": signer.verification_method,
        "proofPurpose": "assertionMethod",
    }
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    configuration = {"@context": signed["@context"]} | options
    data = sha(canonical_nquads(configuration)) + sha(canonical_nquads(credential()))
    signature = decode_multibase(proof["proofValue"])
    Ed25519PublicKey.from_public_bytes(signer.key.public.encoded).verify(signature, data)


def test_signed_document_is_the_credential_and_its_proof(ring):
    signer = ring.signer()
    document = credential()
    signed = add_proof(document, signer=signer, created=NOON)
    assert without_proof(signed) == document == credential()
    outcome = verified(signed, ring)
    assert outcome.accepted.verification_method == signer.verification_method
    assert outcome.accepted.key == signer.key.public
    assert outcome.document == document
    assert outcome.error is None


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(name="Autre chose"),
        lambda d: d["issuer"].update(name="Un autre campus"),
        lambda d: d["credentialSubject"].update(id="urn:uuid:00000000-0000-4000-8000-000000000000"),
        lambda d: d["credentialSubject"]["achievement"].update(type=["Achievement", "Image"]),
        lambda d: d.pop("validFrom"),
        lambda d: d.update(validUntil="2030-01-01T00:00:00Z"),
        lambda d: d["proof"].update(created="2026-06-30T11:59:59Z"),
        lambda d: d["proof"].update(expires="2030-01-01T00:00:00Z"),
        lambda d: d["proof"].pop("created"),
        lambda d: d["proof"].update(domain="example.org"),
        lambda d: d["proof"].update(cryptosuite="eddsa-2022"),
        lambda d: d["proof"].update(id="urn:uuid:00000000-0000-4000-8000-000000000000"),
    ],
)
def test_any_change_to_what_was_signed_breaks_the_proof(ring, change):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    change(signed)
    assert reason(signed, ring) == "signature_mismatch"


def test_the_order_of_members_does_not_matter(ring):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    assert verified(dict(reversed(signed.items())), ring).accepted


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"proofPurpose": "authentication"}, "proof_purpose"),
        ({"proofPurpose": None}, "proof_malformed"),
        ({"verificationMethod": None}, "proof_malformed"),
        ({"created": "2026-06-30T12:05:00Z"}, None),
        ({"created": "2026-06-30T12:05:01Z"}, "proof_from_the_future"),
        ({"created": "2026-06-30"}, "proof_malformed"),
        ({"created": None}, None),
        ({"expires": "2026-06-30T12:00:01Z"}, None),
        ({"expires": "2026-06-30T12:00:00Z"}, "proof_expired"),
        ({"expires": "never"}, "proof_malformed"),
        ({"cryptosuite": "eddsa-2022"}, None),
        ({"cryptosuite": "ecdsa-rdfc-2019"}, "algorithm_not_allowed"),
        ({"cryptosuite": "bbs-2023"}, "proof_not_read"),
        ({"domain": "badges.example", "challenge": "1"}, None),
    ],
)
def test_each_clause_of_a_correctly_signed_proof(ring, changes, expected):
    signer = ring.signer()
    document = credential()
    document["proof"] = resigned(document, signer, **changes)
    if expected is None:
        assert verified(document, ring).accepted
    else:
        assert reason(document, ring) == expected


def test_proof_value_must_be_64_bytes_in_base58btc(ring):
    """B-031"""
    for seconds in range(60):
        signed = add_proof(credential(), signer=ring.signer(), created=NOON + timedelta(seconds=seconds))
        signature = decode_multibase(signed["proof"]["proofValue"])
        if (
            signature[0] >= 5
        ):  # a value that begins with a smaller digit still has 64 bytes with one digit more
            break
    value = signed["proof"]["proofValue"]
    for other in (
        encode_multibase(signature, "u"),
        value[1:],
        value + "1",
        "z1" + value[1:],
        encode_multibase(signature[:63]),
        encode_multibase(signature + b"\0"),
        "z" * 100_000,
        "",
        None,
        [value],
    ):
        signed["proof"]["proofValue"] = other
        assert reason(signed, ring) == "proof_malformed"
    del signed["proof"]["proofValue"]
    assert reason(signed, ring) == "proof_malformed"


def test_signature_with_a_small_order_commitment_is_refused(ring):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    signed["proof"]["proofValue"] = encode_multibase((1).to_bytes(32, "little") + bytes(32))
    assert reason(signed, ring) == "signature_mismatch"


def test_the_key_is_resolved_only_through_the_controller_of_the_method(ring):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    method = signed["proof"]["verificationMethod"]
    assert verified(signed, ring).accepted
    assert ring.asked == [method]
    ring.keys.clear()
    assert reason(signed, ring) == "key_not_found"


def test_an_unreachable_key_neither_contradicts_nor_proves(ring):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)

    def out_of_reach(method):
        raise DocumentUnavailable(method, "timeout")

    outcome = verify_proofs(signed, key_for=out_of_reach, at=NOON)
    assert outcome.accepted is None
    assert isinstance(outcome.error, DocumentUnavailable)
    assert not outcome.results[0].contradicts


def test_key_of_another_signer_does_not_verify(ring):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    ring.keys[signed["proof"]["verificationMethod"]] = LocalSigningKey.generate(Algorithm.EDDSA).public
    assert reason(signed, ring) == "signature_mismatch"


def test_document_without_proof_has_no_proof():
    with pytest.raises(ProofError, match="no_proof"):
        proofs_of(credential())
