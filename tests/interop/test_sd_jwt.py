"""The SD-JWT VC implementation of the OpenWallet Foundation and ours: each accepts what the other issued."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_der_private_key

from sceau_credentials.errors import MalformedInput
from sceau_credentials.keys import (
    Algorithm,
    LocalSigningKey,
    Signer,
    VerificationKey,
    decode_base64url,
    encode_base64url,
)
from sceau_credentials.proofs.sd_jwt import (
    DIGESTS,
    badge_claims,
    issue_sd_jwt,
    parse_sd_jwt,
    present_sd_jwt,
    verify_key_binding,
    verify_sd_jwt_vc,
)
from sceau_credentials.proofs.vc_jwt import sign_claims
from sceau_credentials.status_list import STATUS_TOKEN, StatusList, token_list_claims, token_list_entry
from sceau_credentials.values import JsonObject
from tests.interop.node_peer import NodePeer
from tests.support.badges.credentials import NOON, badge_document

pytestmark = pytest.mark.node

ISSUER = "https://badges.example/campus/itip"
LIST = "https://badges.example/statuts/1.statuslist"
INDEX = 94_567
HOLDER = LocalSigningKey.generate(Algorithm.ES256)
AUDIENCE, NONCE = "https://employer.example", "n-0S6_WzA2Mj"


def private_jwk(key: LocalSigningKey) -> JsonObject:
    private = load_der_private_key(key.to_bytes(), None)
    if isinstance(private, ed25519.Ed25519PrivateKey):
        secret = private.private_bytes_raw()
    else:
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        secret = private.private_numbers().private_value.to_bytes(32, "big")
    return key.public.to_jwk() | {"d": encode_base64url(secret)}


def badge(signer: Signer, document: JsonObject | None = None) -> str:
    claims, hidden = badge_claims(document or badge_document())
    claims |= {
        "iss": ISSUER,
        "vct": "https://badges.example/types/badge",
        "nbf": int(NOON.timestamp()),
        "cnf": {"jwk": HOLDER.public.to_jwk()},
        "status": token_list_entry(LIST, INDEX),
    }
    return issue_sd_jwt(claims, hidden, signer=signer, digests=DIGESTS)


def status_list(signer: Signer, *raised: int) -> str:
    bits = StatusList()
    for index in raised:
        bits.set(index)
    claims = token_list_claims(
        LIST,
        issuer=ISSUER,
        status_list=bits,
        valid_from=NOON,
        valid_until=NOON + timedelta(days=7),
        ttl=timedelta(minutes=1),
    )
    return sign_claims(claims, signer=signer, kind=STATUS_TOKEN)


def verified(node: NodePeer, text: str, signer: Signer, *raised: int, **more: Any) -> Any:
    jwk = signer.key.public.to_jwk()
    at = int(NOON.timestamp()) + 60
    listed = status_list(signer, *raised)
    return node.call("verifySdJwt", text=text, jwk=jwk, list=listed, listJwk=jwk, at=at, **more)


@pytest.mark.parametrize("algorithm", [Algorithm.EDDSA, Algorithm.ES256])
def test_their_verifier_accepts_our_badge_and_reads_its_status(algorithm: Algorithm, node: NodePeer) -> None:
    signer = Signer(f"{ISSUER}#1", LocalSigningKey.generate(algorithm))
    answer = verified(node, badge(signer), signer, 0, INDEX - 1, INDEX + 1)
    assert answer["verified"], answer
    document = badge_document()
    assert answer["payload"]["achievement"] == document["credentialSubject"]["achievement"]
    assert answer["payload"]["identifier"] == document["credentialSubject"]["identifier"]
    refused = verified(node, badge(signer), signer, INDEX)
    assert not refused["verified"]
    assert "status" in refused["error"].lower()


def test_their_reader_finds_our_raised_bits(node: NodePeer) -> None:
    signer = Signer(f"{ISSUER}#1", LocalSigningKey.generate(Algorithm.EDDSA))
    raised = [0, 1, 7, 8, 4_095, INDEX, 131_071]
    assert node.call("readStatusList", token=status_list(signer, *raised)) == raised


def test_changed_disclosure_is_never_read(node: NodePeer) -> None:
    """Theirs ignores a disclosure that no digest names; ours refuses the whole, as RFC 9901 asks (7.1, 5)."""
    signer = Signer(f"{ISSUER}#1", LocalSigningKey.generate(Algorithm.EDDSA))
    text = badge(signer)
    changed = text
    for each in text.split("~")[1:-1]:
        content = json.loads(decode_base64url(each))
        if content[1] == "role":
            content[2] = "directrice"
            changed = text.replace(each, encode_base64url(json.dumps(content).encode()))
    assert changed != text
    assert "role" not in verified(node, changed, signer)["payload"]
    with pytest.raises(MalformedInput, match="unreferenced_disclosure"):
        verify_sd_jwt_vc(parse_sd_jwt(changed), VerificationKey.from_jwk(signer.key.public.to_jwk()), at=NOON)


def test_their_verifier_accepts_our_presentation_with_key_binding(node: NodePeer) -> None:
    signer = Signer(f"{ISSUER}#1", LocalSigningKey.generate(Algorithm.EDDSA))
    shown = present_sd_jwt(
        badge(signer),
        lambda name, value: name != "awardedDate",
        holder=Signer("", HOLDER),
        audience=AUDIENCE,
        nonce=NONCE,
        at=NOON,
    )
    answer = verified(node, shown, signer, nonce=NONCE)
    assert answer["verified"], answer
    assert answer["bound"]["aud"] == AUDIENCE
    assert answer["payload"]["awardedDate"] == badge_document()["awardedDate"]
    assert "identifier" not in answer["payload"]
    assert not verified(node, shown, signer, nonce="other")["verified"]


@pytest.mark.parametrize("algorithm", [Algorithm.EDDSA, Algorithm.ES256])
def test_we_accept_what_they_issued_and_presented(algorithm: Algorithm, node: NodePeer) -> None:
    key = LocalSigningKey.generate(algorithm)
    claims = {
        "iss": ISSUER,
        "vct": "https://badges.example/types/badge",
        "iat": int(NOON.timestamp()),
        "cnf": {"jwk": HOLDER.public.to_jwk()},
        "name": "Robotique pour tous",
        "holder": {"given": "Zoé", "family": "Lefèvre"},
        "tags": ["moulage", "composites"],
    }
    frame = {"_sd": ["name", "holder"], "holder": {"_sd": ["family"]}, "tags": {"_sd": [0]}, "_sd_decoy": 3}
    text = node.call("issueSdJwt", claims=claims, frame=frame, jwk=private_jwk(key), alg=algorithm.value)
    public = VerificationKey.from_jwk(key.public.to_jwk())
    assert verify_sd_jwt_vc(parse_sd_jwt(text), public, at=NOON) == claims
    shown = node.call(
        "presentSdJwt",
        text=text,
        frame={"name": True, "holder": {"given": True}},
        holder=private_jwk(HOLDER),
        binding={"iat": int(NOON.timestamp()), "aud": AUDIENCE, "nonce": NONCE},
    )
    parsed = parse_sd_jwt(shown)
    read = verify_sd_jwt_vc(parsed, public, at=NOON)
    assert (read["name"], read["holder"], read["tags"]) == (
        claims["name"],
        {"given": "Zoé"},
        ["composites"],
    )
    verify_key_binding(parsed, read, audience=AUDIENCE, nonce=NONCE, at=NOON, life=timedelta(minutes=5))
