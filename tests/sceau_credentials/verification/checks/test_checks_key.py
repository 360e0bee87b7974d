"""Ownership of the key: a badge is accepted only under a key that its campus publishes (B-006, B-009)."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from sceau_credentials.dids import jwk_set
from sceau_credentials.keys import LocalSigningKey, Signer
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.proofs.vc_jwt import claims_of, sign_claims, sign_jwt
from sceau_credentials.verification.report import CheckId, SignatureState, Verdict
from tests.support.badges.credentials import (
    DID,
    DID_URL,
    HOST,
    JWKS_URL,
    NOON,
    Campus,
    badge_document,
    without_status,
)
from tests.support.badges.documents import Documents
from tests.support.badges.forgery import CAMPUS, EMBEDDED, FORGER, SIGNED, asked, token
from tests.support.running.every import for_each


@pytest.mark.parametrize("kid", [..., "did:web:badges.example:campus:itip#mine", "mine", f"{HOST}/keys/mine"])
def test_a_key_inside_the_token_proves_nothing(kid: Any) -> None:
    """T06, M8, B-029: by the letter of the standard, anyone could sign this token for any campus."""
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
def test_a_did_key_of_the_signer_is_not_the_campus(form: str) -> None:
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
def test_another_issuers_key_cannot_sign_for_the_campus_and_its_document_is_not_fetched(
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


@for_each("kid", KIDS, ids=range(len(KIDS)))
def test_a_key_reference_leads_only_to_the_issuers_own_documents(kid: Any) -> None:
    """T07."""
    documents = CAMPUS.documents()
    assert asked(token({"kid": kid}), documents).verdict is Verdict.INVALID
    assert set(documents.asked) <= {DID_URL, JWKS_URL}


def test_a_method_published_for_another_purpose_cannot_sign_badges() -> None:
    document = CAMPUS.did_document | {
        "assertionMethod": [],
        "authentication": [CAMPUS.signer.verification_method],
    }
    report = asked(SIGNED.embedded, CAMPUS.documents(**{DID_URL: document}))
    assert (report.verdict, report.check(CheckId.KEY).reason) == (Verdict.INVALID, "key_not_for_assertion")


def test_a_withdrawn_key_no_longer_signs() -> None:
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
def test_an_invalid_key_document_makes_no_badge_valid(served: Any) -> None:
    for presented in (SIGNED.embedded, SIGNED.token):
        report = asked(presented, CAMPUS.documents(**{DID_URL: served}))
        assert report.verdict is not Verdict.VALID
        assert report.signature is not SignatureState.FALSE


@for_each(
    "served",
    [b"", b"  ", b"Service unavailable", b"<html>", b"[]", b"null", b"{}", b"\xff", b"x" * 70_000,
     {"error": "not found"}, {"id": "e-17", "message": "too many requests"}, {"status": 500}],
)  # fmt: skip
@for_each("presented", [SIGNED.embedded, SIGNED.token, token({"kid": "k1"})])
def test_an_unreadable_key_document_leaves_the_verdict_open(presented: bytes | str, served: Any) -> None:
    """An error page of the server proves nothing about the badge."""
    report = asked(presented, CAMPUS.documents(**{DID_URL: served, JWKS_URL: served}))
    assert (report.verdict, report.check(CheckId.KEY).reason) == (
        Verdict.UNDETERMINED,
        "key_document_unreadable",
    )
    assert report.signature is SignatureState.NOT_YET_CHECKED


FOREIGN = "did:web:elsewhere.example"


@pytest.mark.parametrize("documents", [CAMPUS.documents(), Documents()], ids=["reachable", "out of reach"])
@pytest.mark.parametrize("kid", [f"{FOREIGN}#k1", FOREIGN, "https://elsewhere.example/keys#1"])
def test_a_key_named_under_another_issuer_gets_one_answer_in_both_forms(
    kid: str, documents: Documents
) -> None:
    embedded = add_proof(badge_document(), signer=Signer(kid, FORGER.key), created=NOON)
    for presented in (json.dumps(embedded), token({"kid": kid}, key=FORGER.key)):
        report = asked(presented, documents)
        assert (report.verdict, report.check(CheckId.KEY).reason) == (
            Verdict.INVALID,
            "key_not_bound_to_issuer",
        )
        assert report.signature is SignatureState.NOT_CHECKABLE


def test_a_token_without_kid_is_verified_with_the_published_key_of_that_thumbprint() -> None:
    own = token({"kid": ..., "jwk": CAMPUS.key.public.to_jwk()})
    foreign = token({"kid": ..., "jwk": FORGER.key.public.to_jwk()}, key=FORGER.key)
    only_did = CAMPUS.documents().without(JWKS_URL)
    report = asked(own, only_did)
    assert (report.verdict, report.check(CheckId.KEY).reason) == (Verdict.VALID, "key_bound")
    assert report.verification_method in (
        CAMPUS.signer.verification_method,
        CAMPUS.jwt_signer.verification_method,
    )
    report = asked(foreign, only_did)
    assert (report.verdict, report.check(CheckId.KEY).reason) == (Verdict.INVALID, "key_not_bound_to_issuer")
    for documents in (Documents(), CAMPUS.documents().without(JWKS_URL).without(DID_URL)):
        assert asked(foreign, documents).verdict is Verdict.UNDETERMINED
    withdrawn = copy.deepcopy(CAMPUS.did_document)
    for method in withdrawn["verificationMethod"]:
        method["revoked"] = "2026-06-29T00:00:00Z"
    report = asked(own, only_did.with_({DID_URL: withdrawn}))
    assert (report.verdict, report.check(CheckId.KEY).reason) == (Verdict.INVALID, "key_revoked")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"revoked": "2026-06-29T00:00:00Z"}, "key_revoked"),
        ({"expires": "2026-06-29T00:00:00Z"}, "key_expired"),
        (None, "key_not_for_assertion"),
    ],
)
def test_a_revocation_in_the_did_document_counts_for_a_key_of_the_key_set(
    change: dict[str, str] | None, reason: str
) -> None:
    """A key set cannot express it."""
    ended = copy.deepcopy(CAMPUS.did_document)
    if change is None:
        ended["authentication"] = ended.pop("assertionMethod")
    else:
        ended["verificationMethod"] = [method | change for method in ended["verificationMethod"]]
    claims = without_status() | claims_of(without_status())
    (listed,) = jwk_set(CAMPUS.published)["keys"]
    documents = CAMPUS.documents(**{DID_URL: ended, JWKS_URL: {"keys": [listed | {"kid": "campus-2026"}]}})
    named = sign_claims(claims, signer=Signer("campus-2026", CAMPUS.key), kind="JWT")
    brought = token({"kid": ..., "jwk": CAMPUS.key.public.to_jwk()}, {"credentialStatus": ...})
    for written in (brought, named):
        assert asked(written, documents).check(CheckId.KEY).reason == reason
        assert asked(written, documents.without(DID_URL)).verdict is Verdict.VALID


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
def test_an_issuer_that_cannot_be_resolved_is_never_accepted(issuer: str) -> None:
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


def test_a_partners_signature_beside_the_issuers_neither_helps_nor_harms() -> None:
    """B-001; and the partner's document, which the badge chose, is not fetched."""
    partner = Campus(did="did:web:partner.example")
    both = add_proof(EMBEDDED, signer=partner.signer, created=NOON)
    documents = CAMPUS.documents()
    report = asked(json.dumps(both), documents)
    assert report.verdict is Verdict.VALID
    assert report.verification_method == CAMPUS.signer.verification_method
    assert not any("partner" in url for url in documents.asked)
    alone = add_proof(badge_document(), signer=partner.signer, created=NOON)
    assert asked(json.dumps(alone)).check(CheckId.KEY).reason == "key_not_bound_to_issuer"


def key_set(*keys: LocalSigningKey, **members: Any) -> dict[str, Any]:
    return {"keys": [key.public.to_jwk() | {"kid": "k1"} | members for key in keys]}


KEY_SETS: list[tuple[str, dict[str, Any], Verdict, str]] = [
    ("says whose", key_set(CAMPUS.key, iss=DID), Verdict.VALID, "key_bound"),
    ("of a neighbour", key_set(CAMPUS.key, iss=f"{DID}2"), Verdict.INVALID, "key_not_bound_to_issuer"),
    ("does not say whose", key_set(CAMPUS.key), Verdict.INVALID, "key_not_bound_to_issuer"),
    ("another key", key_set(FORGER.key, iss=DID), Verdict.INVALID, "signature"),
    ("both", key_set(CAMPUS.key, FORGER.key, iss=DID), Verdict.VALID, "key_bound"),
    ("empty", {"keys": []}, Verdict.INVALID, "key_not_bound_to_issuer"),
    ("no set", {"keys": "x"}, Verdict.UNDETERMINED, "key_document_unreadable"),
    ("no key", {"keys": [{"kid": "k1", "iss": DID, "kty": "oct"}]}, Verdict.INVALID, "key_unusable"),
    ("not a list of objects", {"keys": [None, 5]}, Verdict.INVALID, "key_not_bound_to_issuer"),
]


@pytest.mark.parametrize(
    ("name", "served", "verdict", "reason"), KEY_SETS, ids=[case[0] for case in KEY_SETS]
)
def test_a_key_in_the_hosts_key_set_counts_only_if_it_names_its_issuer(
    name: str, served: dict[str, Any], verdict: Verdict, reason: str
) -> None:
    """B-026: several campuses share one host and one key set."""
    report = asked(token({"kid": "k1"}), CAMPUS.documents(**{JWKS_URL: served}))
    assert report.verdict is verdict
    if reason == "signature":
        assert report.check(CheckId.PROOF).reason == "signature_mismatch"
    else:
        assert report.check(CheckId.KEY).reason == reason


def test_an_https_issuer_alone_on_its_host_needs_no_name_in_its_key_set() -> None:
    issuer = f"{HOST}/issuers/1"
    document = badge_document()
    document["issuer"] = document["issuer"] | {"id": issuer}
    del document["credentialStatus"]
    signed = sign_jwt(document, signer=Signer(f"{HOST}/keys/1", CAMPUS.key))
    for served, verdict in (
        (key_set(CAMPUS.key, kid=f"{HOST}/keys/1"), Verdict.VALID),
        (key_set(CAMPUS.key, kid=f"{HOST}/keys/1", iss=f"{HOST}/issuers/2"), Verdict.INVALID),
        (key_set(CAMPUS.key, kid=f"{HOST}/keys/2"), Verdict.INVALID),
    ):
        documents = CAMPUS.documents(**{JWKS_URL: served})
        assert asked(signed, documents).verdict is verdict
        assert documents.asked == [JWKS_URL]


def test_a_key_inside_the_token_must_be_the_one_that_its_kid_names() -> None:
    own, foreign = CAMPUS.key.public.to_jwk(), FORGER.key.public.to_jwk()
    assert asked(token({"jwk": own})).verdict is Verdict.VALID
    documents = CAMPUS.documents()
    assert asked(token({"jwk": own, "kid": ...}), documents).verdict is Verdict.VALID
    assert documents.asked[0] == JWKS_URL  # found by its value, in the key set of the issuer's host
    report = asked(token({"jwk": foreign}))
    assert (report.verdict, report.check(CheckId.KEY).reason) == (Verdict.INVALID, "key_not_bound_to_issuer")


def test_an_unreachable_key_set_leaves_the_verdict_open() -> None:
    report = asked(token({"kid": "k1"}), CAMPUS.documents().without(JWKS_URL))
    assert (report.verdict, report.check(CheckId.KEY).reason) == (
        Verdict.UNDETERMINED,
        "key_document_unavailable",
    )


def test_an_issuer_that_is_a_key_signs_its_own_tokens() -> None:
    did = f"did:key:{CAMPUS.key.public.to_multikey()}"
    document = badge_document()
    document["issuer"] = document["issuer"] | {"id": did}
    del document["credentialStatus"]
    signed = sign_jwt(document, signer=Signer(f"{did}#{CAMPUS.key.public.to_multikey()}", CAMPUS.key))
    documents = CAMPUS.documents()
    report = asked(signed, documents)
    assert (report.verdict, report.check(CheckId.ISSUER).reason) == (Verdict.VALID, "issuer_is_only_a_key")
    assert documents.asked == []


def test_a_skipped_check_states_the_answer_that_caused_it() -> None:
    forged = asked(token({"jwk": FORGER.key.public.to_jwk(), "kid": ...}, key=FORGER.key))
    assert forged.check(CheckId.STATUS).details == {"because": "proof"}
    foreign = add_proof(badge_document(), signer=did_key_signer(), created=NOON)
    assert asked(json.dumps(foreign)).check(CheckId.STATUS).details == {"because": "key"}
    in_other_words = asked(json.dumps(EMBEDDED | {"@context": EMBEDDED["@context"][:1]}))
    assert in_other_words.check(CheckId.PROOF).details == {"because": "context"}


def did_key_signer() -> Signer:
    return Signer(f"did:key:{FORGER.key.public.to_multikey()}#{FORGER.key.public.to_multikey()}", FORGER.key)


def test_a_strangers_proof_over_the_whole_badge_is_not_reported_as_a_part() -> None:
    did, signer = f"did:key:{FORGER.key.public.to_multikey()}", FORGER.key.public.to_multikey()
    forged = add_proof(badge_document(), signer=Signer(f"{did}#{signer}", FORGER.key), created=NOON)
    report = asked(json.dumps(forged))
    assert report.check(CheckId.KEY).reason == "key_not_bound_to_issuer"
    assert report.check(CheckId.VALIDITY).reason != "end_may_be_withheld"
    assert "part_shown" not in [each.code for each in report.remarks]
