"""Suites of embedded proofs: ours, other and earlier ones, and the published vectors."""

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

from sceau_credentials.canonical import canonical_json
from sceau_credentials.errors import UnusableKey
from sceau_credentials.keys import (
    Algorithm,
    LocalSigningKey,
    Signer,
    VerificationKey,
    decode_multibase,
    encode_base64url,
    encode_multibase,
)
from sceau_credentials.proofs.data_integrity import add_proof, proofs_of, verify_proofs
from sceau_credentials.values import CONTEXT_OB_3_0_3, context
from tests.sceau_credentials.signed import DID, NOON, credential, reason, resigned, verified
from tests.support.shared_data import shared

VECTORS = "open-badges/test-vectors"
OPEN_BADGES = {CONTEXT_OB_3_0_3: context(CONTEXT_OB_3_0_3)}


def test_a_p256_key_signs_with_the_ecdsa_suite_and_rsa_with_none(ring):
    """B-062"""
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


def test_a_badge_of_2022_with_its_own_proof_type_is_read(ring):
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


def test_jcs_proof_covers_the_json_itself(ring):
    """B-061"""
    signer = ring.signer()
    document = credential()
    document["proof"] = jcs_proof(document, signer)
    assert verified(document, ring).accepted
    document["credentialSubject"]["type"] = "AchievementSubject"
    assert reason(document, ring) == "signature_mismatch"


def test_a_jcs_proof_may_repeat_a_prefix_of_the_contexts_and_nothing_else(ring):
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


def published(path):
    return json.loads(shared(f"{VECTORS}/{path}").read_text())


@pytest.mark.parametrize(
    "name", ["ecdsa-rdfc-2019-p384/signedECDSAP384", "ecdsa-jcs-2019-p384/signedJCSECDSAP384"]
)
def test_changed_credential_and_other_curve_are_refused_with_p384(name):
    signed = published(f"vc-di-ecdsa/{name}.json")
    changed = verify_proofs(signed | {"name": "x"}, key_for=key_in_the_vectors, at=NOON)
    assert changed.error.reason == "signature_mismatch"
    p256 = LocalSigningKey.generate(Algorithm.ES256).public
    other = verify_proofs(signed, key_for=lambda _: p256, at=NOON)
    assert other.error.reason == "algorithm_not_allowed"


def key_in_the_vectors(method):
    return VerificationKey.from_multikey(method.partition("#")[2])


@pytest.mark.parametrize(
    "path",
    [
        "vc-di-eddsa/eddsa-rdfc-2022/signedDataInt.json",
        "vc-di-eddsa/eddsa-jcs-2022/signedJCS.json",
        "vc-di-ecdsa/ecdsa-rdfc-2019-p256/signedECDSAP256.json",
        "vc-di-ecdsa/ecdsa-jcs-2019-p256/signedJCSECDSAP256.json",
        "vc-di-ecdsa/ecdsa-rdfc-2019-p384/signedECDSAP384.json",
        "vc-di-ecdsa/ecdsa-jcs-2019-p384/signedJCSECDSAP384.json",
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
    """B-003, B-035, B-037 to B-039, B-045"""
    secret = published(key)[key_path]
    seed = decode_multibase(secret)[2:] if secret.startswith("z") else bytes.fromhex(secret)[:32]
    expected = published(signed)
    (proof,) = proofs_of(expected)
    signer = Signer(proof["verificationMethod"], LocalSigningKey(Ed25519PrivateKey.from_private_bytes(seed)))
    created = datetime.strptime(proof["created"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    made = add_proof(published(unsigned), signer=signer, created=created + timedelta(microseconds=5))
    assert proofs_of(made) == (proof,)
