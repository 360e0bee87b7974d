"""Hosted badges of Open Badges 2.0 and 1.x: only the documents of the issuer's site count (H-001 to H-008)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from sceau_credentials import Identity, Policy, Report, Verdict, verify
from sceau_credentials.values import NoDocuments
from sceau_credentials.verification.report import CheckId, Outcome
from tests.sceau_credentials.verification.legacy.older_issuer import (
    ASSERTION,
    CLASS,
    ISSUER,
    NOON,
    SITE,
    V1,
    Gone,
    assertion,
    badge_class,
    issuer,
    published,
)
from tests.support.badges.documents import Documents
from tests.support.running.every import for_each


def check(presented: Any, documents: Any = None, *, at: datetime = NOON, **policy: Any) -> Report:
    text = presented if isinstance(presented, str) else json.dumps(presented)
    return verify(text, documents=documents or published(), at=at, policy=Policy(**policy))


def reason(report: Report, question: str) -> str:
    return report.check(CheckId(question)).reason


def test_a_hosted_badge_is_valid_and_each_check_names_its_rules() -> None:
    report = check(assertion())
    assert report.verdict is Verdict.VALID
    assert {answer.id.value: answer.reason for answer in report.checks} == {
        "readable": "open_badge_2",
        "context": "context_known",
        "schema": "schema_conforms",
        "proof": "hosted",
        "key": "hosted_in_scope",
        "issuer": "issuer_identified",
        "validity": "in_force",
        "status": "still_hosted",
        "recipient": "recipient_not_asked",
    }
    assert report.form == "open_badges_2"
    assert report.issuer == ISSUER
    assert report.document is not None
    assert report.document["badge"]["issuer"]["name"] == "Atelier d'autrefois"


def test_only_the_address_of_the_presented_copy_is_used() -> None:
    """H-003: the texts of a forged copy appear nowhere in what was verified."""
    forged = assertion(recipient={"type": "email", "hashed": False, "identity": "faussaire@ailleurs.example"})
    report = check(forged | {"badge": f"{SITE}/classes/doctorat"})
    assert report.verdict is Verdict.VALID
    assert report.document is not None
    assert report.document["recipient"] == assertion()["recipient"]
    assert report.document["badge"]["name"] == badge_class()["name"]
    someone = check(forged, recipient=Identity("faussaire@ailleurs.example"))
    assert reason(someone, "recipient") == "recipient_differs"


def test_status_410_is_a_withdrawal() -> None:
    """H-005"""
    report = check(assertion(), Gone(published(), ASSERTION))
    assert report.verdict is Verdict.INVALID
    assert (reason(report, "proof"), reason(report, "status")) == ("hosted_no_more", "revoked")
    assert report.document is None


@pytest.mark.parametrize("body", [{"id": ASSERTION, "revoked": True}, assertion(revoked=True)])
def test_a_body_marked_as_revoked_is_a_withdrawal(body: dict[str, Any]) -> None:
    """H-005, complete or reduced to that one member."""
    report = check(assertion(), published(assertion=body))
    assert report.verdict is Verdict.INVALID
    assert reason(report, "status") == "revoked"


@pytest.mark.parametrize(
    ("missing", "question", "expected"),
    [
        ("assertion", "proof", "hosted_unavailable"),
        ("badge_class", "schema", "badge_class_unavailable"),
        ("issuer", "issuer", "issuer_profile_unavailable"),
    ],
)
def test_an_unreadable_answer_leaves_the_verdict_open(missing: str, question: str, expected: str) -> None:
    report = check(assertion(), published(**{missing: None}))
    assert report.verdict is Verdict.UNDETERMINED
    assert reason(report, question) == expected
    assert report.document is None


def test_without_a_network_the_verdict_on_a_hosted_badge_is_open() -> None:
    assert check(assertion(), NoDocuments()).verdict is Verdict.UNDETERMINED


ELSEWHERE = "https://badges.ancien.example.faussaire.example"


@for_each(
    ("scope", "address", "in_scope"),
    [
        (None, ASSERTION, True),
        (None, "https://faussaire.example/assertions/1", False),
        (None, f"{ELSEWHERE}/assertions/1", False),
        ({"startsWith": f"{SITE}/assertions/"}, ASSERTION, True),
        ({"startsWith": f"{SITE}/autres/"}, ASSERTION, False),
        ({"startsWith": ["https://a.example/", f"{SITE}/"]}, ASSERTION, True),
        ({"startsWith": SITE}, f"{ELSEWHERE}/assertions/1", False),
        ({"startsWith": f"{SITE}/assertions/"}, f"{SITE}/assertions/../public/1", False),
        ({"startsWith": f"{SITE}/assertions/"}, f"{SITE}/assertions/%2e%2e/public/1", False),
        ({"allowedOrigins": "hebergeur.example"}, "https://hebergeur.example/1", True),
        ({"allowedOrigins": "hebergeur.example"}, "https://sous.hebergeur.example/1", False),
        ({"allowedOrigins": "https://hebergeur.example"}, "https://hebergeur.example:8443/1", False),
        ({"allowedOrigins": ["hebergeur.example"]}, "https://hebergeur.example@faussaire.example/1", False),
        ({"startsWith": f"{SITE}/assertions/", "allowedOrigins": ["a.example"]}, ASSERTION, False),
        ({"startsWith": "not an address"}, ASSERTION, False),
    ],
)
def test_only_addresses_within_the_issuers_scope_are_accepted(
    scope: dict[str, Any] | None, address: str, in_scope: bool
) -> None:
    """H-004"""
    profile = issuer(verification=scope) if scope else issuer()
    documents = published(issuer=profile).with_({address: assertion(id=address)})
    report = check(assertion(id=address), documents)
    expected = "hosted_in_scope" if in_scope else "hosted_out_of_scope"
    assert reason(report, "key") == expected
    assert report.verdict is (Verdict.VALID if in_scope else Verdict.INVALID)
    assert (report.document is not None) is in_scope


def test_an_issuer_described_inside_the_badge_is_fetched_at_its_own_address() -> None:
    """H-004: otherwise the host of a badge could write there that the issuer allows it."""
    mine = "https://faussaire.example"
    permissive = issuer(verification={"allowedOrigins": "faussaire.example"})
    embedded = badge_class(id=f"{mine}/class", issuer=permissive)
    forged = assertion(id=f"{mine}/1", badge=embedded)
    documents = published().with_({f"{mine}/1": forged, f"{mine}/class": embedded})
    report = check(forged, documents)
    assert reason(report, "key") == "hosted_out_of_scope"
    assert report.verdict is Verdict.INVALID


@pytest.mark.parametrize(
    "retrieved",
    [
        assertion(id=f"{SITE}/assertions/2"),
        assertion(verification={"type": "SignedBadge"}),
    ],
)
def test_an_address_that_serves_another_document_proves_nothing(retrieved: Any) -> None:
    report = check(assertion(), published(assertion=retrieved))
    assert report.verdict is Verdict.INVALID
    assert reason(report, "proof") == "hosted_differs"


@for_each(
    ("page", "question", "expected"),
    [
        ("assertion", "proof", "hosted_unavailable"),
        ("badge_class", "schema", "badge_class_unavailable"),
        ("issuer", "issuer", "issuer_profile_unavailable"),
    ],
)
@for_each(
    "retrieved",
    ["<html>Bonjour</html>", "", "[1, 2]", '{"id": 1, "id": 2}', "{}", {"error": "x"}, {"message": "x"}],
)
def test_an_address_that_serves_an_error_page_leaves_the_verdict_open(
    retrieved: Any, page: str, question: str, expected: str
) -> None:
    report = check(assertion(), published(**{page: retrieved}))
    assert (report.verdict, reason(report, question)) == (Verdict.UNDETERMINED, expected)


@for_each(
    "spoilt",
    [
        {"assertion": {k: v for k, v in assertion().items() if k != member}}
        for member in ("recipient", "badge", "issuedOn", "verification", "type")
    ]
    + [
        {"badge_class": {k: v for k, v in badge_class().items() if k != member}}
        for member in ("id", "type", "name", "description", "image", "criteria", "issuer")
    ]
    + [
        {"issuer": {k: v for k, v in issuer().items() if k != member}}
        for member in ("id", "type", "name", "url", "email")
    ]
    + [
        {"assertion": assertion(recipient="zoe@ecole.example")},
        {"assertion": assertion(issuedOn="hier")},
        {"assertion": assertion(expires="demain")},
        {"badge_class": badge_class(id=f"{SITE}/classes/autre")},
        {"issuer": issuer(id="https://autre.example/issuer")},
        {"issuer": issuer(verification="startsWith")},
    ],
)
def test_members_required_in_each_document_are_required(spoilt: dict[str, Any]) -> None:
    """H-007: objects valid."""
    report = check(assertion(), published(**spoilt))
    assert report.verdict is Verdict.INVALID
    assert reason(report, "schema") == "schema_violation"
    assert report.document is None


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (NOON - timedelta(days=60), "not_yet_valid"),
        (NOON + timedelta(days=400), "expired"),
    ],
)
def test_the_dates_are_enforced(at: datetime, expected: str) -> None:
    """H-007"""
    report = check(assertion(), at=at)
    assert reason(report, "validity") == expected
    assert report.verdict is Verdict.INVALID


def test_expired_and_revoked_are_both_reported() -> None:
    report = check(assertion(), published(assertion=assertion(revoked=True)), at=NOON + timedelta(days=400))
    assert (reason(report, "validity"), reason(report, "status")) == ("expired", "revoked")


@pytest.mark.parametrize(
    ("written", "asked", "expected"),
    [
        ({"hashed": False, "identity": "zoe@ecole.example"}, "zoe@ecole.example", "recipient_matches"),
        ({"hashed": False, "identity": "zoe@ecole.example"}, "leo@ecole.example", "recipient_differs"),
        (
            {
                "hashed": True,
                "salt": "mer",
                "identity": "sha256$" + sha256(b"zoe@ecole.examplemer").hexdigest(),
            },
            "zoe@ecole.example",
            "recipient_matches",
        ),
        (
            {"hashed": True, "identity": "sha256$" + sha256(b"zoe@ecole.example").hexdigest()},
            "leo@ecole.example",
            "recipient_differs",
        ),
        ({"hashed": True, "identity": "rot13$mbr"}, "zoe@ecole.example", "recipient_differs"),
    ],
)
def test_the_recipient_is_compared_as_in_version_3(
    written: dict[str, Any], asked: str, expected: str
) -> None:
    """H-008"""
    body = assertion(recipient={"type": "email", **written})
    report = check(body, published(assertion=body), recipient=Identity(asked))
    assert reason(report, "recipient") == expected


def test_an_inline_context_is_refused() -> None:
    inline = assertion(**{"@context": ["https://w3id.org/openbadges/v2", {"badge": "https://x.example/b"}]})
    report = check(inline, published(assertion=inline))
    assert reason(report, "context") == "context_not_allowed"
    assert report.verdict is Verdict.INVALID


def test_no_more_documents_are_fetched_than_a_badge_has() -> None:
    documents = published()
    check(assertion(), documents)
    assert sorted(documents.asked) == sorted([ASSERTION, CLASS, ISSUER])


@pytest.mark.parametrize("address", ["http://169.254.169.254/", "file:///etc/passwd", "", "urn:uuid:1"])
def test_an_address_that_no_https_site_serves_is_never_in_scope(address: str) -> None:
    documents = published().with_({address: assertion(id=address)})
    assert check(assertion(id=address), documents).verdict is not Verdict.VALID


# --- 1.x


def assertion_1_1() -> dict[str, Any]:
    body = {name: value for name, value in assertion().items() if name != "verification"}
    return body | {"@context": V1, "uid": "a1", "verify": {"type": "hosted", "url": ASSERTION}}


def assertion_1_0() -> dict[str, Any]:
    return {
        "uid": "a1",
        "recipient": {"type": "email", "hashed": False, "identity": "zoe@ecole.example"},
        "badge": CLASS,
        "issuedOn": 1_780_000_000,
        "verify": {"type": "hosted", "url": ASSERTION},
    }


def pages_1_0(body: dict[str, Any]) -> Documents:
    plain_class = {k: v for k, v in badge_class().items() if k not in ("@context", "type", "id")}
    organisation = {"name": "Atelier d'autrefois", "url": SITE}
    return Documents({ASSERTION: body, CLASS: plain_class | {"criteria": f"{SITE}/c"}, ISSUER: organisation})


@pytest.mark.parametrize("body", [assertion_1_0(), assertion_1_1()])
def test_badges_of_1_x_are_read_by_their_own_shapes(body: dict[str, Any]) -> None:
    """H-002: `uid` and `verify`; days or seconds for a date."""
    report = check(body, pages_1_0(body))
    assert report.verdict is Verdict.VALID
    assert report.form == "open_badges_1"
    assert reason(report, "readable") == "open_badge_1"


def test_a_1_0_badge_served_at_another_address_than_it_names_is_refused() -> None:
    body = assertion_1_0() | {"verify": {"type": "hosted", "url": f"{SITE}/assertions/2"}}
    report = check(assertion_1_0(), pages_1_0(body))
    assert reason(report, "proof") == "hosted_differs"


def test_every_question_has_an_answer_whatever_happened() -> None:
    for documents in (published(), NoDocuments(), Gone(published(), ASSERTION), published(issuer=None)):
        report = check(assertion(), documents)
        assert [answer.id for answer in report.checks] == list(CheckId)
        assert all(answer.outcome in Outcome for answer in report.checks)


def on(site: str, document: Any) -> Any:
    return json.loads(json.dumps(document).replace(SITE, site))


@pytest.mark.parametrize(
    ("site", "verdict"),
    [
        ("http://localhost:8000", Verdict.VALID),
        ("http://127.0.0.1:8000", Verdict.VALID),
        ("http://ancien.example", Verdict.INVALID),
        ("http://localhost.evil.example", Verdict.INVALID),
        ("http://x@localhost:8000", Verdict.INVALID),
    ],
)
def test_http_is_accepted_only_for_an_issuer_on_this_machine(site: str, verdict: Verdict) -> None:
    """So that a service on localhost verifies the badges it published there."""
    held = {
        url.replace(SITE, site): on(site, page) if isinstance(page, dict) else page
        for url, page in published().held.items()
    }
    report = check(on(site, assertion()), Documents(held))
    assert report.verdict is verdict


def test_two_ports_of_this_machine_are_two_issuers() -> None:
    site, other = "http://localhost:8000", "http://localhost:9000"
    held = {
        url.replace(SITE, site): on(site, page) if isinstance(page, dict) else page
        for url, page in published().held.items()
    }
    elsewhere = on(site, assertion()) | {"id": f"{other}/assertions/1"}
    report = check(elsewhere, Documents(held | {elsewhere["id"]: elsewhere}))
    assert reason(report, "key") == "hosted_out_of_scope"
