"""SD-JWT: the published example, properties of disclosure, and everything a verifier has to refuse."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sceau_credentials.errors import CredentialError, MalformedInput, ProofError
from sceau_credentials.keys import (
    Algorithm,
    LocalSigningKey,
    Signer,
    VerificationKey,
    decode_base64url,
    encode_base64url,
)
from sceau_credentials.proofs.sd_jwt import (
    ALWAYS_DISCLOSED,
    DIGESTS,
    badge_claims,
    issue_sd_jwt,
    parse_sd_jwt,
    present_sd_jwt,
    verify_key_binding,
    verify_sd_jwt,
    verify_sd_jwt_vc,
)
from sceau_credentials.proofs.vc_jwt import sign_claims
from sceau_credentials.values import dump_json
from tests.support.badges.credentials import badge_document

PUBLISHED = json.loads((Path(__file__).parents[1] / "vectors" / "sd-jwt" / "presentation.json").read_text())
NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
ISSUER = Signer("https://badges.example/campus/itip#1", LocalSigningKey.from_seed(b"i" * 32))
HOLDER = Signer("", LocalSigningKey.generate(Algorithm.ES256))
AUDIENCE, NONCE, LIFE = "https://employer.example", "n-0S6_WzA2Mj", timedelta(minutes=5)


def issued(disclosable: tuple[str, ...] = ("/given", "/family"), **claims: Any) -> str:
    payload = {
        "iss": "https://badges.example/campus/itip",
        "vct": "https://badges.example/types/badge",
        "exp": int((NOON + timedelta(days=1)).timestamp()),
        "cnf": {"jwk": HOLDER.key.public.to_jwk()},
        "given": "Zoé",
        "family": "Lefèvre",
    }
    return issue_sd_jwt(payload | claims, disclosable, signer=ISSUER)


def claims_in(text: str) -> dict[str, Any]:
    return verify_sd_jwt(parse_sd_jwt(text), ISSUER.key.public)


# --- the published example


def test_published_presentation_verifies_with_its_key_binding() -> None:
    text = "~".join([PUBLISHED["token"], *PUBLISHED["disclosures"], PUBLISHED["key_binding"]])
    parsed = parse_sd_jwt(text)
    claims = verify_sd_jwt(
        parsed, VerificationKey.from_jwk(PUBLISHED["issuer_jwk"]), kinds=("example+sd-jwt",)
    )
    assert (claims["given_name"], claims["family_name"]) == ("John", "Doe")
    assert not {"sub", "birthdate", "_sd", "_sd_alg"} & claims.keys()
    made = datetime.fromtimestamp(parsed.key_binding.payload["iat"], UTC)  # type: ignore[union-attr,arg-type]
    verify_key_binding(
        parsed, claims, audience="https://verifier.example.org", nonce="1234567890", at=made, life=LIFE
    )


# --- what is disclosed

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8).filter(
    lambda name: name not in ALWAYS_DISCLOSED
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.text(st.characters(codec="utf-8"), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


def pointers_in(value: Any, at: str = "") -> list[str]:
    if isinstance(value, dict):
        named = [(f"{at}/{name.replace('~', '~0').replace('/', '~1')}", each) for name, each in value.items()]
    elif isinstance(value, list):
        named = [(f"{at}/{number}", each) for number, each in enumerate(value)]
    else:
        return []
    return [pointer for here, each in named for pointer in (here, *pointers_in(each, here))]


@given(st.dictionaries(names, values, max_size=5), st.data())
def test_all_disclosures_give_the_claims_and_none_gives_the_rest(claims: Any, data: st.DataObject) -> None:
    hidden = data.draw(st.sets(st.sampled_from(pointers_in(claims) or [""])))
    text = issue_sd_jwt(claims, hidden, signer=ISSUER, digests=4)
    assert claims_in(text) == claims
    # Nothing hidden is left in the token: if it is withheld as a whole, its top-level members are absent.
    bare = claims_in(present_sd_jwt(text, lambda name, value: True))
    top = {name for name in claims if f"/{name.replace('~', '~0').replace('/', '~1')}" in hidden}
    assert bare.keys() == claims.keys() - top


@given(st.integers(0, 40))
def test_decoys_make_the_count_of_digests_a_multiple(members: int) -> None:
    claims = {f"m{number}": number for number in range(members)}
    text = issue_sd_jwt(claims, [f"/{name}" for name in claims], signer=ISSUER, digests=DIGESTS)
    digests = parse_sd_jwt(text).jws.payload.get("_sd", [])
    assert isinstance(digests, list)
    assert len(digests) % DIGESTS == 0
    assert digests == sorted(set(map(str, digests)))
    assert len(digests) >= members


@pytest.mark.parametrize("algorithm", [Algorithm.EDDSA, Algorithm.ES256])
def test_issuer_keys_of_campuses_sign(algorithm: Algorithm) -> None:
    signer = Signer("https://badges.example/campus/itip#1", LocalSigningKey.generate(algorithm))
    parsed = parse_sd_jwt(issue_sd_jwt({"name": "Câblage"}, ["/name"], signer=signer))
    assert parsed.jws.header == {
        "alg": algorithm.value,
        "typ": "dc+sd-jwt",
        "kid": signer.verification_method,
    }
    assert verify_sd_jwt(parsed, signer.key.public) == {"name": "Câblage"}


def test_claim_that_must_stay_visible_is_not_issued_hidden() -> None:
    for name in ALWAYS_DISCLOSED:
        with pytest.raises(MalformedInput, match="always_disclosed"):
            issue_sd_jwt({name: "x"}, [f"/{name}"], signer=ISSUER)


def test_claims_cannot_inject_digests() -> None:
    for claims in ({"_sd": []}, {"a": {"...": "x"}}, {"a": [{"b": {"_sd": []}}]}):
        with pytest.raises(MalformedInput, match="registered_claim"):
            issue_sd_jwt(claims, [], signer=ISSUER)  # type: ignore[arg-type]


# --- what a verifier refuses


def signed(payload: dict[str, Any], *disclosed: Any, kind: str = "dc+sd-jwt") -> str:
    texts = [encode_base64url(dump_json(each)) for each in disclosed]
    return "~".join([sign_claims(payload, signer=ISSUER, kind=kind), *texts, ""])


def digest_of(content: Any) -> str:
    import hashlib

    return encode_base64url(hashlib.sha256(encode_base64url(dump_json(content)).encode()).digest())


def loop(depth: int) -> tuple[dict[str, Any], list[Any]]:
    """Disclosures nested one in the other."""
    disclosed: list[Any] = []
    value: Any = "deep"
    for number in range(depth):
        disclosed.append(["salt", f"n{number}", value])
        value = {"_sd": [digest_of(disclosed[-1])]}
    return value, disclosed


PLAIN = ["salt", "given", "Zoé"]


@pytest.mark.parametrize(
    ("payload", "disclosed", "reason"),
    [
        ({}, [PLAIN], "unreferenced_disclosure"),
        ({"_sd": [digest_of(PLAIN)]}, [PLAIN, PLAIN], "repeated_disclosure"),
        ({"_sd": [digest_of(PLAIN), digest_of(PLAIN)]}, [PLAIN], "repeated_digest"),
        ({"_sd": [digest_of(PLAIN)], "a": {"_sd": [digest_of(PLAIN)]}}, [PLAIN], "repeated_digest"),
        ({"_sd": [digest_of(PLAIN)], "given": "Léa"}, [PLAIN], "disclosure"),
        ({"_sd": [digest_of(["salt", "Zoé"])]}, [["salt", "Zoé"]], "disclosure"),
        ({"a": [{"...": digest_of(PLAIN)}]}, [PLAIN], "disclosure"),
        ({"_sd": [digest_of(["s", "_sd", 1])]}, [["s", "_sd", 1]], "disclosure"),
        ({"_sd": [digest_of(["s", "...", 1])]}, [["s", "...", 1]], "disclosure"),
        ({"_sd": [digest_of([1, "given", 1])]}, [[1, "given", 1]], "disclosure"),
        ({"_sd": "x"}, [], "disclosure_digest"),
        ({"_sd": [1]}, [], "disclosure_digest"),
        ({"a": {"...": "x"}}, [], "disclosure_digest"),
        ({"_sd_alg": "md5"}, [], "algorithm_not_allowed"),
        (*loop(100), "too_deep"),
    ],
)
def test_malformed_disclosures_are_refused(
    payload: dict[str, Any], disclosed: list[Any], reason: str
) -> None:
    with pytest.raises(CredentialError) as refused:
        claims_in(signed(payload, *disclosed))
    assert refused.value.reason == reason  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not_sd_jwt"),
        ("a.b.c", "not_sd_jwt"),
        ("~", "not_compact_jws"),
        (issued().replace("~", "~~", 1), "not_sd_jwt"),
        (issued() + "x", "not_compact_jws"),
        (issued().partition("~")[0] + "~" * 1 + "AA~" * 257, "too_many_disclosures"),
        ("a" * 200_000, "too_large"),
    ],
)
def test_other_texts_are_refused(text: str, reason: str) -> None:
    with pytest.raises(MalformedInput) as refused:
        parse_sd_jwt(text)
    assert refused.value.reason == reason


def test_disclosure_that_is_not_base64url_of_json_is_refused() -> None:
    for each in ("é", "AA=", "x!", encode_base64url(b"[1,")):
        with pytest.raises(MalformedInput):
            claims_in(issued() + each + "~")


def test_changed_disclosure_changes_its_digest() -> None:
    text = issued()
    first = text.split("~")[1]
    content = json.loads(decode_base64url(first))
    content[2] = "Léa"
    with pytest.raises(MalformedInput, match="unreferenced_disclosure"):
        claims_in(text.replace(first, encode_base64url(dump_json(content))))


def test_other_token_types_and_other_keys_are_refused() -> None:
    for kind in ("JWT", "vc+jwt", "statuslist+jwt", "kb+jwt"):
        with pytest.raises(ProofError, match="header_not_allowed"):
            claims_in(signed({}, kind=kind))
    with pytest.raises(ProofError, match="signature_mismatch"):
        verify_sd_jwt(parse_sd_jwt(issued()), LocalSigningKey.from_seed(b"x" * 32).public)
    with pytest.raises(ProofError, match="algorithm_not_allowed"):
        verify_sd_jwt(parse_sd_jwt(issued()), HOLDER.key.public)


def test_credential_needs_issuer_type_and_valid_period() -> None:
    key = ISSUER.key.public
    assert verify_sd_jwt_vc(parse_sd_jwt(issued()), key, at=NOON)["family"] == "Lefèvre"
    with pytest.raises(ProofError, match="expired"):
        verify_sd_jwt_vc(parse_sd_jwt(issued()), key, at=NOON + timedelta(days=1))
    later = int((NOON + timedelta(minutes=6)).timestamp())
    with pytest.raises(ProofError, match="not_yet_valid"):
        verify_sd_jwt_vc(parse_sd_jwt(issued(nbf=later)), key, at=NOON)
    for odd in ({"iss": ""}, {"vct": 3}, {"exp": "soon"}, {"nbf": True}):
        with pytest.raises(MalformedInput):
            verify_sd_jwt_vc(parse_sd_jwt(issued(**odd)), key, at=NOON)
    hidden = ["salt", "vct", "https://badges.example/types/badge"]
    with pytest.raises(MalformedInput, match="always_disclosed"):
        verify_sd_jwt_vc(
            parse_sd_jwt(signed({"iss": "https://x.example", "_sd": [digest_of(hidden)]}, hidden)),
            key,
            at=NOON,
        )


# --- the holder


def presented(text: str, at: datetime = NOON, holder: Signer = HOLDER, **other: str) -> str:
    where = {"audience": AUDIENCE, "nonce": NONCE} | other
    return present_sd_jwt(text, lambda name, value: name == "family", holder=holder, at=at, **where)


def check(text: str, at: datetime = NOON) -> dict[str, Any]:
    parsed = parse_sd_jwt(text)
    claims = verify_sd_jwt(parsed, ISSUER.key.public)
    verify_key_binding(parsed, claims, audience=AUDIENCE, nonce=NONCE, at=at, life=LIFE)
    return claims


def test_holder_shows_a_part_and_proves_possession() -> None:
    claims = check(presented(issued()))
    assert claims["given"] == "Zoé"
    assert "family" not in claims


def test_a_key_binding_for_another_audience_or_nonce_is_refused() -> None:
    text = presented(issued())
    token, *rest = text.split("~")
    stranger = Signer("", LocalSigningKey.generate(Algorithm.ES256))
    for odd, reason in (
        (issued(), "key_binding_missing"),
        (presented(issued(), audience="https://other.example"), "wrong_audience"),
        (presented(issued(), nonce="other"), "wrong_nonce"),
        ("~".join([token, rest[-1]]), "other_disclosures"),
        (presented(issued(), at=NOON - timedelta(minutes=6)), "too_old"),
        (presented(issued(), at=NOON + timedelta(minutes=6)), "too_old"),
        (presented(issued(), holder=stranger), "signature_mismatch"),
        (presented(issued(cnf={})), "holder_key_missing"),
    ):
        with pytest.raises(ProofError) as refused:
            check(odd)
        assert refused.value.reason == reason, reason


def test_key_binding_at_a_time_beyond_every_float_is_malformed() -> None:
    text = issued().rpartition("~")[0] + "~"
    digest = encode_base64url(hashlib.sha256(text.encode()).digest())
    bound = {"iat": 10**399, "aud": AUDIENCE, "nonce": NONCE, "sd_hash": digest}
    with pytest.raises(MalformedInput, match="iat"):
        check(text + sign_claims(bound, signer=HOLDER, kind="kb+jwt"))


def test_key_binding_has_its_own_type() -> None:
    text = issued().rpartition("~")[0] + "~"
    bound = {"iat": int(NOON.timestamp()), "aud": AUDIENCE, "nonce": NONCE, "sd_hash": ""}
    with pytest.raises(ProofError, match="typ"):
        check(text + sign_claims(bound, signer=HOLDER, kind="JWT"))  # type: ignore[arg-type]


# --- a badge


def test_badge_keeps_its_names_and_can_withhold_everything_about_the_holder() -> None:
    document = badge_document()
    claims, hidden = badge_claims(document)
    text = issue_sd_jwt(claims, hidden, signer=ISSUER, digests=DIGESTS)
    assert claims_in(text) == claims
    assert claims["achievement"] == document["credentialSubject"]["achievement"]
    assert claims["identifier"] == document["credentialSubject"]["identifier"]
    bare = claims_in(present_sd_jwt(text, lambda name, value: True))
    assert bare.keys() == {"name", "issuer", "achievement"}
    assert "Zoé" not in json.dumps(bare, ensure_ascii=False)


def test_a_document_without_subject_is_refused() -> None:
    with pytest.raises(MalformedInput, match="credentialSubject"):
        badge_claims({"issuer": {}})
