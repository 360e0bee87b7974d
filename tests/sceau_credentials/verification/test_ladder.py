"""Full verification of one badge, in both forms and every container."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from sceau_credentials import bake_png, bake_svg
from sceau_credentials.issuing import SignedCredential
from sceau_credentials.keys import Algorithm
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.proofs.vc_jwt import sign_jwt
from sceau_credentials.values import NoDocuments
from sceau_credentials.verification.answers import Identity, Policy
from sceau_credentials.verification.report import CheckId, Outcome, Verdict
from sceau_credentials.verification.run_checks import verify
from tests.sceau_credentials.verification.reports import outcome, reasons
from tests.support.badges.credentials import (
    DID_URL,
    LIST_INDEX,
    LIST_URL,
    NOON,
    Campus,
    badge_document,
    without_status,
)
from tests.support.badges.pictures import PNG, SVG
from tests.support.running.every import for_each

FORMS = ["embedded", "token"]


@pytest.mark.parametrize("form", FORMS)
def test_a_genuine_badge_is_valid_and_every_check_gives_its_reason(
    form: str, campus: Campus, signed: SignedCredential
) -> None:
    report = verify(getattr(signed, form), documents=campus.documents(), at=NOON)
    assert report.verdict is Verdict.VALID
    assert reasons(report) == {
        "readable": "readable",
        "context": "context_known",
        "schema": "schema_conforms",
        "proof": "signature_holds",
        "key": "key_bound",
        "issuer": "issuer_identified",
        "validity": "in_force",
        "status": "not_revoked",
        "recipient": "recipient_not_asked",
    }
    assert report.document == badge_document()
    assert report.issuer == campus.did
    assert report.key == campus.key.public.to_jwk()
    assert report.check(CheckId.ISSUER).details == {"domain": "badges.example"}


@pytest.mark.parametrize("algorithm", [Algorithm.ES256, Algorithm.ES384, Algorithm.RS256])
def test_a_token_may_be_signed_with_any_algorithm_the_standard_names(algorithm: Algorithm) -> None:
    campus = Campus(jwt_algorithm=algorithm)
    assert verify(campus.issue().token, documents=campus.documents(), at=NOON).verdict is Verdict.VALID


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("wrapping", ["bytes", "spaces", "byte order mark", "png", "svg", "svg as text"])
def test_the_answer_is_the_same_in_any_container(
    wrapping: str, form: str, campus: Campus, signed: SignedCredential
) -> None:
    held = getattr(signed, form)
    text = held if isinstance(held, str) else held.decode()
    presented: bytes | str = {
        "bytes": text.encode(),
        "spaces": f"\n\t {text} \r\n",
        "byte order mark": b"\xef\xbb\xbf" + text.encode(),
        "png": bake_png(PNG, text),
        "svg": bake_svg(SVG, text),
        "svg as text": bake_svg(SVG, text).decode(),
    }[wrapping]
    report = verify(presented, documents=campus.documents(), at=NOON)
    assert report.verdict is Verdict.VALID
    assert report.form == {"embedded": "data_integrity", "token": "vc_jwt"}[form]
    bare = {"embedded": "json", "token": "jwt"}[form]
    assert report.container == {"png": "png", "svg": "svg", "svg as text": "svg"}.get(wrapping, bare)


@pytest.mark.parametrize("form", FORMS)
def test_forged_outage_and_garbage_are_distinguished(
    form: str, campus: Campus, signed: SignedCredential
) -> None:
    stranger = Campus().did_document
    presented = getattr(signed, form)
    forged = verify(presented, documents=campus.documents(**{DID_URL: stranger}), at=NOON)
    outage = verify(presented, documents=NoDocuments(), at=NOON)
    garbage = verify("un badge, promis", documents=campus.documents(), at=NOON)
    assert (forged.verdict, reasons(forged)["key"]) == (Verdict.INVALID, "key_not_found")
    assert (outage.verdict, reasons(outage)["key"]) == (Verdict.UNDETERMINED, "key_document_unavailable")
    assert (garbage.verdict, reasons(garbage)["readable"]) == (Verdict.UNDETERMINED, "unrecognised_format")


@pytest.mark.parametrize("form", FORMS)
def test_expired_and_revoked_are_both_reported_beside_a_signature_that_holds(form: str) -> None:
    campus = Campus(revoked={LIST_INDEX})
    later = NOON + timedelta(days=4 * 365)
    documents = campus.documents(**{LIST_URL: campus.status_list(at=later)})
    report = verify(getattr(campus.issue(), form), documents=documents, at=later)
    assert report.verdict is Verdict.INVALID
    assert outcome(report, CheckId.PROOF) is Outcome.PASSED
    assert (reasons(report)["validity"], reasons(report)["status"]) == ("expired", "revoked")
    assert report.document == badge_document()


@pytest.mark.parametrize("form", FORMS)
def test_a_badge_before_its_start_is_not_yet_valid(
    form: str, campus: Campus, signed: SignedCredential
) -> None:
    before = NOON - timedelta(minutes=6)
    documents = campus.documents(**{LIST_URL: campus.status_list(at=before)})
    report = verify(getattr(signed, form), documents=documents, at=before)
    assert reasons(report)["validity"] == "not_yet_valid"


@pytest.mark.parametrize("form", FORMS)
def test_a_clock_a_little_behind_does_not_make_a_badge_too_young(
    form: str, campus: Campus, signed: SignedCredential
) -> None:
    at = NOON - timedelta(minutes=4)
    assert verify(getattr(signed, form), documents=campus.documents(), at=at).verdict is Verdict.VALID


@pytest.mark.parametrize("form", FORMS)
def test_an_unreachable_status_list_leaves_the_verdict_open(
    form: str, campus: Campus, signed: SignedCredential
) -> None:
    report = verify(getattr(signed, form), documents=campus.documents().without(LIST_URL), at=NOON)
    assert report.verdict is Verdict.UNDETERMINED
    assert reasons(report)["status"] == "status_list_unavailable"
    assert outcome(report, CheckId.PROOF) is Outcome.PASSED


def test_without_a_status_check_a_badge_is_never_valid(campus: Campus, signed: SignedCredential) -> None:
    policy = Policy(check_status=False)
    report = verify(signed.token, documents=campus.documents(), at=NOON, policy=policy)
    assert (report.verdict, reasons(report)["status"]) == (Verdict.UNDETERMINED, "status_left_out")


@pytest.mark.parametrize("form", FORMS)
def test_a_badge_that_cannot_be_withdrawn_may_still_be_valid(form: str, campus: Campus) -> None:
    report = verify(getattr(campus.issue(without_status()), form), documents=campus.documents(), at=NOON)
    assert (report.verdict, reasons(report)["status"]) == (Verdict.VALID, "no_status_entry")


@pytest.mark.parametrize("form", FORMS)
def test_the_document_is_returned_only_if_its_signature_is_valid(
    form: str, campus: Campus, signed: SignedCredential
) -> None:
    """B-055"""
    for documents in (NoDocuments(), campus.documents(**{DID_URL: Campus().did_document})):
        report = verify(getattr(signed, form), documents=documents, at=NOON)
        assert report.document is None
        assert report.presented is not None
        assert outcome(report, CheckId.STATUS) is Outcome.SKIPPED


@pytest.mark.parametrize("form", FORMS)
def test_at_most_three_documents_are_fetched_and_two_suffice(
    form: str, campus: Campus, signed: SignedCredential
) -> None:
    documents = campus.documents()
    verify(getattr(signed, form), documents=documents, at=NOON)
    assert documents.asked == [DID_URL, LIST_URL]


def test_of_the_links_of_a_badge_only_key_and_status_are_fetched(campus: Campus) -> None:
    """C-026, T49: schema, refresh service, terms, evidence and pictures are never fetched."""
    elsewhere = "https://trap.example"
    document = badge_document() | {
        "credentialStatus": [
            badge_document()["credentialStatus"]
            | {"id": f"{elsewhere}#{n}", "statusListCredential": f"{elsewhere}/{n}"}
            for n in range(9)
        ],
        "termsOfUse": [{"type": "https://trap.example/Terms", "id": f"{elsewhere}/terms"}],
        "image": {"id": f"{elsewhere}/image.png", "type": "Image"},
    }
    token = sign_jwt(document, signer=campus.jwt_signer)
    documents = campus.documents()
    report = verify(token, documents=documents, at=NOON)
    assert report.verdict is not Verdict.VALID
    assert documents.asked == [DID_URL, f"{elsewhere}/0", f"{elsewhere}/1"]


@for_each(
    "garbage",
    [
        "",
        "   ",
        "{",
        "[]",
        "42",
        "null",
        '"text"',
        "e30.e30.",
        "eyJhbGciOiJub25lIn0.e30.",
        "a.b.c",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0 jpeg",
        b"<svg",
        b"<html></html>",
        b"\x00" * 100,
        "https://badges.example/attributions/1",
        '{"@context": ["https://w3id.org/openbadges/v2"], "type": "Assertion", "id": "https://a.example"}',
        '{"type": ["OpenBadgeCredential"]}',
        '{"type": ["VerifiableCredential", "OpenBadgeCredential"], "issuer": "did:web:127.0.0.1"}',
    ],
)
def test_nothing_is_fetched_for_an_input_that_is_not_a_badge(garbage: bytes | str, campus: Campus) -> None:
    documents = campus.documents()
    report = verify(garbage, documents=documents, at=NOON)
    assert report.verdict is not Verdict.VALID
    assert [answer.id for answer in report.checks] == list(CheckId)
    assert documents.asked == []


@pytest.mark.parametrize(
    ("presented", "reason", "verdict"),
    [
        ("https://badges.example/a", "presented_is_url", Verdict.UNDETERMINED),
        (
            '{"@context":"https://w3id.org/openbadges/v2","type":"Assertion"}',
            "open_badge_2",
            Verdict.INVALID,
        ),
        (
            '{"@context":"https://w3id.org/openbadges/v1","type":"Assertion"}',
            "open_badge_1",
            Verdict.INVALID,
        ),
        (
            '{"uid":"1","recipient":"sha1$a","verify":{"url":"https://a.example"}}',
            "open_badge_1",
            Verdict.INVALID,
        ),
        (
            '{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"]}',
            "not_an_open_badge_3",
            Verdict.UNDETERMINED,
        ),
        ('{"nom":"Zoé"}', "not_an_open_badge_3", Verdict.UNDETERMINED),
        ("[]", "not_an_open_badge_3", Verdict.UNDETERMINED),
        (SVG, "image_without_badge", Verdict.UNDETERMINED),
        (PNG, "image_without_badge", Verdict.UNDETERMINED),
        (PNG[:60], "image_not_read", Verdict.UNDETERMINED),
        ('{"a":1,"a":2}', "malformed_json", Verdict.INVALID),
        ("eyJhbGciOiJFZERTQSJ9.e30=.AAAA", "malformed_jwt", Verdict.INVALID),
        ("[" * 200 + "]" * 200, "too_large", Verdict.UNDETERMINED),
        (f'{{"a":"{"x" * 600_000}"}}', "too_large", Verdict.UNDETERMINED),
    ],
)
def test_an_unsupported_format_is_named(presented: bytes | str, reason: str, verdict: Verdict) -> None:
    """C-001"""
    report = verify(presented, documents=NoDocuments(), at=NOON)
    assert (report.check(CheckId.READABLE).reason, report.verdict) == (reason, verdict)


def test_a_report_about_a_foreign_format_still_contains_the_parsed_input() -> None:
    assertion = {"@context": "https://w3id.org/openbadges/v2", "type": "Assertion", "issuedOn": "2019-01-01"}
    report = verify(json.dumps(assertion), documents=NoDocuments(), at=NOON)
    assert report.presented == assertion
    assert report.document is None


@pytest.mark.parametrize("form", FORMS)
def test_the_recipient_is_checked_against_the_name_in_the_badge(
    form: str, campus: Campus, signed: SignedCredential
) -> None:
    for value, expected in (
        ("Zoé Lefèvre-N'Diaye", ("recipient_matches", Verdict.VALID)),
        ("Zoe Lefevre", ("recipient_differs", Verdict.INVALID)),
    ):
        policy = Policy(recipient=Identity(value, type="name"))
        report = verify(getattr(signed, form), documents=campus.documents(), at=NOON, policy=policy)
        assert (reasons(report)["recipient"], report.verdict) == expected


def test_a_recipient_the_badge_does_not_name_leaves_the_verdict_open(
    campus: Campus, signed: SignedCredential
) -> None:
    policy = Policy(recipient=Identity("zoe@campus.example"))
    report = verify(signed.embedded, documents=campus.documents(), at=NOON, policy=policy)
    assert (reasons(report)["recipient"], report.verdict) == ("recipient_not_named", Verdict.UNDETERMINED)


def test_an_issuer_the_verifier_vouches_for_is_called_trusted(
    campus: Campus, signed: SignedCredential
) -> None:
    policy = Policy(trusted_issuers=frozenset({campus.did}))
    report = verify(signed.embedded, documents=campus.documents(), at=NOON, policy=policy)
    assert (reasons(report)["issuer"], report.verdict) == ("issuer_trusted", Verdict.VALID)


def test_the_time_of_verification_needs_a_time_zone(signed: SignedCredential) -> None:
    with pytest.raises(ValueError, match="timezone-aware"):
        verify(signed.token, documents=NoDocuments(), at=datetime(2026, 6, 30, 12))  # noqa: DTZ001


ENVELOPE = {"@context": ["https://www.w3.org/ns/credentials/v2"], "type": "EnvelopedVerifiableCredential"}


@pytest.mark.parametrize(
    "kind", ["application/vc+jwt", "application/vc+ld+jwt", "application/vc+jwt;charset=utf-8"]
)
@pytest.mark.parametrize("types", ["EnvelopedVerifiableCredential", ["EnvelopedVerifiableCredential"]])
def test_an_enveloped_credential_is_read_as_the_token_inside(
    kind: str, types: object, campus: Campus, signed: SignedCredential
) -> None:
    enveloped = ENVELOPE | {"type": types, "id": f"data:{kind},{signed.token}"}
    report = verify(json.dumps(enveloped), documents=campus.documents(), at=NOON)
    assert (report.verdict, report.form, report.container) == (Verdict.VALID, "vc_jwt", "json")
    assert report.document == badge_document()
    forged = ENVELOPE | {"id": f"data:{kind},{signed.token[:-8]}AAAAAAAA"}
    assert verify(json.dumps(forged), documents=campus.documents(), at=NOON).verdict is Verdict.INVALID


@pytest.mark.parametrize(
    "where", ["", None, 7, "data:text/plain,x", "https://a.example/1", "data:application/vc+jwt"]
)
def test_an_envelope_of_nothing_is_an_answer(where: object, campus: Campus) -> None:
    report = verify(json.dumps(ENVELOPE | {"id": where}), documents=campus.documents(), at=NOON)
    assert (report.verdict, reasons(report)["readable"]) == (Verdict.INVALID, "malformed_json")


@pytest.mark.parametrize(
    "beside",
    [
        {"name": "Directrice"},
        {"credentialSubject": {"id": "urn:x:1"}},
        {"type": ["EnvelopedVerifiableCredential", "OpenBadgeCredential"]},
        {**badge_document(), "type": ["EnvelopedVerifiableCredential", *badge_document()["type"]]},
    ],
)
def test_an_envelope_with_other_members_is_refused(
    beside: dict[str, object], campus: Campus, signed: SignedCredential
) -> None:
    enveloped = ENVELOPE | beside | {"id": f"data:application/vc+jwt,{signed.token}"}
    report = verify(json.dumps(enveloped), documents=campus.documents(), at=NOON)
    assert (report.verdict, reasons(report)["readable"]) == (Verdict.INVALID, "malformed_json")
    assert report.document is None


# --- several proofs


def test_one_good_proof_is_enough_when_the_other_cannot_be_read(campus: Campus) -> None:
    signed = json.loads(campus.issue().embedded)
    foreign = {
        "type": "SomeProofType",
        "verificationMethod": "https://elsewhere.example#1",
        "proofPurpose": "assertionMethod",
    }
    report = verify(
        json.dumps(signed | {"proof": [foreign, signed["proof"]]}), documents=campus.documents(), at=NOON
    )
    assert report.verdict is Verdict.VALID


def test_a_good_proof_beside_a_bad_one_is_not_enough(campus: Campus) -> None:
    signed = json.loads(campus.issue().embedded)
    bad = signed["proof"] | {
        "proofValue": json.loads(campus.issue(without_status()).embedded)["proof"]["proofValue"]
    }
    report = verify(
        json.dumps(signed | {"proof": [bad, signed["proof"]]}), documents=campus.documents(), at=NOON
    )
    assert (report.verdict, reasons(report)["proof"]) == (Verdict.INVALID, "signature_mismatch")


def test_a_badge_signed_in_both_forms_at_once_is_read_as_the_token(campus: Campus) -> None:
    """B-002: the embedded proof is part of the content of the token."""
    both = sign_jwt(add_proof(badge_document(), signer=campus.signer, created=NOON), signer=campus.jwt_signer)
    report = verify(both, documents=campus.documents(), at=NOON)
    assert (report.verdict, report.form) == (Verdict.VALID, "vc_jwt")
