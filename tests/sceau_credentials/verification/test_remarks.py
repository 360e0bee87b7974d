"""Remarks change no verdict but are reported, and each problem of a badge has its published identifier."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sceau_credentials.dids import did_key
from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer, encode_multibase
from sceau_credentials.proofs.data_integrity import add_proof, hash_rdfc, proof_options
from sceau_credentials.proofs.vc_jwt import sign_jwt
from sceau_credentials.verification import findings
from sceau_credentials.verification.answers import Policy
from sceau_credentials.verification.findings import Reason, RemarkCode, found
from sceau_credentials.verification.legacy import ADDED_WORDS, without_words
from sceau_credentials.verification.report import CheckId, Outcome, Report, Verdict
from sceau_credentials.verification.run_checks import verify
from tests.sceau_credentials.verification.legacy import older_issuer
from tests.support.badges.credentials import DID_URL, LIST_URL, NOON, badge_document
from tests.support.badges.forgery import CAMPUS, EMBEDDED, SIGNED, asked, resigned, token
from tests.support.shared_data import shared


def remarks_of(report: Report) -> dict[str, dict[str, str]]:
    return {remark.code.value: dict(remark.details) for remark in report.remarks}


def test_a_badge_that_we_issue_has_no_remarks() -> None:
    for presented in (SIGNED.embedded, SIGNED.token):
        assert asked(presented).remarks == ()


@pytest.mark.parametrize("kind", ["vc+jwt", "application/vc+jwt", "vc+ld+jwt"])
def test_a_token_of_another_type_is_read_with_a_remark(kind: str) -> None:
    """B-010, X-1."""
    report = asked(token({"typ": kind}))
    assert (report.verdict, remarks_of(report)) == (Verdict.VALID, {"token_type": {"type": kind}})


def test_unused_header_members_get_a_remark() -> None:
    """B-008, X-3: those that would change the reading are refused."""
    report = asked(token({"iat": 5, "x-made-with": "a library", "cty": "vc"}))
    assert report.verdict is Verdict.VALID
    assert remarks_of(report) == {"header_members": {"members": "iat, x-made-with"}}


def test_a_key_named_without_its_fragment_gets_a_remark() -> None:
    """B-051."""
    key = LocalSigningKey.generate(Algorithm.EDDSA)
    did = did_key(key.public)
    document = badge_document()
    document["issuer"] = document["issuer"] | {"id": did}
    del document["credentialStatus"]
    for method, expected in ((did, {"key_without_fragment": {}}), (f"{did}#{did[8:]}", {})):
        signed = add_proof(document, signer=Signer(method, key), created=NOON)
        report = asked(json.dumps(signed))
        assert (report.verdict, remarks_of(report)) == (Verdict.VALID, expected)


def test_an_unfollowed_refresh_service_and_an_optional_schema_get_remarks() -> None:
    """C-005, I-006: neither address is followed."""
    documents = CAMPUS.documents()
    extensions = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
    presented = sign_jwt(
        badge_document()
        | {
            "@context": [*badge_document()["@context"], extensions],
            "refreshService": {"id": "https://refresh.example/1", "type": "1EdTechCredentialRefresh"},
            "credentialSchema": [{"id": "https://schema.example/1", "type": "JsonSchemaValidator2019"}],
        },
        signer=CAMPUS.jwt_signer,
    )
    report = asked(presented, documents)
    assert report.verdict is Verdict.VALID
    assert remarks_of(report) == {
        "refresh_not_followed": {},
        "schema_not_checked": {"type": "JsonSchemaValidator2019"},
    }
    assert documents.asked == [DID_URL, LIST_URL]


ENDORSEMENT = "eyJhbGciOiJFZERTQSJ9.e30.AAAA"


def signed_under(words: frozenset[str], document: dict[str, Any]) -> dict[str, Any]:
    """As an issuer signed with an older copy of the context that lacks these terms, without noticing."""
    options = proof_options(CAMPUS.signer, NOON)
    value = encode_multibase(CAMPUS.key.sign(hash_rdfc(without_words(document, words), options)))
    return document | {"proof": options | {"proofValue": value}}


@pytest.mark.parametrize("words", ADDED_WORDS, ids=["november-2025", "april-2025"])
def test_a_badge_signed_under_an_earlier_context_is_read_without_uncovered_members(
    words: frozenset[str],
) -> None:
    """A-017, A-079, X-13."""
    document = badge_document() | {
        word: [ENDORSEMENT] if word == "endorsementJwt" else "urn:x:1" for word in words
    }
    report = asked(json.dumps(signed_under(words, document)))
    assert report.verdict is Verdict.VALID
    assert remarks_of(report) == {"older_context": {"members": ", ".join(sorted(words))}}
    assert report.document == badge_document()


def test_a_badge_that_was_signed_with_those_terms_retains_them() -> None:
    report = asked(json.dumps(resigned(endorsementJwt=[ENDORSEMENT])))
    assert (report.verdict, report.remarks) == (Verdict.VALID, ())
    assert report.document is not None
    assert "endorsementJwt" in report.document


def test_nothing_else_can_be_added_under_the_name_of_an_earlier_context() -> None:
    document = signed_under(ADDED_WORDS[0], badge_document() | {"endorsementJwt": [ENDORSEMENT]})
    for changed in ({"name": "Autre chose"}, {"grade": "A+"}, {"description": "ajout"}):
        assert asked(json.dumps(document | changed)).verdict is Verdict.INVALID


@pytest.mark.parametrize("suite", ["eddsa-jcs-2022"])
def test_a_signature_over_the_json_itself_always_covers_those_terms(suite: str) -> None:
    document = json.loads(json.dumps(EMBEDDED))
    document["proof"]["cryptosuite"] = suite
    report = asked(json.dumps(document | {"endorsementJwt": [ENDORSEMENT]}))
    assert (report.verdict, report.remarks) == (Verdict.INVALID, ())


def test_the_earlier_context_lacks_those_terms_and_nothing_else() -> None:
    """Therefore no copy of it is needed."""
    folder = "open-badges/contexts/ob/context-3.0.3"
    now = json.loads(shared(f"{folder}.json").read_text())
    then = json.loads(shared(f"{folder}.2025-04.json").read_text())
    for word in ADDED_WORDS[1]:
        assert word not in then["@context"]
        del now["@context"][word]
    assert now == then


PROBLEMS = [
    (SIGNED.embedded.replace(b"Robotique", b"Robotik"), findings.CRYPTOGRAPHIC),
    (b'{"a":1,"a":2}', findings.PARSING),
    (json.dumps(EMBEDDED | {"validFrom": "hier"}).encode(), findings.MALFORMED_VALUE),
    (json.dumps(EMBEDDED | {"grade": "A+"}).encode(), findings.DATA_LOSS),
    (json.dumps(EMBEDDED | {"proof": EMBEDDED["proof"] | {"proofPurpose": "x"}}).encode(), findings.PROOF_VERIFICATION),
]  # fmt: skip


@pytest.mark.parametrize(
    ("presented", "kind"), PROBLEMS, ids=[kind.partition("#")[2] for _, kind in PROBLEMS]
)
def test_a_problem_of_a_badge_has_the_identifier_of_its_specification(presented: bytes, kind: str) -> None:
    """C-017."""
    report = asked(presented)
    first = report.problems()[0]
    assert first["type"] == kind
    assert first["title"]
    assert report.to_document()["problems"] == list(report.problems())


@pytest.mark.parametrize(
    ("reason", "name"),
    [
        (Reason.STATUS_LIST_UNAVAILABLE, "status-list#STATUS_RETRIEVAL_ERROR"),
        (Reason.STATUS_LIST_NOT_AUTHENTIC, "status-list#STATUS_VERIFICATION_ERROR"),
        (Reason.STATUS_PURPOSE_DIFFERS, "status-list#STATUS_VERIFICATION_ERROR"),
        (Reason.STATUS_LIST_TOO_SHORT, "status-list#STATUS_LIST_LENGTH_ERROR"),
        (Reason.STATUS_INDEX_OUT_OF_RANGE, "vc-data-model#RANGE_ERROR"),
        (Reason.STATUS_ENTRY_MALFORMED, "vc-data-model#MALFORMED_VALUE_ERROR"),
        (Reason.KEY_REFERENCE_MALFORMED, "security#INVALID_VERIFICATION_METHOD_URL"),
        (Reason.KEY_NOT_FOUND, "security#INVALID_VERIFICATION_METHOD"),
        (Reason.KEY_NOT_FOR_ASSERTION, "security#INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"),
        (Reason.KEY_DOCUMENT_MALFORMED, "security#INVALID_CONTROLLED_IDENTIFIER_DOCUMENT"),
        (Reason.PERIOD_REVERSED, "vc-data-model#RANGE_ERROR"),
        (Reason.REVOKED, "about:blank"),
        (Reason.EXPIRED, "about:blank"),
    ],
)
def test_each_kind_of_problem_is_named_as_published(reason: Reason, name: str) -> None:
    """D-016, D-018, B-046, B-049."""
    problem = findings.problem_of(found(reason, url="https://a.example/x"))
    assert problem is not None
    assert str(problem["type"]).endswith(name)
    assert (problem["reason"], problem["detail"]) == (reason.value, "url: https://a.example/x")


def test_the_reasons_that_are_problems_are_those_that_are_not_good() -> None:
    for reason in Reason:
        if reason.check is not None:
            is_problem = findings.problem_of(found(reason)) is not None
            assert is_problem == (reason.outcome in (Outcome.FAILED, Outcome.UNKNOWN))


def test_several_problems_are_reported_together() -> None:
    """C-024."""
    over = sign_jwt(badge_document() | {"validUntil": "2026-06-30T12:00:00Z"}, signer=CAMPUS.jwt_signer)
    from_the_forge = asked(over.rpartition(".")[0] + "." + SIGNED.token.rpartition(".")[2])
    assert [problem["check"] for problem in from_the_forge.problems()][:1] == ["proof"]
    assert from_the_forge.check(CheckId.PROOF).reason == "signature_mismatch"


def test_every_remark_is_one_sentence_with_a_code() -> None:
    for code in RemarkCode:
        assert code.value == code.name.lower()
        assert code.meaning.endswith(".")


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        (("credentialSubject", "achievement", "id"), "javascript:alert(1)", "link_scheme"),
        (("credentialSubject", "achievement", "alignment", 0, "targetUrl"), "vbscript:x", "link_scheme"),
        (("issuer", "url"), "JavaScript:alert(1)", "link_scheme"),
        (("issuer", "image", "id"), "data:text/html,x", "link_scheme"),
        (("name",), "Robotique \u202etuot", "hidden_characters"),
        (("credentialSubject", "identifier", 0, "identityHash"), "Zo\u200bé", "hidden_characters"),
    ],
)
def test_unsafe_link_or_hidden_character_of_another_issuer_gets_a_remark(
    path: tuple[Any, ...], value: str, code: str
) -> None:
    document: Any = badge_document()
    owner: Any = document
    for part in path[:-1]:
        owner = owner[part]
    owner[path[-1]] = value
    for presented in (
        json.dumps(add_proof(document, signer=CAMPUS.signer, created=NOON)),
        token(claims=document),
    ):
        assert code in remarks_of(asked(presented))


def test_unsafe_link_of_an_older_badge_gets_a_remark() -> None:
    hosted = older_issuer.assertion(evidence="javascript:alert(1)")
    report = verify(json.dumps(hosted), documents=older_issuer.published(assertion=hosted), at=NOON)
    assert [each.code.value for each in report.remarks] == ["link_scheme"]


@given(
    st.sampled_from(["name", "id", "url", "evidence", "image"]),
    st.sampled_from(["issuer", "achievement", "credentialSubject", "document"]),
    st.one_of(
        st.text(st.sampled_from('a:/\\"jJs\b\f\x00\x1f\x7f\xad\u200b\u202e\u00a0é\U000e0041'), max_size=8),
        st.sampled_from(
            ["javascript:x", "JavaScript:x", "data:image/png,", "data:text/html,x", "https://x", "ftp:"]
        ),
    ),
    st.booleans(),
)
def test_searching_the_written_text_finds_no_less_than_a_walk(
    member: str, place: str, text: str, in_list: bool
) -> None:
    document: Any = badge_document()
    subject = document["credentialSubject"]
    owners = {"issuer": document["issuer"], "achievement": subject["achievement"], "document": document}
    owners.get(place, subject)[member] = ["https://x", text] if in_list else text
    found = list(findings.remarks_on_text(document))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(findings, "_is_harmless", lambda _document: False)
        assert found == list(findings.remarks_on_text(document))


def test_a_policy_may_omit_the_remarks() -> None:
    presented = token({"typ": "vc+jwt"})
    at_once = verify(presented, documents=CAMPUS.documents(), at=NOON, policy=Policy(remarks=False))
    in_full = verify(presented, documents=CAMPUS.documents(), at=NOON)
    assert (at_once.remarks, at_once.checks) == ((), in_full.checks)
    assert in_full.remarks
