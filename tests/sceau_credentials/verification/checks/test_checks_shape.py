"""Known contexts, in the right order, and documents of the right shape."""

from __future__ import annotations

from typing import Any

import pytest

from sceau_credentials.verification.answers import Policy
from sceau_credentials.verification.checks import context, domain_of, issuer, issuer_of, schema, validity
from tests.support.badges.credentials import NOON, badge_document
from tests.support.running.every import for_each

V2 = "https://www.w3.org/ns/credentials/v2"
OB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
EXTENSIONS = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"


@for_each(
    ("contexts", "reason"),
    [
        ([V2, OB], "context_known"),
        ([V2, OB, EXTENSIONS], "context_known"),
        ([V2, "https://purl.imsglobal.org/spec/ob/v3p0/context.json"], "context_known"),
        ([V2, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json"], "context_known"),
        ([V2, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json"], "context_known"),
        ([V2, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.9.json"], "context_not_held"),
        ([V2, OB, "https://campus.example/vocabulary.json"], "context_not_held"),
        ([OB, V2], "context_order"),
        ([V2, EXTENSIONS, OB], "context_order"),
        ([V2], "context_order"),
        ([OB], "context_order"),
        ([], "context_order"),
        (V2, "context_order"),
        (None, "context_order"),
        ([V2 + "/", OB], "context_order"),
        ([V2, OB.replace("https", "http")], "context_order"),
        ([V2, OB, {"name": "https://evil.example/#x"}], "context_not_allowed"),
        ([V2, OB, None], "context_not_allowed"),
        ([V2, OB, OB], "context_not_allowed"),
        ([V2, OB, "https://w3id.org/openbadges/v2"], "context_not_allowed"),
    ],
)
def test_the_contexts_are_those_of_the_standard_in_its_order(contexts: Any, reason: str) -> None:
    """A-011, A-012, A-014."""
    assert context(badge_document() | {"@context": contexts}).reason == reason


@pytest.mark.parametrize("beside", [[], ["a word"], [["another"]], [None]])
def test_a_context_hidden_in_a_list_or_object_is_found(beside: list[Any]) -> None:
    document = badge_document() | {"more": [*beside, {"@context": [V2]}]}
    answer = context(document)
    assert (answer.reason, answer.details["pointer"]) == ("context_not_allowed", f"/more/{len(beside)}")


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("id", None),
        ("id", "not a url"),
        ("issuer", 5),
        ("issuer", {"id": "did:web:a.example"}),
        ("validFrom", "yesterday"),
        ("validFrom", "2026-06-30T12:00:00"),
        ("credentialSubject", {}),
        ("credentialSubject", {"type": ["AchievementSubject"], "achievement": "https://a.example"}),
        ("type", ["OpenBadgeCredential"]),
        ("evidence", [{"id": "https://a.example"}]),
        ("credentialStatus", {"id": "https://a.example"}),
    ],
)
def test_members_required_by_the_standard_are_required(member: str, value: Any) -> None:
    """C-003, C-016; simple-err-issuer, simple-err-*-type and their like of the public validator."""
    assert schema(badge_document() | {member: value}).reason == "schema_violation"


@pytest.mark.parametrize("member", ["id", "issuer", "validFrom", "credentialSubject", "type"])
def test_no_required_member_may_be_missing(member: str) -> None:
    document = {name: value for name, value in badge_document().items() if name != member}
    assert schema(document).reason == "schema_violation"


def test_an_unavailable_mandatory_schema_leaves_the_question_open() -> None:
    """C-002 asks to fetch it before any signature is checked (M8); the report states that we did not."""
    published = (
        "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
    )
    for url, reason in ((published, "schema_conforms"), ("https://a.example/s.json", "schema_not_held")):
        entry = {"id": url, "type": "1EdTechJsonSchemaValidator2019"}
        assert schema(badge_document() | {"credentialSchema": [entry]}).reason == reason
    other = {"id": "https://a.example/s.json", "type": "JsonSchemaValidator2019"}  # I-006
    assert schema(badge_document() | {"credentialSchema": [other]}).reason == "schema_conforms"


@pytest.mark.parametrize(
    ("begins", "ends", "reason"),
    [
        ("2026-06-30T12:00:00Z", None, "in_force"),
        ("2026-06-30T14:00:00+02:00", None, "in_force"),
        ("2026-06-30T12:05:00Z", None, "in_force"),
        ("2026-06-30T12:05:01Z", None, "not_yet_valid"),
        ("2026-06-30T12:00:00", None, "period_unreadable"),
        ("2026-06-31T12:00:00Z", None, "period_unreadable"),
        ("2010-01-01T00:00:00Z", "2026-06-30T12:00:00Z", "in_force"),
        ("2010-01-01T00:00:00Z", "2026-06-30T11:59:59Z", "expired"),
        ("2010-01-01T00:00:00Z", "2010-01-01T00:00:00.000Z", "expired"),
        ("2010-01-01T00:00:00Z", "2009-01-01T00:00:00Z", "period_reversed"),
        ("2010-01-01T00:00:00Z", "jamais", "period_unreadable"),
        (None, "2029-01-01T00:00:00Z", "period_unreadable"),
    ],
)
def test_the_period_of_validity_is_read_to_the_second(begins: Any, ends: Any, reason: str) -> None:
    """C-007, C-018."""
    document = {"validFrom": begins} | ({"validUntil": ends} if ends else {})
    assert validity(document, NOON, Policy()).reason == reason


@pytest.mark.parametrize(
    ("identifier", "reason"),
    [
        ("did:web:badges.example:campus:itip", "issuer_identified"),
        ("https://badges.example/campus/itip", "issuer_identified"),
        ("did:key:z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hwi", "issuer_is_only_a_key"),
        ("urn:uuid:1", "issuer_not_identified"),
        ("http://badges.example/", "issuer_not_identified"),
        ("https://you@badges.example/", "issuer_not_identified"),
    ],
)
def test_the_kind_of_issuer_identifier_is_reported(identifier: str, reason: str) -> None:
    """C-010, C-027"""
    assert issuer(identifier, Policy()).reason == reason


def test_a_lookalike_domain_is_shown_in_punycode() -> None:
    """T50."""
    assert domain_of("https://саmpus.example/") == "xn--mpus-43d5h.example"


def test_the_issuer_may_be_named_by_a_bare_identifier() -> None:
    assert issuer_of({"issuer": "did:web:a.example"}) == "did:web:a.example"
    assert issuer_of({"issuer": {"id": "did:web:a.example"}}) == "did:web:a.example"
    assert issuer_of({"issuer": ["did:web:a.example"]}) is None
