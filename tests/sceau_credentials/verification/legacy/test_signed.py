"""Signed badges of Open Badges 2.0 and 1.x: a key linked from the issuer's profile, and its revocation list."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from sceau_credentials import Algorithm, LocalSigningKey, Policy, Report, Verdict, verify
from sceau_credentials.verification.report import CheckId
from tests.sceau_credentials.verification.legacy.older_issuer import (
    ASSERTION,
    CLASS,
    ISSUER,
    KEY,
    NOON,
    REVOCATIONS,
    SITE,
    V1,
    assertion,
    badge_class,
    issuer,
    jws,
    key_document,
    pem_of,
    published,
    revocations,
    signed_assertion,
)
from tests.support.running.every import for_each

STRANGER = LocalSigningKey.generate(Algorithm.RS256)
UUID = signed_assertion()["id"]


def check(token: str, **changes: Any) -> Report:
    return verify(token, documents=published(**changes), at=NOON)


def test_a_signed_badge_may_fetch_four_documents_and_no_fifth() -> None:
    documents = published()
    assert verify(jws(signed_assertion()), documents=documents, at=NOON).verdict is Verdict.VALID
    assert documents.asked == [CLASS, ISSUER, KEY, REVOCATIONS]


def test_a_fifth_document_is_never_fetched() -> None:
    """T49: a profile that lists another key first exhausts the limit before the revocation list, and this is reported."""
    other = f"{SITE}/other-key"
    documents = published(issuer=issuer(publicKey=[other, KEY])).with_({other: {"id": other}})
    token = jws(signed_assertion() | {"verification": {"type": "SignedBadge"}})
    report = verify(token, documents=documents, at=NOON)
    status = report.check(CheckId.STATUS)
    assert report.verdict is Verdict.UNDETERMINED
    assert (status.reason, status.details["cause"]) == ("status_list_unavailable", "too_many_fetches")
    assert documents.asked == [CLASS, ISSUER, other, KEY]


def test_any_other_badge_may_fetch_three_documents() -> None:
    documents = published()
    policy = Policy(max_fetches=2)
    report = verify(json.dumps(assertion()), documents=documents, at=NOON, policy=policy)
    assert report.verdict is Verdict.UNDETERMINED
    assert documents.asked == [ASSERTION, CLASS]


def test_a_key_inside_the_issuers_profile_leaves_the_third_fetch_for_the_list() -> None:
    documents = published(issuer=issuer(publicKey=key_document()), key=None)
    report = verify(jws(signed_assertion()), documents=documents, at=NOON)
    assert report.verdict is Verdict.VALID
    assert len(documents.asked) == 3


def reason(report: Report, question: str) -> str:
    return report.check(CheckId(question)).reason


def test_a_signed_badge_is_valid_under_the_key_that_its_issuer_links() -> None:
    """H-006"""
    report = check(jws(signed_assertion()))
    assert report.verdict is Verdict.VALID
    assert (reason(report, "proof"), reason(report, "key"), reason(report, "status")) == (
        "signature_holds",
        "key_bound",
        "not_revoked",
    )
    assert (report.container, report.form, report.verification_method) == ("jwt", "open_badges_2", KEY)
    assert report.document is not None
    assert report.document["badge"]["name"] == badge_class()["name"]


@for_each(
    ("changes", "question", "expected", "verdict"),
    [
        ({"issuer": issuer(publicKey=f"{SITE}/autre")}, "key", "key_not_bound_to_issuer", Verdict.INVALID),
        ({"issuer": {k: v for k, v in issuer().items() if k != "publicKey"}}, "key", "key_not_bound_to_issuer",
         Verdict.INVALID),
        ({"key": key_document(owner="https://autre.example/")}, "key", "key_not_bound_to_issuer", Verdict.INVALID),
        ({"key": key_document(id=f"{SITE}/autre")}, "key", "key_not_bound_to_issuer", Verdict.INVALID),
        ({"key": key_document(publicKeyPem=pem_of(STRANGER))}, "proof", "signature_mismatch", Verdict.INVALID),
        ({"key": key_document(publicKeyPem="-----BEGIN")}, "key", "key_document_malformed", Verdict.INVALID),
        ({"key": key_document(publicKeyPem="é" * 9000)}, "key", "key_document_malformed", Verdict.INVALID),
        ({"key": "pas du JSON"}, "key", "key_document_unreadable", Verdict.UNDETERMINED),
        ({"key": None}, "key", "key_document_unavailable", Verdict.UNDETERMINED),
        ({"issuer": None}, "issuer", "issuer_profile_unavailable", Verdict.UNDETERMINED),
        ({"badge_class": None}, "schema", "badge_class_unavailable", Verdict.UNDETERMINED),
        ({"revocations": None}, "status", "status_list_unavailable", Verdict.UNDETERMINED),
        ({"revocations": "nichts"}, "status", "status_list_malformed", Verdict.UNDETERMINED),
        ({"revocations": revocations(issuer="https://autre.example/")}, "status", "status_list_of_another_issuer",
         Verdict.UNDETERMINED),
        ({"revocations": {"@context": "x", "type": "RevocationList"}}, "status", "status_list_malformed",
         Verdict.UNDETERMINED),
    ],
)  # fmt: skip
def test_each_fault_of_a_signed_badge_has_a_name(
    changes: dict[str, Any], question: str, expected: str, verdict: Verdict
) -> None:
    report = check(jws(signed_assertion()), **changes)
    assert (reason(report, question), report.verdict) == (expected, verdict)


@pytest.mark.parametrize("entry", [UUID, {"id": UUID, "revocationReason": "erreur"}, {"uid": "a1"}])
def test_each_way_to_name_a_withdrawn_badge_withdraws_it(entry: Any) -> None:
    """H-006: `id`, the `uid` of 1.0, or a bare string."""
    report = check(jws(signed_assertion(uid="a1")), revocations=revocations("urn:uuid:other", entry))
    assert (reason(report, "status"), report.verdict) == ("revoked", Verdict.INVALID)


def test_an_issuer_without_a_list_cannot_withdraw_and_this_is_reported() -> None:
    plain = {name: value for name, value in issuer().items() if name != "revocationList"}
    report = check(jws(signed_assertion()), issuer=plain)
    assert (reason(report, "status"), report.verdict) == ("no_status_entry", Verdict.VALID)


def test_one_changed_letter_breaks_the_signature() -> None:
    head, _, signature = jws(signed_assertion()).split(".")
    body = jws(signed_assertion(issuedOn="2026-06-02T09:00:00Z")).split(".")[1]
    report = check(f"{head}.{body}.{signature}")
    assert (reason(report, "proof"), report.verdict) == ("signature_mismatch", Verdict.INVALID)
    assert report.document is None


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256"}, {"jku": f"{SITE}/jwks"}])
def test_headers_that_lead_elsewhere_are_refused(header: dict[str, Any]) -> None:
    assert check(jws(signed_assertion(), **header)).verdict is Verdict.INVALID


def test_a_key_inside_the_badge_is_not_the_issuers() -> None:
    report = check(jws(signed_assertion(), STRANGER, jwk=STRANGER.public.to_jwk()))
    assert (reason(report, "proof"), report.verdict) == ("signature_mismatch", Verdict.INVALID)


def test_the_issuer_is_the_one_of_the_class_not_of_the_copy_inside_the_badge() -> None:
    """H-007: a stranger may sign that they award the badge class of another issuer."""
    mine = "https://faussaire.example"
    profile = issuer(id=f"{mine}/me", url=mine, publicKey=f"{mine}/key")
    pages = published().with_(
        {
            f"{mine}/me": profile,
            f"{mine}/key": key_document(id=f"{mine}/key", owner=f"{mine}/me", publicKeyPem=pem_of(STRANGER)),
        }
    )
    stolen = signed_assertion(badge=badge_class(issuer=profile)) | {
        "verification": {"type": "SignedBadge", "creator": f"{mine}/key"}
    }
    report = verify(jws(stolen, STRANGER), documents=pages, at=NOON)
    assert report.issuer == ISSUER
    assert (reason(report, "key"), report.verdict) == ("key_not_bound_to_issuer", Verdict.INVALID)


def test_several_linked_keys_are_tried_where_the_badge_names_none() -> None:
    keys = [key_document(id=f"{SITE}/old", publicKeyPem=pem_of(STRANGER)), key_document()]
    unnamed = signed_assertion() | {"verification": {"type": "SignedBadge"}}
    assert check(jws(unnamed), issuer=issuer(publicKey=keys)).verdict is Verdict.VALID


def test_a_badge_declared_as_signed_without_a_signature_is_invalid() -> None:
    report = check(json.dumps(signed_assertion()))
    assert (reason(report, "proof"), report.verdict) == ("no_proof", Verdict.INVALID)


def test_a_hosted_badge_inside_a_signature_is_still_fetched_at_its_address() -> None:
    report = check(jws(assertion(), STRANGER))
    assert (reason(report, "proof"), report.verdict) == ("hosted", Verdict.VALID)


def test_dates_of_a_signed_badge_are_enforced() -> None:
    late = verify(jws(signed_assertion()), documents=published(), at=NOON + timedelta(days=400))
    assert (reason(late, "validity"), late.verdict) == ("expired", Verdict.INVALID)


def badge_1_0(url: str) -> dict[str, Any]:
    body = {name: value for name, value in assertion().items() if name not in ("id", "verification")}
    return body | {"@context": V1, "uid": "a1", "verify": {"type": "signed", "url": url}}


@pytest.mark.parametrize(
    ("url", "expected"),
    [(f"{SITE}/key.pem", "key_bound"), ("https://faussaire.example/k", "key_not_bound_to_issuer")],
)
def test_a_1_x_key_is_accepted_on_its_issuers_site_only(url: str, expected: str) -> None:
    pages = published(revocations=json.dumps({"b2": "erreur"})).with_({url: pem_of(STRANGER)})
    report = verify(jws(badge_1_0(url), STRANGER), documents=pages, at=NOON)
    assert reason(report, "key") == expected
    assert report.verdict is (Verdict.VALID if expected == "key_bound" else Verdict.INVALID)


def test_a_1_x_list_names_what_it_withdraws_by_uid() -> None:
    url = f"{SITE}/key.pem"
    pages = published().with_({url: pem_of(STRANGER), REVOCATIONS: {"a1": "erreur"}})
    assert reason(verify(jws(badge_1_0(url), STRANGER), documents=pages, at=NOON), "status") == "revoked"
