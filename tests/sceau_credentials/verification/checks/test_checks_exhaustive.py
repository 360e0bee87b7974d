"""Full answers of the checks that need no key: reason and every detail, at a limit and one over."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from typing import Any

import pytest

from sceau_credentials import CheckResult
from sceau_credentials.keys import encode_multibase
from sceau_credentials.verification.answers import Identity, Policy
from sceau_credentials.verification.checks import (
    context,
    domain_of,
    issuer,
    issuer_of,
    recipient,
    resources_against,
    schema,
    validity,
)
from tests.support.badges.credentials import NOON, badge_document
from tests.support.badges.forgery import EMBEDDED
from tests.support.running.every import for_each

Told = tuple[str, dict[str, str]]


def answer_of(answer: CheckResult | None) -> Told | None:
    return None if answer is None else (answer.reason, dict(answer.details))


def named(**entry: Any) -> dict[str, Any]:
    whole = {"hashed": False, "identityHash": "x", "identityType": "emailAddress"} | entry
    return {"credentialSubject": {"id": "urn:x:1", "identifier": whole}}


DIGEST = hashlib.sha256(b"xsalt").hexdigest()
MAIL = {"type": "emailAddress"}


@for_each(
    ("document", "asked", "answer"),
    [
        (named(), None, ("recipient_not_asked", {})),
        ({"credentialSubject": []}, Identity("x"), ("recipient_not_named", {})),
        (named(), Identity("urn:x:1"), ("recipient_matches", {})),
        ({"credentialSubject": {}}, Identity(""), ("recipient_matches", {})),
        ({"credentialSubject": {}}, Identity("x"), ("recipient_not_named", MAIL)),
        ({"credentialSubject": {"id": 7}}, Identity("7"), ("recipient_matches", {})),
        (named(), Identity("x"), ("recipient_matches", MAIL)),
        (named(), Identity("y"), ("recipient_differs", MAIL)),
        (named(), Identity("x", "name"), ("recipient_not_named", {"type": "name"})),
        (named(identityHash=7), Identity("7"), ("recipient_differs", MAIL)),
        (named(hashed="true"), Identity("x"), ("recipient_matches", MAIL)),
        (named(hashed=True), Identity("x"), ("recipient_differs", MAIL)),
        (named(hashed=True, identityHash=f"sha256${DIGEST}", salt="salt"), Identity("x"),
         ("recipient_matches", MAIL)),
        (named(hashed=True, identityHash=f"sha256${DIGEST}", salt=7), Identity("xsalt"),
         ("recipient_matches", MAIL)),
        (named(hashed=True, identityHash=f"sha256${DIGEST}"), Identity("x"), ("recipient_differs", MAIL)),
        (named(hashed=True, identityHash="sha256$"), Identity("x"), ("recipient_differs", MAIL)),
        (named(identityHash="\ud800"), Identity("?"), ("recipient_matches", MAIL)),
        (named(identityHash="?"), Identity("\ud800"), ("recipient_matches", MAIL)),
        (named(hashed=True, identityHash="md5$" + hashlib.md5(b"?").hexdigest()), Identity("\ud800"),
         ("recipient_matches", MAIL)),
    ],
)  # fmt: skip
def test_an_answer_about_the_recipient_states_what_was_compared(
    document: Any, asked: Identity | None, answer: Told
) -> None:
    assert answer_of(recipient(document, asked)) == answer


FILE = b"Trois pages."
URL = "https://badges.example/1.pdf"


def sri(name: str, body: bytes = FILE) -> str:
    return f"{name}-{base64.b64encode(hashlib.new(name, body).digest()).decode()}"


def multihash(code: int, name: str, base: Any = "z", body: bytes = FILE, length: int | None = None) -> str:
    digest = hashlib.new(name, body).digest()
    return encode_multibase(bytes([code, len(digest) if length is None else length]) + digest, base)


SRI, MULTI = "digestSRI", "digestMultibase"


@for_each(
    ("member", "written", "reason"),
    [
        (SRI, sri("sha256"), None),
        (SRI, sri("sha384"), None),
        (SRI, sri("sha512"), None),
        (SRI, sri("sha512") + "?ct=text/plain", None),
        (SRI, f"{sri('sha256', b'')} {sri('sha256')}", None),
        (SRI, f"{sri('sha256', b'')} {sri('sha384')}", None),
        (SRI, f"{sri('sha384', b'')} {sri('sha512')}", None),
        (SRI, f"{sri('sha384')} {sri('sha512', b'')}", "resource_differs"),
        (SRI, f"{sri('sha256')} {sri('sha384', b'')}", "resource_differs"),
        (SRI, sri("sha256", b""), "resource_differs"),
        (SRI, "sha256-AA==", "resource_differs"),
        (SRI, sri("md5"), "resource_digest_not_read"),
        (SRI, "sha256-!" + sri("sha256").removeprefix("sha256-"), "resource_digest_not_read"),
        (SRI, "sha256-é", "resource_digest_not_read"),
        (SRI, "", "resource_digest_not_read"),
        (SRI, 7, "resource_digest_not_read"),
        (SRI, [sri("sha256")], "resource_digest_not_read"),
        (MULTI, multihash(0x12, "sha256"), None),
        (MULTI, multihash(0x12, "sha256", "u"), None),
        (MULTI, multihash(0x13, "sha512"), None),
        (MULTI, multihash(0x20, "sha384", "u"), None),
        (MULTI, multihash(0x12, "sha256", body=b""), "resource_differs"),
        (MULTI, multihash(0x12, "sha512"), "resource_differs"),
        (MULTI, multihash(0x12, "sha256", length=31), "resource_digest_not_read"),
        (MULTI, multihash(0x12, "sha256", length=33), "resource_digest_not_read"),
        (MULTI, multihash(0x11, "sha1"), "resource_digest_not_read"),
        (MULTI, encode_multibase(b"\x12", "u"), "resource_digest_not_read"),
        (MULTI, encode_multibase(b"\x12\x00", "u"), "resource_differs"),
        (MULTI, "u", "resource_digest_not_read"),
        (MULTI, "", "resource_digest_not_read"),
        (MULTI, 7, "resource_digest_not_read"),
        (MULTI, "u" + "A" * 200, "resource_digest_not_read"),
    ],
)  # fmt: skip
def test_a_supplied_file_is_compared_with_its_digest(member: str, written: Any, reason: str | None) -> None:
    document = {"evidence": [{"id": URL, member: written}, "x"]}
    against = None if reason is None else (reason, {"url": URL, "cause": member})
    assert answer_of(resources_against(document, {URL: FILE})) == against


def test_a_digest_without_a_supplied_file_or_address_is_skipped() -> None:
    bad = {SRI: sri("sha256", b"")}
    document = {"a": [bad, {"id": 7, **bad}, {"id": "https://x.example/", **bad}, {"id": URL}]}
    assert resources_against(document, {URL: FILE}) is None
    both = {"id": URL, SRI: sri("sha256"), MULTI: multihash(0x12, "sha256", body=b"")}
    assert answer_of(resources_against(document | {"b": {"c": both}}, {URL: FILE})) == (
        "resource_differs",
        {"url": URL, "cause": MULTI},
    )
    assert resources_against({"id": URL, SRI: None}, {URL: FILE}) is None


def test_the_address_of_a_file_is_cut_to_five_hundred_characters() -> None:
    long = "https://x.example/" + "y" * 483
    answer = answer_of(resources_against({"id": long, SRI: sri("sha256", b"")}, {long: FILE}))
    assert answer == ("resource_differs", {"url": long[:500], "cause": SRI})


def test_a_multihash_is_read_up_to_two_hundred_characters() -> None:
    for size, length, reason in ((147, 200, "resource_differs"), (148, 201, "resource_digest_not_read")):
        written = encode_multibase(b"\x12" + bytes([size]) + bytes(size), "u")
        assert len(written) == length
        answer = answer_of(resources_against({"id": URL, MULTI: written}, {URL: FILE}))
        assert answer == (reason, {"url": URL, "cause": MULTI})


V2, OB = badge_document()["@context"]
V1 = "https://www.w3.org/2018/credentials/v1"
ENDORSEMENT = ["VerifiableCredential", "EndorsementCredential"]


@for_each(
    ("changed", "answer"),
    [
        ({}, ("context_known", {})),
        ({"@context": (V2, OB)}, ("context_order", {})),
        ({"@context": [V2, 7]}, ("context_order", {})),
        ({"@context": [V2, OB, 7]}, ("context_not_allowed", {})),
        ({"@context": [V1, OB]}, ("context_known", {})),
        ({"@context": [V2, OB.replace("-3.0.3", "")]}, ("context_known", {})),
        ({"@context": [V2, OB.replace("3.0.3", "3.0.2")]}, ("context_known", {})),
        ({"@context": [V2, OB.replace("3.0.3", "3.9.9")]},
         ("context_not_held", {"url": OB.replace("3.0.3", "3.9.9")})),
        ({"@context": [V2, OB.replace("https", "http")]}, ("context_order", {})),
        ({"@context": [V2, OB, OB]}, ("context_not_allowed", {})),
        ({"@context": [V2, OB, "https://x.example/" + "y" * 483]},
         ("context_not_held", {"url": ("https://x.example/" + "y" * 483)[:500]})),
        ({"@context": [V2, OB, "https://x.example/1", "https://x.example/2"]},
         ("context_not_held", {"url": "https://x.example/1"})),
        ({"a": {"b": [7, {"@context": [V2, OB]}]}}, ("context_not_allowed", {"pointer": "/a/b/1"})),
        ({"a": {"b": {"type": ENDORSEMENT, "@context": [V2, OB]}}}, ("context_known", {})),
        ({"a": {"b": {"type": "EndorsementCredential", "@context": [V2, OB]}}},
         ("context_not_allowed", {"pointer": "/a/b"})),
        ({"a": {"b": {"type": ENDORSEMENT, "@context": V2}}}, ("context_not_allowed", {"pointer": "/a/b"})),
        ({"a": {"b": {"type": ENDORSEMENT, "@context": [V2, {}]}}},
         ("context_not_allowed", {"pointer": "/a/b"})),
        ({"a": {"type": ENDORSEMENT, "@context": [V2, OB], "b": {"@context": [V2]}}},
         ("context_not_allowed", {"pointer": "/a/b"})),
        ({"a": {"@context": None}}, ("context_not_allowed", {"pointer": "/a"})),
        ({"a": '"@context":'}, ("context_known", {})),
        ({"a": 2**70, "b": {"@context": [V2]}}, ("context_not_allowed", {"pointer": "/b"})),
        ({"a": 2**70}, ("context_known", {})),
    ],
)  # fmt: skip
def test_an_answer_about_the_context_states_which_entries_are_wrong(changed: Any, answer: Told) -> None:
    assert answer_of(context(badge_document() | changed)) == answer


@pytest.mark.parametrize("contexts", [None, [], [V2], "x", {V2: OB}])
def test_contexts_out_of_order_need_no_details(contexts: Any) -> None:
    assert answer_of(context({"@context": contexts})) == ("context_order", {})
    assert answer_of(context({})) == ("context_order", {})


def obeyed(*urls: Any, kind: str = "1EdTechJsonSchemaValidator2019") -> list[dict[str, Any]]:
    return [{"id": url, "type": kind} for url in urls]


HELD = "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json"
FOREIGN = "https://x.example/" + "y" * 483


@pytest.mark.parametrize(
    ("changed", "answer"),
    [
        ({}, ("schema_conforms", {})),
        ({"issuer": 5}, ("schema_violation", {"cause": "wrong_type", "pointer": "/issuer"})),
        ({"credentialSchema": obeyed(HELD)}, ("schema_conforms", {})),
        ({"credentialSchema": obeyed(HELD)[0]}, ("schema_conforms", {})),
        ({"credentialSchema": obeyed(HELD, FOREIGN)}, ("schema_not_held", {"url": FOREIGN[:500]})),
        ({"credentialSchema": obeyed(FOREIGN)[0]}, ("schema_not_held", {"url": FOREIGN[:500]})),
        ({"credentialSchema": obeyed(FOREIGN, kind="Other")}, ("schema_conforms", {})),
    ],
)
def test_an_answer_about_the_shape_states_the_pointer(changed: Any, answer: Told) -> None:
    assert answer_of(schema(badge_document() | changed)) == answer


@pytest.mark.parametrize(
    ("document", "issuer_id"),
    [
        ({"issuer": "did:web:a.example"}, "did:web:a.example"),
        ({"issuer": {"id": "did:web:a.example"}}, "did:web:a.example"),
        ({"issuer": {"id": 7}}, None),
        ({"issuer": {}}, None),
        ({"issuer": ["did:web:a.example"]}, None),
        ({}, None),
    ],
)
def test_the_issuer_is_identified_by_one_text_or_not_at_all(document: Any, issuer_id: str | None) -> None:
    assert issuer_of(document) == issuer_id


LONG = "urn:x:" + "y" * 500
TRUSTING = {"trusted_issuers": frozenset({"did:web:a.example"})}


@pytest.mark.parametrize(
    ("issuer_id", "policy", "answer"),
    [
        ("did:web:a.example", TRUSTING, ("issuer_trusted", {"issuer": "did:web:a.example"})),
        ("did:web:a.example", TRUSTING | {"only_trusted_issuers": True},
         ("issuer_trusted", {"issuer": "did:web:a.example"})),
        ("did:web:b.example", TRUSTING, ("issuer_identified", {"domain": "b.example"})),
        (LONG, TRUSTING | {"only_trusted_issuers": True}, ("issuer_not_trusted", {"issuer": LONG[:500]})),
        (LONG, {}, ("issuer_not_identified", {"issuer": LONG[:500]})),
        ("did:key:z6Mk", {}, ("issuer_is_only_a_key", {})),
        ("did:web:a.example:b", {}, ("issuer_identified", {"domain": "a.example"})),
        ("did:web:", {}, ("issuer_not_identified", {"issuer": "did:web:"})),
        ("https://a.example/b", {}, ("issuer_identified", {"domain": "a.example"})),
        ("https://A.example:8443/", {}, ("issuer_identified", {"domain": "a.example"})),
        ("https:///b", {}, ("issuer_not_identified", {"issuer": "https:///b"})),
        ("https://[a.example/", {}, ("issuer_not_identified", {"issuer": "https://[a.example/"})),
        ("https://a@b.example/", {}, ("issuer_not_identified", {"issuer": "https://a@b.example/"})),
        ("https://" + "a" * 64 + ".example/", {},
         ("issuer_not_identified", {"issuer": "https://" + "a" * 64 + ".example/"})),
    ],
)  # fmt: skip
def test_an_answer_about_the_issuer_states_its_identity(issuer_id: str, policy: Any, answer: Told) -> None:
    assert answer_of(issuer(issuer_id, Policy(**policy))) == answer


def test_a_name_of_any_length_gives_its_domain() -> None:
    for length in (256, 257):
        long = "https://a.example/"
        assert domain_of(long + "y" * (length - len(long))) == "a.example"


MIDDAY = "2026-06-30T12:00:00Z"
START, END = "2026-06-30T12:05:00Z", "2026-06-30T11:59:59Z"


@pytest.mark.parametrize(
    ("start", "end", "answer"),
    [
        (START, ..., ("in_force", {"valid_from": START})),
        ("2026-06-30T12:05:01Z", ..., ("not_yet_valid", {"valid_from": "2026-06-30T12:05:01Z"})),
        (END, END, ("expired", {"valid_from": END, "valid_until": END})),
        (START, END, ("period_reversed", {"valid_from": START, "valid_until": END})),
        (END, MIDDAY, ("in_force", {"valid_from": END, "valid_until": MIDDAY})),
        (START, START, ("in_force", {"valid_from": START, "valid_until": START})),
        (..., START, ("period_unreadable", {})),
        (START, None, ("period_unreadable", {})),
        (START, START[:-1], ("period_unreadable", {})),
        (START[:-1], ..., ("period_unreadable", {})),
    ],
)
def test_an_answer_about_the_period_states_its_start_and_end(start: Any, end: Any, answer: Told) -> None:
    members = {"@context": EMBEDDED["@context"], "validFrom": start, "validUntil": end}
    document = {name: value for name, value in members.items() if value is not ...}
    assert answer_of(validity(document, NOON, Policy(clock_skew=timedelta(minutes=5)))) == answer
