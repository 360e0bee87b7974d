"""The keys of one issuer, one at a time: which is accepted, and the full answer for one that is not."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sceau_credentials.errors import DocumentUnavailable, KeyNotResolved
from sceau_credentials.keys import Signer
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.proofs.vc_jwt import ParsedJws
from sceau_credentials.verification.answers import Policy, secured_from_text
from sceau_credentials.verification.checks import claims, signature
from sceau_credentials.verification.issuer_keys import IssuerKeys
from tests.support.badges.credentials import DID, DID_URL, HOST, JWKS_URL, NOON, badge_document
from tests.support.badges.documents import Documents
from tests.support.badges.forgery import CAMPUS, EMBEDDED, FORGER, SIGNED, resigned, token, with_proof

OWN, OTHER = CAMPUS.key.public, FORGER.key.public
METHOD = CAMPUS.jwt_signer.verification_method
DID_KEY = f"did:key:{OWN.to_multikey()}"
SITE = f"{HOST}/issuers/1"
BAD_JWK = {"kty": "OKP", "crv": "Ed25519", "x": "AA"}


def keys_of(issuer_id: str = DID, documents: Documents | None = None) -> IssuerKeys:
    return IssuerKeys(issuer_id, documents or CAMPUS.documents(), NOON)


def jws(**header: Any) -> ParsedJws:
    return ParsedJws({"alg": "EdDSA"} | header, {}, b"", b"")


def key_set(*jwks: Any) -> Documents:
    return CAMPUS.documents(**{JWKS_URL: {"keys": list(jwks)}})


def refusal(action: Any) -> tuple[str, str]:
    with pytest.raises(KeyNotResolved) as error:
        action()
    return error.value.reason, error.value.detail


LONG = "x" * 201


@pytest.mark.parametrize(
    ("issuer_id", "method", "reason", "detail"),
    [
        (DID, f"did:web:{LONG}#k", "key_not_bound_to_issuer", "named under " + f"did:web:{LONG}"[:200]),
        (DID, "#k", "key_not_bound_to_issuer", "named under "),
        ("http://a.example", "http://a.example#k", "key_method_not_read", "http://a.example"),
        (f"urn:{LONG}", f"urn:{LONG}#k", "key_method_not_read", f"urn:{LONG}"[:200]),
        ("https://a@b.example", "https://a@b.example#k", "key_method_not_read", "https://a@b.example"),
        ("https:///b", "https:///b#k", "key_method_not_read", "https:///b"),
        ("https://[b", "https://[b#k", "key_method_not_read", "https://[b"),
    ],
)
def test_a_method_without_an_issuer_is_not_followed(
    issuer_id: str, method: str, reason: str, detail: str
) -> None:
    documents = CAMPUS.documents()
    keys = keys_of(issuer_id, documents)
    assert refusal(lambda: keys.key_for(method)) == (reason, detail)
    assert (documents.asked, keys.resolved) == ([], {})


def test_a_key_is_cached_under_the_name_it_was_requested_by() -> None:
    keys = keys_of()
    assert keys.key_for(METHOD) == OWN
    assert keys.resolved[METHOD].method_id == METHOD
    assert keys_of().key_for(DID_KEY) == OWN  # its owner is for the caller to check
    at_home = keys_of(DID_KEY)
    assert at_home.of_token(jws()).method_id == f"{DID_KEY}#{OWN.to_multikey()}"
    assert at_home.of_token(jws()).lacks_fragment


@pytest.mark.parametrize(
    ("jwks", "header", "method"),
    [
        ([OWN.to_jwk() | {"kid": "k1", "iss": DID}], {"kid": "k1"}, "k1"),
        ([OWN.to_jwk() | {"kid": "k1", "iss": DID}], {"kid": "k1", "jwk": OWN.to_jwk()}, "k1"),
        ([OTHER.to_jwk() | {"kid": "k1"}, OWN.to_jwk() | {"kid": "k1", "iss": DID}], {"kid": "k1"}, "k1"),
        ([OWN.to_jwk() | {"kid": DID, "iss": DID}], {"kid": DID}, DID),
        ([OWN.to_jwk() | {"kid": f"{HOST}#1", "iss": DID}], {"kid": f"{HOST}#1"}, f"{HOST}#1"),
        ([OTHER.to_jwk() | {"iss": DID}, OWN.to_jwk() | {"iss": DID}], {"jwk": OWN.to_jwk()},
         f"{JWKS_URL}#{OWN.thumbprint()}"),
        ([BAD_JWK | {"iss": DID}, OWN.to_jwk() | {"iss": DID}], {"jwk": OWN.to_jwk()},
         f"{JWKS_URL}#{OWN.thumbprint()}"),
        ([7, OWN.to_jwk() | {"iss": DID, "kid": "k2"}], {"jwk": OWN.to_jwk()},
         f"{JWKS_URL}#{OWN.thumbprint()}"),
    ],
    ids=range(8),
)  # fmt: skip
def test_a_key_of_the_hosts_set_is_found_by_kid_or_by_itself(jwks: Any, header: Any, method: str) -> None:
    keys = keys_of(documents=key_set(*jwks))
    found = keys.of_token(jws(**header))
    assert (found.key, found.method_id, found.controller) == (OWN, method, DID)
    assert keys.resolved == {method: found}


NO_SET = ("key_not_bound_to_issuer", JWKS_URL)
BROUGHT = ("key_not_bound_to_issuer", "jwk is not the key that kid names")


@pytest.mark.parametrize(
    ("served", "header", "refused"),
    [
        ([], {"kid": "k1"}, NO_SET),
        ([], {}, ("key_reference_malformed", "neither kid nor jwk")),
        ([OWN.to_jwk() | {"kid": "k1"}], {"kid": "k1"}, NO_SET),
        ([OWN.to_jwk() | {"kid": "k2", "iss": DID}], {"kid": "k1"}, NO_SET),
        ([OWN.to_jwk() | {"kid": "k2", "iss": DID}], {"kid": "k1", "jwk": OWN.to_jwk()}, NO_SET),
        ([OWN.to_jwk() | {"iss": DID}], {"jwk": BAD_JWK}, NO_SET),
        ([BAD_JWK | {"iss": DID}], {"jwk": BAD_JWK}, NO_SET),
        ([BAD_JWK | {"kid": "k1", "iss": DID}], {"kid": "k1"}, ("key_unusable", "malformed_key")),
        ([OWN.to_jwk() | {"kid": "k1", "iss": DID}], {"kid": "k1", "jwk": OTHER.to_jwk()}, BROUGHT),
        ([OWN.to_jwk() | {"kid": "k1", "iss": DID}], {"kid": "k1", "jwk": BAD_JWK}, BROUGHT),
        ([OWN.to_jwk() | {"kid": METHOD, "iss": DID}], {"kid": METHOD, "jwk": OTHER.to_jwk()}, BROUGHT),
    ],
)
def test_a_key_that_is_not_the_issuers_is_refused_with_the_reason(
    served: Any, header: Any, refused: tuple[str, str]
) -> None:
    keys = keys_of(documents=key_set(*served))
    assert refusal(lambda: keys.of_token(jws(**header))) == refused


@pytest.mark.parametrize(
    ("body", "detail"), [("[]", "not_an_object"), ({"keys": "x"}, "keys"), ({}, "keys"), ("{", "not_json")]
)  # fmt: skip
def test_an_invalid_key_set_is_reported(body: Any, detail: str) -> None:
    keys = keys_of(documents=CAMPUS.documents(**{JWKS_URL: body}))
    assert refusal(lambda: keys.of_token(jws(kid="k"))) == ("key_document_unreadable", detail)


def test_a_key_set_is_read_up_to_its_limit_with_its_own_accept_header() -> None:
    wanted: list[tuple[str, str]] = []

    class Noting(Documents):
        def fetch(self, url: str, *, accept: str = "") -> Any:
            wanted.append((url, accept))
            return super().fetch(url, accept=accept)

    listed = json.dumps({"keys": [OWN.to_jwk() | {"kid": "k", "iss": DID}]})
    for room, fits in ((64 * 1024, True), (64 * 1024 + 1, False)):
        keys = keys_of(documents=Noting({JWKS_URL: listed.ljust(room)}))
        if fits:
            assert keys.of_token(jws(kid="k")).key == OWN
        else:
            assert refusal(lambda: keys.of_token(jws(kid="k"))) == ("key_document_unreadable", "too_large")  # noqa: B023
    # For a key that was found, the DID document is asked whether it has ended.
    assert [url for url, _ in wanted] == [JWKS_URL, DID_URL, JWKS_URL]
    assert {accept for url, accept in wanted if url == JWKS_URL} == {
        "application/jwk-set+json, application/json;q=0.9"
    }


def test_an_issuer_alone_on_its_host_needs_no_owner_in_its_key_set() -> None:
    documents = key_set(OWN.to_jwk() | {"kid": "k"})
    assert keys_of(SITE, documents).of_token(jws(kid="k")).controller == SITE
    assert refusal(lambda: keys_of(DID, documents).of_token(jws(kid="k"))) == NO_SET
    with_port = Documents(
        {"https://a.example:8443/.well-known/jwks.json": {"keys": [OWN.to_jwk() | {"kid": "k"}]}}
    )
    assert keys_of("https://a.example:8443/x", with_port).of_token(jws(kid="k")).key == OWN


def signature_answers(presented: str, documents: Documents | None = None) -> Any:
    """The two answers about a signature, in full."""
    findings = signature(
        secured_from_text(presented),
        DID,
        documents=documents or CAMPUS.documents(),
        at=NOON,
        policy=Policy(),
    )
    answers = (findings.proof, findings.key)
    return [(answer.reason, dict(answer.details)) for answer in answers]


EMBEDDED_TEXT = SIGNED.embedded.decode()
OPEN = ("key_not_at_hand", {})
NOT_ASKED = ("not_reached", {"because": "proof"})


def did_document(**changed: Any) -> Documents:
    document = json.loads(json.dumps(CAMPUS.did_document))
    for method in document["verificationMethod"]:
        method |= changed
    return CAMPUS.documents(**{DID_URL: document})


@pytest.mark.parametrize("presented", [EMBEDDED_TEXT, SIGNED.token])
@pytest.mark.parametrize(
    ("documents", "key"),
    [
        (CAMPUS.documents().without(DID_URL),
         ("key_document_unavailable", {"url": DID_URL, "cause": "not_found"})),
        (CAMPUS.documents(**{DID_URL: "[]"}), ("key_document_unreadable", {"cause": "not_an_object"})),
    ],
)  # fmt: skip
def test_a_key_out_of_reach_is_reported_with_its_address(
    presented: str, documents: Documents, key: Any
) -> None:
    assert signature_answers(presented, documents) == [OPEN, key]


def test_a_valid_signature_is_reported_with_the_method_of_its_key() -> None:
    holds = [("signature_holds", {}), ("key_bound", {"method": CAMPUS.signer.verification_method})]
    assert signature_answers(EMBEDDED_TEXT) == holds
    assert signature_answers(SIGNED.token) == [holds[0], ("key_bound", {"method": METHOD})]
    stranger = f"did:key:{OTHER.to_multikey()}#{OTHER.to_multikey()}"
    foreign = add_proof(badge_document(), signer=Signer(stranger, FORGER.key), created=NOON)
    not_bound = ("key_not_bound_to_issuer", {"method": stranger})
    assert signature_answers(json.dumps(foreign)) == [holds[0], not_bound]
    beside = add_proof(foreign, signer=CAMPUS.signer, created=NOON)
    assert signature_answers(json.dumps(beside)) == holds


@pytest.mark.parametrize(
    ("presented", "proof"),
    [
        (json.dumps(badge_document()), ("no_proof", {"cause": ""})),
        (json.dumps(EMBEDDED | {"name": "x"}), ("signature_mismatch", {"cause": ""})),
        (with_proof(cryptosuite="x"), ("proof_not_read", {"cause": "x"})),
        (with_proof(proofPurpose="x"), ("proof_purpose", {"cause": "x"})),
        (json.dumps(resigned() | {"id": "pas une adresse"}),
         ("data_not_signed", {"cause": "relative_iri", "pointer": "/id"})),
        (token({"alg": "none"}), ("algorithm_not_allowed", {"cause": "none"})),
        (token({"crit": ["x"]}), ("header_not_allowed", {"cause": "crit"})),
        (token(signature=b"x" * 64), ("signature_mismatch", {"cause": ""})),
    ],
)  # fmt: skip
def test_an_invalid_signature_is_reported_with_its_cause(presented: str, proof: Any) -> None:
    assert signature_answers(presented) == [proof, NOT_ASKED]


@pytest.mark.parametrize(
    "pointer", ["/motInconnu", "/issuer/motInconnu", "/credentialSubject/achievement/alignment/1/motInconnu"]
)
def test_a_term_that_is_defined_nowhere_is_reported_beside_what_was_signed(pointer: str) -> None:
    """It may have been added before or after the signature: the rest is as it was signed."""
    document = json.loads(json.dumps(EMBEDDED))
    owner: Any = document
    for part in pointer.split("/")[1:-1]:
        owner = owner[int(part) if part.isdecimal() else part]
    owner["motInconnu"] = {"a": ["x"]}
    undefined = ("undefined_term", {"cause": "undefined_term", "pointer": pointer})
    holds = ("key_bound", {"method": CAMPUS.signer.verification_method})
    assert signature_answers(json.dumps(document)) == [undefined, holds]
    assert signature_answers(json.dumps(document), Documents())[1][0] == "key_document_unavailable"
    assert signature_answers(json.dumps(document | {"name": "x"})) == [undefined, NOT_ASKED]


def test_a_header_is_refused_before_any_key_is_fetched() -> None:
    documents = CAMPUS.documents()
    assert signature_answers(token({"crit": ["x"]}), documents)[0][0] == "header_not_allowed"
    assert documents.asked == []


def test_indistinguishable_nodes_leave_the_question_open() -> None:
    level: dict[str, Any] = {"type": ["Profile"], "name": "x"}
    for _ in range(8):
        level = {"type": ["Profile"], "name": "x", "parentOrg": [level, copy.deepcopy(level)]}
    alike = EMBEDDED | {"issuer": EMBEDDED["issuer"] | {"parentOrg": level}}
    assert signature_answers(json.dumps(alike)) == [("too_hard", {}), NOT_ASKED]


def test_a_number_without_a_canonical_form_is_refused() -> None:
    written = json.loads(with_proof(cryptosuite="eddsa-jcs-2022")) | {"grade": 2**70}
    (reason, details), key = signature_answers(json.dumps(written))
    assert (reason, key) == ("proof_malformed", NOT_ASKED)
    assert details["cause"].startswith("not_canonicalizable at the whole input")


def test_a_key_of_an_unsupported_kind_leaves_the_question_open() -> None:
    broken = did_document(publicKeyMultibase="z6Mk")
    assert signature_answers(EMBEDDED_TEXT, broken) == [
        OPEN,
        ("key_method_not_read", {"cause": "unsupported_key"}),
    ]


def test_a_withdrawn_key_is_found_only_on_request() -> None:
    documents = did_document(revoked="2026-06-29T00:00:00Z")
    assert refusal(lambda: keys_of(documents=documents).key_for(METHOD)) == ("key_revoked", "")
    keys = IssuerKeys(DID, documents, NOON, withdrawn=True)
    assert keys.key_for(METHOD) == OWN
    assert keys.resolved[METHOD].revoked_at == datetime(2026, 6, 29, tzinfo=UTC)


@pytest.mark.parametrize(("hours", "reason"), [(1, "signature_holds"), (0, "proof_from_the_future")])
def test_a_proof_may_be_as_far_in_the_future_as_the_clock_skew_of_the_policy(hours: int, reason: str) -> None:
    policy = Policy(clock_skew=timedelta(hours=hours))
    late = add_proof(badge_document(), signer=CAMPUS.signer, created=NOON + timedelta(hours=1))
    older = badge_document() | {"endorsementJwt": ["eyJ.e30.AA"], "proof": late["proof"]}
    for presented in (late, older):
        findings = signature(
            secured_from_text(json.dumps(presented)),
            DID,
            documents=CAMPUS.documents(),
            at=NOON,
            policy=policy,
        )
        assert findings.proof.reason == reason
    assert findings.not_covered == (frozenset({"endorsementJwt"}) if hours else frozenset())


def test_the_cause_of_a_refusal_is_cut_to_three_hundred_characters() -> None:
    host = ".".join(["a" * 60] * 5)
    document = badge_document() | {"issuer": badge_document()["issuer"] | {"id": f"https://{host}/1"}}
    url = f"https://{host}/.well-known/jwks.json"
    findings = signature(
        secured_from_text(token({"kid": "k"})),
        document["issuer"]["id"],
        documents=Documents({url: {"keys": []}}),
        at=NOON,
        policy=Policy(),
    )
    assert (findings.key.reason, findings.key.details) == ("key_not_bound_to_issuer", {"cause": url[:300]})
    assert len(url) > 300


def test_a_claim_that_disagrees_is_named() -> None:
    read = secured_from_text(token(claims={"jti": "x", "sub": ...})).jws
    assert read is not None
    answer = claims(read)
    assert answer is not None
    assert (answer.reason, answer.details) == ("claim_missing", {"claim": "sub"})
    agreeing = secured_from_text(SIGNED.token).jws
    assert agreeing is not None
    assert claims(agreeing) is None


def test_an_unreachable_document_reports_its_cause() -> None:
    class Slow(Documents):
        def fetch(self, url: str, *, accept: str = "application/json") -> Any:
            raise DocumentUnavailable(url, "timed_out")

    assert signature_answers(SIGNED.token, Slow()) == [
        OPEN,
        ("key_document_unavailable", {"url": DID_URL, "cause": "timed_out"}),
    ]
