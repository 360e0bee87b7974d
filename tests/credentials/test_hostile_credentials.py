"""Whatever is handed to the verifier, the outcome is a report, and a forgery is never called valid."""

from __future__ import annotations

import base64
import copy
import gzip
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.credentials.keys import Algorithm, LocalSigningKey, Signer, encode_base64url
from app.credentials.proofs.data_integrity import add_proof
from app.credentials.proofs.vc_jwt import sign_jwt
from app.credentials.status_list import StatusList, status_entry
from app.credentials.verification.ladder import verify
from app.credentials.verification.report import CheckId, Report, Verdict
from tests.support.credentials import (
    DID,
    DID_URL,
    HOST,
    JWKS_URL,
    LIST_INDEX,
    LIST_URL,
    NOON,
    Campus,
    badge_document,
)
from tests.support.documents import Documents

CAMPUS = Campus()
FORGER = Campus()
SIGNED = CAMPUS.issue()
EMBEDDED: dict[str, Any] = json.loads(SIGNED.embedded)


def asked(presented: bytes | str, documents: Documents | None = None) -> Report:
    return verify(presented, documents=documents or CAMPUS.documents(), at=NOON)


def token(
    header: dict[str, Any] | None = None,
    claims: dict[str, Any] | None = None,
    *,
    key: LocalSigningKey = CAMPUS.key,
    signature: bytes | None = None,
) -> str:
    """A token with these members changed; `...` takes one away."""
    head = {"alg": "EdDSA", "kid": CAMPUS.jwt_signer.verification_method, "typ": "JWT"} | (header or {})
    payload = json.loads(base64.urlsafe_b64decode(SIGNED.token.split(".")[1] + "==")) | (claims or {})
    parts = (
        encode_base64url(json.dumps({n: v for n, v in each.items() if v is not ...}).encode())
        for each in (head, payload)
    )
    signing_input = ".".join(parts)
    made = key.sign(signing_input.encode()) if signature is None else signature
    return f"{signing_input}.{encode_base64url(made)}"


def test_the_token_of_these_tests_is_valid_when_nothing_is_changed() -> None:
    assert asked(token()).verdict is Verdict.VALID


@pytest.mark.parametrize("algorithm", ["none", "nOnE", "", "HS256", "ES512", "PS999", 5, None, ["EdDSA"]])
def test_an_algorithm_nobody_allowed_is_named_as_that(algorithm: Any) -> None:
    """T04, T05."""
    for signature in (b"", None):
        report = asked(token({"alg": algorithm}, signature=signature))
        assert (report.verdict, report.check(CheckId.PROOF).reason) == (
            Verdict.INVALID,
            "algorithm_not_allowed",
        )


@pytest.mark.parametrize("secret", ["raw", "pem", "jwk"])
def test_the_public_key_is_no_shared_secret(secret: str) -> None:
    """T05, M5."""
    jwk = CAMPUS.key.public.to_jwk()
    raw = base64.urlsafe_b64decode(str(jwk["x"]) + "=")
    material = {"raw": raw, "pem": base64.encodebytes(raw), "jwk": json.dumps(jwk).encode()}[secret]
    unsigned = token({"alg": "HS256"}, signature=b"").rpartition(".")[0]
    forged = f"{unsigned}.{encode_base64url(hmac.digest(material, unsigned.encode(), hashlib.sha256))}"
    assert asked(forged).check(CheckId.PROOF).reason == "algorithm_not_allowed"


@pytest.mark.parametrize("kid", [..., "did:web:badges.example:campus:itip#mine", "mine", f"{HOST}/keys/mine"])
def test_a_key_brought_along_proves_nothing(kid: Any) -> None:
    """T06, M8, B-029: by the letter of the standard this token would be anybody's badge of any campus."""
    forged = token({"jwk": FORGER.key.public.to_jwk(), "kid": kid}, key=FORGER.key)
    report = asked(forged)
    assert report.verdict is Verdict.INVALID
    assert report.check(CheckId.KEY).reason in ("key_not_bound_to_issuer", "key_not_found")
    assert report.document is None


def test_a_key_in_the_address_of_a_method_proves_nothing() -> None:
    """B-051a: a public validator reads the key from the fragment; we only ever compare it."""
    method = f"{DID}#{FORGER.key.public.to_multikey()}"
    forged = add_proof(badge_document(), signer=Signer(method, FORGER.key), created=NOON)
    report = asked(json.dumps(forged))
    assert (report.verdict, report.check(CheckId.KEY).reason) == (Verdict.INVALID, "key_not_found")


@pytest.mark.parametrize("form", ["embedded", "token"])
def test_a_key_of_ones_own_did_key_is_not_the_campus(form: str) -> None:
    did = f"did:key:{FORGER.key.public.to_multikey()}"
    signer = Signer(f"{did}#{FORGER.key.public.to_multikey()}", FORGER.key)
    forged = (
        json.dumps(add_proof(badge_document(), signer=signer, created=NOON))
        if form == "embedded"
        else sign_jwt(badge_document(), signer=signer)
    )
    documents = CAMPUS.documents()
    report = asked(forged, documents)
    assert (report.verdict, report.check(CheckId.KEY).reason) == (Verdict.INVALID, "key_not_bound_to_issuer")
    assert report.check(CheckId.PROOF).reason == "signature_holds"
    assert report.document is None
    assert documents.asked == []


@pytest.mark.parametrize("form", ["embedded", "token"])
def test_another_issuers_key_cannot_sign_for_the_campus_and_its_document_is_not_even_fetched(
    form: str,
) -> None:
    other = Campus(did="did:web:elsewhere.example")
    signer = other.signer if form == "embedded" else other.jwt_signer
    forged = (
        json.dumps(add_proof(badge_document(), signer=signer, created=NOON))
        if form == "embedded"
        else sign_jwt(badge_document(), signer=signer)
    )
    documents = CAMPUS.documents(**{"https://elsewhere.example/.well-known/did.json": other.did_document})
    report = asked(forged, documents)
    assert (report.verdict, report.check(CheckId.KEY).reason) == (Verdict.INVALID, "key_not_bound_to_issuer")
    assert not any("elsewhere" in url for url in documents.asked)


KIDS = [
    "https://169.254.169.254/latest/meta-data/",
    "https://127.0.0.1:22/#x",
    "http://localhost/jwk",
    "file:///etc/passwd",
    "../../etc/passwd",
    "' OR 1=1--",
    "x" * 10_000,
    "",
    "#",
    f"{DID}#a#b",
    f"{DID}#\r\nX-Injected: 1",
    "did:web:127.0.0.1#x",
    ["a"],
    {"kid": 1},
    5,
    None,
]


@pytest.mark.parametrize("kid", KIDS, ids=range(len(KIDS)))
def test_a_key_reference_leads_nowhere_but_to_the_issuers_own_documents(kid: Any) -> None:
    """T07."""
    documents = CAMPUS.documents()
    assert asked(token({"kid": kid}), documents).verdict is Verdict.INVALID
    assert set(documents.asked) <= {DID_URL, JWKS_URL}


@pytest.mark.parametrize("member", ["jku", "x5u", "x5c", "crit", "b64", "x5t#S256", "iss", "zip"])
def test_a_header_with_more_than_it_may_hold_is_refused_by_name(member: str) -> None:
    report = asked(token({member: "https://evil.example/keys"}))
    assert report.check(CheckId.PROOF).reason == "header_not_allowed"


@pytest.mark.parametrize("typ", ["JWE", "at+jwt", 5, "", "vp+jwt"])
def test_a_token_of_another_type_is_no_badge(typ: Any) -> None:
    assert asked(token({"typ": typ})).verdict is Verdict.INVALID


CLAIMS: list[tuple[str, Any, str]] = [
    ("iss", "did:web:elsewhere.example", "claims_disagree"),
    ("iss", ..., "claim_missing"),
    ("sub", "urn:uuid:00000000-0000-4000-8000-000000000000", "claims_disagree"),
    ("sub", ..., "claim_missing"),
    ("jti", "https://badges.example/attributions/other", "claims_disagree"),
    ("jti", ..., "claim_missing"),
    ("nbf", 1_000_000_000, "claims_disagree"),
    ("nbf", "1782820800", "claims_disagree"),
    ("nbf", True, "claims_disagree"),
    ("nbf", ..., "claim_missing"),
    ("exp", "1877515200", "claims_disagree"),
    ("exp", True, "claims_disagree"),
    ("exp", 9_999_999_999, "claims_disagree"),
    ("exp", 10**300, "claims_disagree"),
    ("exp", -1e300, "claims_disagree"),
    ("exp", ..., "claim_missing"),
]


@pytest.mark.parametrize(("claim", "value", "reason"), CLAIMS)
def test_a_signed_token_that_contradicts_its_badge_is_named_as_that(
    claim: str, value: Any, reason: str
) -> None:
    """T08, B-020 to B-024: the issuer signed it, and still nobody can tell which half it meant."""
    report = asked(token(claims={claim: value}))
    answer = report.check(CheckId.PROOF)
    assert (report.verdict, answer.reason, answer.details["claim"]) == (Verdict.INVALID, reason, claim)


@pytest.mark.parametrize("claim", ["vc", "vp"])
def test_a_badge_beside_a_second_one_in_a_wrapper_claim_is_refused(claim: str) -> None:
    report = asked(token(claims={claim: badge_document()}))
    assert report.check(CheckId.READABLE).reason == "malformed_jwt"


@pytest.mark.parametrize("digits", ["1e999", "1" * 5_000, "NaN", "Infinity", "-0"])
def test_numbers_that_parsers_disagree_about_never_reach_a_check(digits: str) -> None:
    head, payload, _ = token().split(".")
    text = base64.urlsafe_b64decode(payload + "==").decode().replace('"exp": ', f'"exp": {digits}, "x": ')
    signing_input = f"{head}.{encode_base64url(text.encode())}"
    forged = f"{signing_input}.{encode_base64url(CAMPUS.key.sign(signing_input.encode()))}"
    assert asked(forged).verdict is Verdict.INVALID


def test_two_members_of_one_name_are_refused_before_anything_is_believed() -> None:
    """C-022: one parser would show the first, another the last."""
    text = SIGNED.embedded.decode().replace(
        '"name":"Robotique pour tous"', '"name":"A","name":"Robotique pour tous"', 1
    )
    assert asked(text).check(CheckId.READABLE).details["cause"] == "duplicate_member"


def resigned(**changed: Any) -> dict[str, Any]:
    return add_proof(badge_document() | changed, signer=CAMPUS.signer, created=NOON)


def with_proof(**changed: Any) -> str:
    proof = {name: value for name, value in (EMBEDDED["proof"] | changed).items() if value is not ...}
    return json.dumps(EMBEDDED | {"proof": proof})


PROOFS: list[tuple[dict[str, Any], str]] = [
    ({"proofPurpose": "authentication"}, "proof_purpose"),
    ({"proofPurpose": ...}, "proof_malformed"),
    ({"verificationMethod": ...}, "proof_malformed"),
    ({"type": ...}, "proof_malformed"),
    ({"proofValue": ...}, "proof_malformed"),
    ({"proofValue": "u" + EMBEDDED["proof"]["proofValue"][1:]}, "proof_malformed"),
    ({"proofValue": "z" + "1" * 64}, "signature_mismatch"),
    ({"proofValue": "z"}, "proof_malformed"),
    ({"proofValue": "z" * 100_000}, "proof_malformed"),
    ({"created": "2026-07-01T12:00:00Z"}, "proof_from_the_future"),
    ({"created": "hier"}, "proof_malformed"),
    ({"expires": "2026-06-01T00:00:00Z"}, "proof_expired"),
    ({"cryptosuite": "eddsa-jcs-2022"}, "signature_mismatch"),
    ({"cryptosuite": "ecdsa-rdfc-2019"}, "algorithm_not_allowed"),
    ({"@context": {"proofPurpose": "https://evil.example/#x"}}, "proof_malformed"),
    ({"note": "x"}, "undefined_term"),
    ({"previousProof": "urn:uuid:1"}, "proof_malformed"),
]


@pytest.mark.parametrize(("changed", "reason"), PROOFS)
def test_a_proof_that_is_not_what_it_must_be_is_named_as_that(changed: dict[str, Any], reason: str) -> None:
    """T12."""
    report = asked(with_proof(**changed))
    assert (report.verdict, report.check(CheckId.PROOF).reason) == (Verdict.INVALID, reason)


@pytest.mark.parametrize("proof", [None, [], {}, "x", 5, [[]], ["x"], [{}] * 5, [EMBEDDED["proof"]] * 500])
def test_a_proof_that_is_no_proof_is_no_obstacle_to_a_report(proof: Any) -> None:
    documents = CAMPUS.documents()
    assert asked(json.dumps(EMBEDDED | {"proof": proof}), documents).verdict is Verdict.INVALID
    assert documents.asked == []


def test_a_suite_not_read_here_leaves_the_verdict_open() -> None:
    report = asked(with_proof(cryptosuite="ecdsa-sd-2023"))
    assert (report.verdict, report.check(CheckId.PROOF).reason) == (Verdict.UNDETERMINED, "proof_not_read")


def test_a_method_published_for_another_purpose_cannot_sign_badges() -> None:
    document = CAMPUS.did_document | {
        "assertionMethod": [],
        "authentication": [CAMPUS.signer.verification_method],
    }
    report = asked(SIGNED.embedded, CAMPUS.documents(**{DID_URL: document}))
    assert (report.verdict, report.check(CheckId.KEY).reason) == (Verdict.INVALID, "key_not_for_assertion")


def test_a_withdrawn_key_signs_no_longer() -> None:
    document = copy.deepcopy(CAMPUS.did_document)
    for method in document["verificationMethod"]:
        method["revoked"] = "2026-06-29T00:00:00Z"
    for presented in (SIGNED.embedded, SIGNED.token):
        report = asked(presented, CAMPUS.documents(**{DID_URL: document}))
        assert (report.verdict, report.check(CheckId.KEY).reason) == (Verdict.INVALID, "key_revoked")


KEY_DOCUMENTS: list[Any] = [
    b"",
    b"<html>",
    b"[]",
    b"null",
    b"{}",
    b"\xff\xfe",
    b'{"id": "did:web:badges.example:campus:itip"}',
    b'{"id": "did:web:elsewhere.example", "verificationMethod": []}',
    {**CAMPUS.did_document, "id": "did:web:elsewhere.example"},
    {**CAMPUS.did_document, "verificationMethod": "x"},
    {**CAMPUS.did_document, "verificationMethod": [None, 5, "x", []]},
    {**CAMPUS.did_document, "assertionMethod": {"a": 1}},
    b"[" * 100_000,
    b"x" * 70_000,
]


@pytest.mark.parametrize("served", KEY_DOCUMENTS, ids=range(len(KEY_DOCUMENTS)))
def test_a_key_document_that_is_none_makes_no_badge_valid(served: Any) -> None:
    for presented in (SIGNED.embedded, SIGNED.token):
        report = asked(presented, CAMPUS.documents(**{DID_URL: served}))
        assert report.verdict is Verdict.INVALID


def signed_list(**subject: Any) -> dict[str, Any]:
    """The campus's list with members of its subject changed, signed again by the campus itself."""
    unsigned = {name: value for name, value in CAMPUS.status_list().items() if name != "proof"}
    changed = {n: v for n, v in (unsigned["credentialSubject"] | subject).items() if v is not ...}
    return add_proof(unsigned | {"credentialSubject": changed}, signer=CAMPUS.signer, created=NOON)


def by_the_forger() -> dict[str, Any]:
    return Campus(key=FORGER.key).status_list()


SHORT = "u" + encode_base64url(gzip.compress(bytes(1000)))
BOMB = "u" + encode_base64url(gzip.compress(bytes(64 * 1024 * 1024)))

LISTS: list[tuple[str, Any, str]] = [
    ("garbage", b"<html>", "status_list_malformed"),
    ("not utf-8", b"\xff\xfe\xfd", "status_list_malformed"),
    ("a badge", EMBEDDED, "status_list_malformed"),
    (
        "unsigned",
        {n: v for n, v in CAMPUS.status_list().items() if n != "proof"},
        "status_list_not_authentic",
    ),
    ("altered", CAMPUS.status_list() | {"name": "x"}, "status_list_not_authentic"),
    ("signed by another", by_the_forger(), "status_list_not_authentic"),
    (
        "another issuer's",
        CAMPUS.status_list(issuer="did:web:elsewhere.example"),
        "status_list_of_another_issuer",
    ),
    ("another list", CAMPUS.status_list(id=f"{HOST}/statuts/2"), "status_list_malformed"),
    ("another purpose", signed_list(statusPurpose="suspension"), "status_purpose_differs"),
    ("no purpose", signed_list(statusPurpose=...), "status_list_malformed"),
    ("no list", signed_list(encodedList=...), "status_list_malformed"),
    ("prefix missing", signed_list(encodedList=StatusList().encode()[1:]), "status_list_malformed"),
    ("not gzip", signed_list(encodedList="uAAAA"), "status_list_malformed"),
    ("too short", signed_list(encodedList=SHORT), "status_list_too_short"),
    ("a bomb", signed_list(encodedList=BOMB), "status_list_malformed"),
    ("over", CAMPUS.status_list(at=NOON - timedelta(days=3)), "status_list_stale"),
    ("not begun", CAMPUS.status_list(at=NOON + timedelta(days=1)), "status_list_stale"),
]


@pytest.mark.parametrize(("name", "served", "reason"), LISTS, ids=[name for name, _, _ in LISTS])
def test_a_status_list_that_cannot_be_relied_on_leaves_the_verdict_open(
    name: str, served: Any, reason: str
) -> None:
    """T18: neither revoked nor valid, but unknown."""
    report = asked(SIGNED.embedded, CAMPUS.documents(**{LIST_URL: served}))
    assert (report.verdict, report.check(CheckId.STATUS).reason) == (Verdict.UNDETERMINED, reason)


def test_a_list_kept_longer_than_its_time_to_live_is_stale() -> None:
    served = CAMPUS.documents().held
    for minutes, verdict in ((14, Verdict.VALID), (16, Verdict.UNDETERMINED)):
        documents = Documents(served, fetched_at=NOON - timedelta(minutes=minutes))
        assert asked(SIGNED.embedded, documents).verdict is verdict


ENTRIES: list[tuple[dict[str, Any], str]] = [
    ({"statusListIndex": "131072"}, "status_index_out_of_range"),
    ({"statusListIndex": "9999999999"}, "status_index_out_of_range"),
    ({"statusListIndex": 94_567}, "revoked"),
    ({"statusListIndex": "94567"}, "revoked"),
    ({"statusPurpose": "message"}, "status_informative"),
    ({"statusPurpose": "refresh"}, "status_informative"),
    ({"statusPurpose": "mood"}, "status_purpose_not_read"),
    ({"statusPurpose": "suspension"}, "status_purpose_differs"),
]


@pytest.mark.parametrize(("changed", "reason"), ENTRIES)
def test_a_status_entry_is_read_as_the_standard_says(changed: dict[str, Any], reason: str) -> None:
    campus = Campus(key=CAMPUS.key, revoked={LIST_INDEX})
    presented = resigned(credentialStatus=status_entry(LIST_URL, LIST_INDEX) | changed)
    report = asked(json.dumps(presented), campus.documents())
    assert report.check(CheckId.STATUS).reason == reason


@pytest.mark.parametrize("index", ["-1", "1e3", "0x10", " 1", "１", "", "1.0", 1.5, True, -1, None, [1]])
def test_a_status_index_that_is_no_number_never_makes_a_badge_valid(index: Any) -> None:
    entry = status_entry(LIST_URL, 0) | {"statusListIndex": index}
    signed = sign_jwt(badge_document() | {"credentialStatus": entry}, signer=CAMPUS.jwt_signer)
    assert asked(signed).verdict is not Verdict.VALID


def test_a_suspended_badge_is_told_from_a_revoked_one() -> None:
    campus = Campus(key=CAMPUS.key, revoked={LIST_INDEX})
    entry = status_entry(LIST_URL, LIST_INDEX, "suspension")
    bits = StatusList()
    bits.set(LIST_INDEX)
    served = signed_list(statusPurpose="suspension", encodedList=bits.encode())
    report = asked(json.dumps(resigned(credentialStatus=entry)), campus.documents(**{LIST_URL: served}))
    assert (report.verdict, report.check(CheckId.STATUS).reason) == (Verdict.INVALID, "suspended")


def test_of_several_status_entries_all_must_be_good() -> None:
    entries = [
        status_entry(LIST_URL, 1) | {"statusPurpose": "refresh"},
        status_entry(LIST_URL, 2),
        status_entry(LIST_URL, LIST_INDEX),
    ]
    signed = sign_jwt(badge_document() | {"credentialStatus": entries}, signer=CAMPUS.jwt_signer)
    revoking = Campus(key=CAMPUS.key, revoked={LIST_INDEX})
    assert asked(signed, revoking.documents()).check(CheckId.STATUS).reason in ("revoked", "not_reached")
    assert asked(signed, revoking.documents()).verdict is not Verdict.VALID


def test_an_unknown_kind_of_status_leaves_the_verdict_open() -> None:
    entry = {"id": f"{HOST}/revocations.json", "type": "1EdTechRevocationList"}
    contexts = [*badge_document()["@context"], "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"]
    presented = resigned(credentialStatus=entry, **{"@context": contexts})
    report = asked(json.dumps(presented))
    assert (report.verdict, report.check(CheckId.STATUS).reason) == (
        Verdict.UNDETERMINED,
        "status_type_not_read",
    )


@pytest.mark.parametrize(
    "issuer",
    [
        "did:web:127.0.0.1",
        "did:web:localhost%3A8080:..:x",
        "did:web:a%2F@evil.example",
        "did:web:a%00b",
        "did:ebsi:zabc",
        "https://user@evil.example/issuer",
        "ftp://evil.example/issuer",
        "urn:uuid:1",
        "x" * 5_000,
    ],
)
def test_an_issuer_who_cannot_be_looked_up_is_never_believed(issuer: str) -> None:
    """T17."""
    document = badge_document()
    document["issuer"] = document["issuer"] | {"id": issuer}
    documents = CAMPUS.documents()
    forged = (
        add_proof(document, signer=Signer(f"{issuer}#key", CAMPUS.key), created=NOON)
        if ":" in issuer
        else document
    )
    assert asked(json.dumps(forged), documents).verdict is not Verdict.VALID
    assert documents.asked == []


def test_graphs_made_to_take_for_ever_are_given_up_soon() -> None:
    """T13: blank nodes that all point at each other."""
    document = badge_document()
    document["credentialSubject"]["result"] = [{"type": ["Result"], "value": "3"} for _ in range(300)]
    presented = json.dumps(document | {"proof": EMBEDDED["proof"]})
    report = asked(presented)
    assert report.verdict is not Verdict.VALID


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300), JSON.map(json.dumps)))
def test_anything_at_all_yields_a_report_that_answers_every_question(presented: bytes | str) -> None:
    documents = CAMPUS.documents()
    report = asked(presented, documents)
    assert report.verdict is not Verdict.VALID
    assert [answer.id for answer in report.checks] == list(CheckId)
    assert documents.asked == []
    json.dumps(report.to_document())


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(EMBEDDED)), JSON, st.booleans())
def test_a_badge_with_any_member_replaced_by_anything_yields_a_report(
    member: str, value: Any, signed_again: bool
) -> None:
    changed = EMBEDDED | {member: value}
    presented = json.dumps(changed)
    if signed_again:
        claims = {name: each for name, each in changed.items() if name != "proof"}
        presented = token(claims=claims)
    report = asked(presented)
    assert [answer.id for answer in report.checks] == list(CheckId)
    if value != EMBEDDED[member] and not signed_again and value != []:
        assert report.verdict is not Verdict.VALID


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(JSON)
def test_a_status_list_or_key_document_of_any_shape_yields_a_report(served: Any) -> None:
    body = json.dumps(served).encode()
    for url in (LIST_URL, DID_URL, JWKS_URL):
        report = asked(SIGNED.embedded, CAMPUS.documents(**{url: body}))
        assert (report.verdict is Verdict.VALID) == (url == JWKS_URL)


def test_a_second_algorithm_cannot_be_played_against_the_first() -> None:
    """B-011: the key decides; an ES256 token under a kid that is an Ed25519 key is refused."""
    p256 = LocalSigningKey.generate(Algorithm.ES256)
    report = asked(token({"alg": "ES256"}, key=p256))
    assert report.check(CheckId.PROOF).reason == "algorithm_not_allowed"
