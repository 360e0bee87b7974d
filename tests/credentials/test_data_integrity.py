"""Embedded proofs: the bytes that are signed, and which proofs are believed."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from openbadgeslib.ob3.ldp import verify_data_integrity_proof
from openvc.keys import signing_key_from_jwk
from openvc.proof.data_integrity import DataIntegrityProofSuite

from app.credentials.canonical import canonical_json, canonical_nquads
from app.credentials.errors import DocumentUnavailable, ProofError, UnusableKey
from app.credentials.keys import (
    Algorithm,
    LocalSigningKey,
    Signer,
    VerificationKey,
    decode_multibase,
    encode_base64url,
    encode_multibase,
)
from app.credentials.proofs.data_integrity import add_proof, proofs_of, verify_proofs
from app.credentials.vocabulary import CONTEXT_OB_3_0_3, context
from tests.credentials.signed import DID, NOON, KeyRing, credential
from tests.support.shared_data import shared

VECTORS = "open-badges/test-vectors"
OPEN_BADGES = {CONTEXT_OB_3_0_3: context(CONTEXT_OB_3_0_3)}


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing()


def verified(document, ring, at=NOON):
    return verify_proofs(document, key_for=ring.key_for, at=at)


def reason(document, ring, at=NOON):
    outcome = verified(document, ring, at)
    assert outcome.accepted is None
    return outcome.error.reason


def resigned(document, signer, hash_data=None, **changes):
    """A proof with these members, correctly signed: what a careless or hostile issuer would make."""
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2026-06-30T12:00:00Z",
        "verificationMethod": signer.verification_method,
        "proofPurpose": "assertionMethod",
    } | changes
    options = {name: value for name, value in options.items() if value is not None}
    configuration = {"@context": document["@context"]} | options
    data = hash_data or sha(canonical_nquads(configuration)) + sha(canonical_nquads(without_proof(document)))
    return options | {"proofValue": encode_multibase(signer.key.sign(data))}


def sha(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def without_proof(document):
    return {name: value for name, value in document.items() if name != "proof"}


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


def test_p256_key_signs_with_the_ecdsa_suite_and_rsa_not_at_all(ring):
    signed = add_proof(credential(), signer=ring.signer(Algorithm.ES256), created=NOON)
    assert signed["proof"]["cryptosuite"] == "ecdsa-rdfc-2019"
    assert verified(signed, ring).accepted
    with pytest.raises(UnusableKey):
        add_proof(credential(), signer=ring.signer(Algorithm.RS256), created=NOON)


def test_two_other_implementations_accept_what_we_sign(ring):
    signer = ring.signer()
    signed = add_proof(credential(), signer=signer, created=NOON)
    DataIntegrityProofSuite().verify(
        signed, public_key_jwk=signer.key.public.to_jwk(), check_temporal=False, extra_contexts=OPEN_BADGES
    )
    public = Ed25519PublicKey.from_public_bytes(signer.key.public.encoded)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    verify_data_integrity_proof(signed, pem)


def test_we_accept_what_another_implementation_signs(ring):
    private = Ed25519PrivateKey.generate()
    public = VerificationKey.of(private.public_key())
    method = f"{DID}#{public.thumbprint()}"
    jwk = public.to_jwk() | {"d": encode_base64url(private.private_bytes_raw())}
    signed = DataIntegrityProofSuite().add_proof(
        credential(),
        signing_key=signing_key_from_jwk(jwk, method),
        verification_method=method,
        created=NOON,
        extra_contexts=OPEN_BADGES,
    )
    ring.keys[method] = public
    assert verified(signed, ring).accepted


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


def test_order_of_members_is_no_change(ring):
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


def test_proof_value_is_64_bytes_in_base58btc_and_in_nothing_else(ring):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    value = signed["proof"]["proofValue"]
    signature = decode_multibase(value)
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


def test_key_is_asked_of_whoever_controls_the_method_and_only_there(ring):
    signed = add_proof(credential(), signer=ring.signer(), created=NOON)
    method = signed["proof"]["verificationMethod"]
    assert verified(signed, ring).accepted
    assert ring.asked == [method]
    ring.keys.clear()
    assert reason(signed, ring) == "key_not_found"


def test_key_out_of_reach_is_no_contradiction_and_no_proof(ring):
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


def test_document_without_proof_has_no_proof():
    with pytest.raises(ProofError, match="no_proof"):
        proofs_of(credential())


# Proof sets and chains (Data Integrity 4.5)


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


# Older badges


def test_badge_of_2022_with_its_own_type_of_proof_is_read(ring):
    document = credential(issuanceDate="2022-06-30T09:00:00Z")
    del document["validFrom"]
    document["@context"] = [
        "https://www.w3.org/2018/credentials/v1",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        "https://w3id.org/security/suites/ed25519-2020/v1",
    ]
    document["proof"] = resigned(document, ring.signer(), type="Ed25519Signature2020", cryptosuite=None)
    assert verified(document, ring).accepted
    document["name"] = "Autre chose"
    assert reason(document, ring) == "signature_mismatch"


# The JCS suite


def test_jcs_proof_covers_the_json_itself(ring):
    signer = ring.signer()
    document = credential()
    document["proof"] = jcs_proof(document, signer)
    assert verified(document, ring).accepted
    document["credentialSubject"]["type"] = "AchievementSubject"
    assert reason(document, ring) == "signature_mismatch"


def test_jcs_proof_may_state_the_beginning_of_the_contexts_and_nothing_else(ring):
    signer = ring.signer()
    document = credential()
    document["proof"] = jcs_proof(document, signer, **{"@context": document["@context"]})
    longer = document | {
        "@context": [*document["@context"], "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"]
    }
    assert verified(document, ring).accepted
    assert verified(longer, ring).accepted
    shorter = document | {"@context": document["@context"][:1]}
    assert reason(shorter, ring) == "proof_malformed"


def jcs_proof(document, signer, **changes):
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": signer.verification_method,
        "proofPurpose": "assertionMethod",
    } | changes
    data = b"".join(hashlib.sha256(canonical_json(value)).digest() for value in (options, document))
    return options | {"proofValue": encode_multibase(signer.key.sign(data))}


# Published vectors


def published(path):
    return json.loads(shared(f"{VECTORS}/{path}").read_text())


def key_in_the_vectors(method):
    return VerificationKey.from_multikey(method.partition("#")[2])


@pytest.mark.parametrize(
    "path",
    [
        "vc-di-eddsa/eddsa-rdfc-2022/signedDataInt.json",
        "vc-di-eddsa/eddsa-jcs-2022/signedJCS.json",
        "vc-di-ecdsa/ecdsa-rdfc-2019-p256/signedECDSAP256.json",
        "vc-di-ecdsa/ecdsa-jcs-2019-p256/signedJCSECDSAP256.json",
        "vc-di-eddsa/proof-set-chain/signedProofSet1.json",
        "vc-di-eddsa/proof-set-chain/signedProofSet2.json",
        "vc-di-eddsa/proof-set-chain/signedProofChain1.json",
        "vc-di-eddsa/proof-set-chain/signedProofChain2.json",
        "ob3-impl-guide/signed-credential.json",
    ],
)
def test_published_signed_credential_verifies(path):
    outcome = verify_proofs(published(path), key_for=key_in_the_vectors, at=NOON)
    assert all(result.holds for result in outcome.results)


@pytest.mark.parametrize(
    ("unsigned", "signed", "key", "key_path"),
    [
        (
            "vc-di-eddsa/unsigned.json",
            "vc-di-eddsa/eddsa-rdfc-2022/signedDataInt.json",
            "vc-di-eddsa/keyPair.json",
            "privateKeyMultibase",
        ),
        (
            "ob3-impl-guide/credential.json",
            "ob3-impl-guide/signed-credential.json",
            "ob3-impl-guide/values.json",
            "secretKeyHex",
        ),
    ],
)
def test_published_credential_is_signed_byte_for_byte(unsigned, signed, key, key_path):
    secret = published(key)[key_path]
    seed = decode_multibase(secret)[2:] if secret.startswith("z") else bytes.fromhex(secret)[:32]
    expected = published(signed)
    (proof,) = proofs_of(expected)
    signer = Signer(proof["verificationMethod"], LocalSigningKey(Ed25519PrivateKey.from_private_bytes(seed)))
    created = datetime.strptime(proof["created"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    made = add_proof(published(unsigned), signer=signer, created=created + timedelta(microseconds=5))
    assert proofs_of(made) == (proof,)
