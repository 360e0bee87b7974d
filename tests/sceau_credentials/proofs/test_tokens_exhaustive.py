"""Full reports on invalid tokens: reason, detail and pointer, at a limit and one over."""

from __future__ import annotations

from typing import Any

import pytest

from sceau_credentials.errors import MalformedInput, ProofError
from sceau_credentials.keys import Algorithm, encode_base64url
from sceau_credentials.proofs.vc_jwt import (
    MAX_TOKEN,
    ParsedJws,
    check_header,
    claim_problems,
    claims_of,
    credential_of,
    other_header_members,
    parse_compact_jws,
    sign_jwt,
    signing_input,
    verify_jws,
)
from tests.sceau_credentials.signed import DID, KeyRing, credential
from tests.support.running.every import for_each

RING = KeyRing()
SIGNER = RING.signer()
SUBJECT = credential()["credentialSubject"]["id"]
V1 = "https://www.w3.org/2018/credentials/v1"


def jws(**header: Any) -> ParsedJws:
    whole = {"alg": "EdDSA", "kid": "k"} | header
    return ParsedJws({name: value for name, value in whole.items() if value is not ...}, {}, b"", b"")


def refused(error: Any) -> tuple[str, str, str]:
    return error.reason, getattr(error, "pointer", ""), error.detail


MANY = ["apu", "apv", "b64", "crit", "enc", "epk", "iss", "iv", "jku", "nonce", "p2c", "p2s", "tag", "url", "x5c", "x5t",
        "x5t#S256", "x5u", "zip"]  # fmt: skip


@for_each(
    ("header", "reason", "detail"),
    [
        ({"alg": "a" * 41}, "algorithm_not_allowed", "a" * 40),
        ({"alg": None}, "algorithm_not_allowed", "None"),
        ({"alg": ["EdDSA"]}, "algorithm_not_allowed", "['EdDSA']"),
        *(({name: 1}, "header_not_allowed", name) for name in MANY),
        (dict.fromkeys(MANY), "header_not_allowed", ", ".join(MANY)),
        ({"typ": "jwt"}, "header_not_allowed", "typ"),
        ({"typ": None}, "header_not_allowed", "typ"),
        ({"kid": 7}, "header_not_allowed", "kid or jwk"),
        ({"kid": None}, "header_not_allowed", "kid or jwk"),
        ({"jwk": "x"}, "header_not_allowed", "kid or jwk"),
        ({"kid": ..., "jwk": None}, "header_not_allowed", "kid or jwk"),
    ],
)
def test_a_header_is_refused_by_name(header: Any, reason: str, detail: str) -> None:
    with pytest.raises(ProofError) as error:
        check_header(jws(**header))
    assert refused(error.value) == (reason, "", detail)


@for_each(
    ("name", "algorithm"),
    [
        ("EdDSA", Algorithm.EDDSA),
        ("Ed25519", Algorithm.EDDSA),
        ("ES256", Algorithm.ES256),
        ("RS256", Algorithm.RS256),
    ],
)
@for_each("kind", ["JWT", "vc+jwt", "application/vc+jwt", "vc+ld+jwt", ...])
def test_a_header_names_one_of_these_algorithms_and_types(name: str, algorithm: Algorithm, kind: Any) -> None:
    assert check_header(jws(alg=name, typ=kind)) is algorithm
    assert check_header(jws(alg=name, typ=kind, kid=..., jwk={})) is algorithm


def test_ignored_members_are_reported_in_order() -> None:
    assert other_header_members(jws(typ="JWT", cty="x", jwk={})) == []
    assert other_header_members(jws(zzz=1, aaa=2)) == ["aaa", "zzz"]


def test_a_token_of_another_key_is_distinguished_from_one_of_another_kind() -> None:
    read = parse_compact_jws(sign_jwt(credential(), signer=SIGNER))
    assert read.header == {"alg": "EdDSA", "kid": SIGNER.verification_method, "typ": "JWT"}
    other = parse_compact_jws(sign_jwt(credential(), signer=SIGNER, kind="vc+jwt"))
    assert other.header == read.header | {"typ": "vc+jwt"}
    assert signing_input(b"{}", signer=SIGNER).split(".") == [TOKEN_HEADER, "e30"]
    assert repr(read) == f"ParsedJws(header={read.header!r}, payload={read.payload!r})"
    verify_jws(read, SIGNER.key.public)
    with pytest.raises(ProofError) as other_key:
        verify_jws(read, KeyRing().signer().key.public)
    assert refused(other_key.value) == ("signature_mismatch", "", "")
    with pytest.raises(ProofError) as other_kind:
        verify_jws(read, RING.signer(Algorithm.ES256).key.public)
    assert refused(other_kind.value) == ("algorithm_not_allowed", "", "the key is one for ES256")


TOKEN_HEADER = sign_jwt(credential(), signer=SIGNER).partition(".")[0]


def part(text: str) -> str:
    return encode_base64url(text.encode())


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("", "not_compact_jws"),
        ("a.b", "not_compact_jws"),
        ("a.b.c.d", "not_compact_jws"),
        (".e30.AA", "not_compact_jws"),
        ("e30..AA", "not_compact_jws"),
        ("e30=.e30.AA", "not_compact_jws"),
        ("e30.e30.A", "base64url"),
        ("e31.e30.AA", "base64url"),
        (f"{part('[]')}.e30.AA", "not_an_object"),
        (f"e30.{part('[]')}.AA", "not_an_object"),
        (part('{"a":{"b":{"c":{"d":{}}}}}') + ".e30.AA", "too_deep"),
        ("e30." + "A" * (MAX_TOKEN - 6) + ".A", "base64url"),
        ("e30." + "A" * (MAX_TOKEN - 5) + ".A", "too_large"),
    ],
)
def test_an_invalid_token_is_reported_with_its_reason(token: str, reason: str) -> None:
    with pytest.raises(MalformedInput) as error:
        parse_compact_jws(token)
    assert error.value.reason == reason


def test_a_token_is_read_up_to_its_limits() -> None:
    deep = part('{"a":{"b":{"c":{}}}}')
    assert parse_compact_jws(f"{deep}.e30.AA").signature == b"\0"
    assert parse_compact_jws("e30.e30.").signature == b""
    assert parse_compact_jws("e30.e30.AA").signing_input == b"e30.e30"
    room = MAX_TOKEN - len("e30..AA")
    whole = f"e30.{part('{' + ' ' * (room * 3 // 4 - 2) + '}')}.AA"
    assert MAX_TOKEN == 65_536
    assert parse_compact_jws(whole + "A" * (MAX_TOKEN - len(whole) - 1)).payload == {}


def test_a_longer_limit_applies_to_each_part_of_the_token() -> None:
    """A status list: its bits make it longer than a badge may be."""
    long = part('{"a":"' + "x" * 300 * 1024 + '"}')
    for token in (f"{long}.e30.AA", f"e30.{long}.AA"):
        assert parse_compact_jws(token, max_length=512 * 1024).signature == b"\0"


@for_each(
    ("changes", "reason", "pointer"),
    [
        ({"issuer": {"name": "x"}}, "jwt_needs_member", "/issuer/id"),
        ({"issuer": 7}, "jwt_needs_member", "/issuer/id"),
        ({"credentialSubject": {}}, "jwt_needs_member", "/credentialSubject/id"),
        ({"id": None}, "jwt_needs_member", "/id"),
        ({"validFrom": "noon"}, "timestamp", "/validFrom"),
        ({"validFrom": None}, "timestamp", "/validFrom"),
        ({"validFrom": "2026-06-30T09:00:00.5Z"}, "timestamp", "/validFrom"),
        ({"validUntil": "noon"}, "timestamp", "/validUntil"),
        ({"validUntil": "2026-06-30T09:00:00.5Z"}, "timestamp", "/validUntil"),
        *(({name: 1}, "registered_claim", f"/{name}")
          for name in ("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "vc", "vp")),
        ({"vp": 1, "aud": 1}, "registered_claim", "/aud"),
    ],
)  # fmt: skip
def test_a_member_that_the_token_claims_cannot_repeat_is_pointed_at(
    changes: Any, reason: str, pointer: str
) -> None:
    """B-014: the model allows a subject without id, a token does not."""
    with pytest.raises(MalformedInput) as error:
        claims_of(credential(**changes))
    assert refused(error.value) == (reason, pointer, "")


def test_the_claims_of_a_badge() -> None:
    assert claims_of(credential()) == {
        "iss": DID, "sub": SUBJECT, "jti": credential()["id"], "nbf": 1_782_810_000
    }  # fmt: skip
    assert claims_of(credential(validUntil="2026-06-30T09:00:01Z"))["exp"] == 1_782_810_001


def payload(**changes: Any) -> dict[str, Any]:
    whole = credential() | claims_of(credential()) | changes
    return {name: value for name, value in whole.items() if value is not ...}


def wrapped(**changes: Any) -> dict[str, Any]:
    inside = {name: value for name, value in credential().items() if name != "validFrom"}
    inside |= {"@context": [V1], "issuanceDate": "2026-06-30T09:00:00Z"}
    return claims_of(credential()) | {"vc": inside} | changes


END = 253_402_300_799
MISSING, WRONG = "claim_missing", "claims_disagree"


@for_each(
    ("claims", "problems"),
    [
        (payload(), []),
        (wrapped(), []),
        (wrapped(vp={}), [(WRONG, "vc")]),
        (payload(vp={}), [(WRONG, "vc")]),
        (payload(vc={}), [(WRONG, "vc"), (WRONG, "iss"), (WRONG, "sub"), (WRONG, "jti"), (WRONG, "nbf")]),
        (payload(iss=...), [(MISSING, "iss")]),
        (payload(sub=...), [(MISSING, "sub")]),
        (payload(jti=...), [(MISSING, "jti")]),
        (payload(nbf=...), [(MISSING, "nbf")]),
        (payload(iss="x"), [(WRONG, "iss")]),
        (payload(iss=7, issuer=7), [(WRONG, "iss")]),
        (payload(sub="x"), [(WRONG, "sub")]),
        (payload(jti="x"), [(WRONG, "jti")]),
        (payload(nbf=1_782_810_001), [(WRONG, "nbf")]),
        (payload(nbf=True), [(WRONG, "nbf")]),
        (payload(validFrom="noon"), [(WRONG, "nbf")]),
        (payload(nbf=None, validFrom="noon"), [(WRONG, "nbf")]),
        (payload(exp=1), []),
        (payload(exp=END), []),
        (payload(exp=END + 1), [(WRONG, "exp")]),
        (payload(exp=-62_135_596_800), []),
        (payload(exp=-62_135_596_801), [(WRONG, "exp")]),
        (payload(exp=False), [(WRONG, "exp")]),
        (payload(exp="1"), [(WRONG, "exp")]),
        (payload(validUntil="2026-06-30T09:00:01Z"), [(MISSING, "exp")]),
        (payload(validUntil="2026-06-30T09:00:01Z", exp=1_782_810_001), []),
        (payload(validUntil="2026-06-30T09:00:01Z", exp=1_782_810_002), [(WRONG, "exp")]),
        (payload(iat=1.5), []),
        (payload(iat=None), [(WRONG, "iat")]),
        (payload(iss=..., nbf=..., iat="x"), [(MISSING, "iss"), (MISSING, "nbf"), (WRONG, "iat")]),
    ],
)
def test_every_claim_that_does_not_repeat_the_badge_is_reported(claims: Any, problems: Any) -> None:
    assert [(each.reason, each.claim) for each in claim_problems(claims)] == problems


def test_the_badge_inside_a_token() -> None:
    every = dict.fromkeys(("iss", "sub", "aud", "nbf", "iat", "jti"), "x")
    assert credential_of(credential() | every) == credential()
    assert credential_of(payload(exp=END))["validUntil"] == "9999-12-31T23:59:59Z"
    assert credential_of(payload(exp=END + 1)) == credential()
    assert credential_of(payload(exp=1, validUntil="x")) == credential(validUntil="x")
    assert credential_of(wrapped(exp=0))["expirationDate"] == "1970-01-01T00:00:00Z"
    assert credential_of(wrapped())["issuer"] == credential()["issuer"]
    assert credential_of({"vc": "x", "a": 1}) == {"vc": "x", "a": 1}
