"""Wallet requests with several keys, and presentations instead of proofs."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.learners import wallets
from app.domain.learners.wallets import (
    BATCH_SIZE,
    WalletFormat,
    WalletRefusal,
)
from app.services.learners.wallets import IssuedToWallet
from sceau_credentials.dids import did_key
from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer, encode_multibase
from sceau_credentials.proofs.data_integrity import hash_rdfc, proof_options
from sceau_credentials.values import CONTEXT_OB_3_0_3, CONTEXT_V2, JsonObject
from tests.app.services.learners.test_wallets import (
    ISSUER,
    WALLET,
    issued,
    keys_of,
    nonce,
    open_award,
    proof,
    request_for,
    signed_proof,
    token_for,
)
from tests.support.app import App


def presentation_proof(app: App, challenge: str, key: LocalSigningKey = WALLET, **changed: Any) -> JsonObject:
    """A `di_vp` proof; `changed` are members of its Data Integrity proof."""
    did = did_key(key.public)
    signer = Signer(f"{did}#{did.removeprefix('did:key:')}", key)
    document: JsonObject = {"@context": [CONTEXT_V2], "type": ["VerifiablePresentation"], "holder": did}
    options = proof_options(signer, app.clock()) | {
        "proofPurpose": "authentication",
        "challenge": challenge,
        "domain": ISSUER,
    }
    options |= changed
    signature = key.sign(hash_rdfc(document, options))
    return document | {"proof": options | {"proofValue": encode_multibase(signature)}}


def test_batch_brings_the_badge_for_each_key_and_no_second_time(app: App) -> None:
    keys = [LocalSigningKey.generate(Algorithm.ES256) for _ in range(BATCH_SIZE)]
    token, challenge = token_for(app, open_award(app)), nonce(app)
    claims: JsonObject = {"aud": ISSUER, "iat": int(app.clock().timestamp()), "nonce": challenge}
    proofs = [signed_proof(claims, key=each) for each in keys]
    extra = LocalSigningKey.generate(Algorithm.ES256)
    for odd in (
        [*proofs, signed_proof(claims, key=extra)],
        [proofs[0], proofs[0]],
        [proofs[0], signed_proof(claims, key=keys[0])],
        [proofs[0], signed_proof(claims | {"nonce": nonce(app)}, key=extra)],
        [],
    ):
        asked = request_for(WalletFormat.SD_JWT) | {"proofs": {"jwt": [*odd]}}
        assert issued(app, token, asked) is WalletRefusal.INVALID_PROOF
    request = request_for(WalletFormat.SD_JWT, *proofs)
    found = issued(app, token, request)
    assert isinstance(found, IssuedToWallet)
    assert keys_of(found) == [{"jwk": each.public.to_jwk()} for each in keys]
    assert issued(app, token, request) is WalletRefusal.INVALID_NONCE
    anew = [signed_proof(claims | {"nonce": nonce(app)}, key=keys[0])]
    assert issued(app, token, request_for(WalletFormat.SD_JWT, *anew)) is WalletRefusal.INVALID_TOKEN


@pytest.mark.parametrize("algorithm", [Algorithm.ES256, Algorithm.EDDSA])
def test_presentation_proves_a_key_too(app: App, algorithm: Algorithm) -> None:
    key = LocalSigningKey.generate(algorithm)
    token, challenge = token_for(app, open_award(app)), nonce(app)
    good = presentation_proof(app, challenge, key)
    other = LocalSigningKey.generate(algorithm)
    for odd in (
        presentation_proof(app, challenge, key, domain="https://other.example"),
        presentation_proof(app, challenge, key, proofPurpose="assertionMethod"),
        presentation_proof(app, challenge, key, verificationMethod=did_key(other.public)),
        presentation_proof(
            app, challenge, key, created="2020-01-01T00:00:00Z", expires="2020-01-02T00:00:00Z"
        ),
        good | {"holder": did_key(other.public)},
        good | {"type": ["VerifiableCredential"]},
        good | {"proof": [good["proof"], good["proof"]]},
        {name: value for name, value in good.items() if name != "proof"},
        "x",
    ):
        asked = request_for(WalletFormat.SD_JWT) | {"proofs": {"di_vp": [odd]}}  # type: ignore[list-item]
        assert issued(app, token, asked) is WalletRefusal.INVALID_PROOF, odd
    wrong = request_for(WalletFormat.SD_JWT) | {"proofs": {"di_vp": [presentation_proof(app, "x", key)]}}
    assert issued(app, token, wrong) is WalletRefusal.INVALID_NONCE
    mixed = {"di_vp": [good], "jwt": [proof(app, challenge)]}
    assert (
        issued(app, token, request_for(WalletFormat.SD_JWT) | {"proofs": mixed})
        is WalletRefusal.INVALID_PROOF
    )  # type: ignore[dict-item]
    found = issued(app, token, request_for(WalletFormat.SD_JWT) | {"proofs": {"di_vp": [good]}})
    assert isinstance(found, IssuedToWallet)
    assert keys_of(found) == [{"jwk": key.public.to_jwk()}]


def test_presentation_with_more_than_a_key_is_refused_before_it_is_canonicalised(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, challenge = token_for(app, open_award(app)), nonce(app)
    good = presentation_proof(app, challenge)
    signed = good["proof"]
    assert isinstance(signed, dict)
    many: Any = [{"id": f"urn:x:{each}"} for each in range(40)]
    read: list[object] = []
    monkeypatch.setattr(wallets, "verify_proofs", lambda document, **_how: read.append(document))
    for number, odd in enumerate(
        (
            *(good | {name: many} for name in ("verifiableCredential", "id", "name", "holder", "type")),
            good | {"@context": [CONTEXT_V2, {"@vocab": "urn:x:"}]},
            good | {"@context": {"@vocab": "urn:x:"}},
            good | {"@context": [CONTEXT_V2, CONTEXT_V2]},
            good | {"@context": [CONTEXT_V2, CONTEXT_OB_3_0_3]},
            good | {"@context": []},
            good | {"holder": {"id": good["holder"], "name": "x"}},
            good | {"type": ["VerifiablePresentation", "x"]},
            good | {"proof": [signed]},
            *(good | {"proof": signed | {name: many}} for name in ("nonce", "@context", "id", "created")),
            good | {"proof": signed | {"previousProof": "urn:x"}},
            good | {"proof": signed | {"proofValue": "z" * 3000}},
            good | {"proof": signed | {"cryptosuite": "ecdsa-sd-2023"}},
            good | {"proof": signed | {"domain": "https://other.example"}},
            good | {"proof": signed | {"domain": [ISSUER, ISSUER]}},
            good | {"proof": signed | {"type": "Ed25519Signature2020"}},
        )
    ):
        asked = request_for(WalletFormat.SD_JWT) | {"proofs": {"di_vp": [odd]}}
        assert issued(app, token, asked) is WalletRefusal.INVALID_PROOF, number
    of_nobody = good | {"proof": signed | {"challenge": challenge[:-2]}}
    asked = request_for(WalletFormat.SD_JWT) | {"proofs": {"di_vp": [of_nobody]}}
    assert issued(app, token, asked) is WalletRefusal.INVALID_NONCE
    assert not read
