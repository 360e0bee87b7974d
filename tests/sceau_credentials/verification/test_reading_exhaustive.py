"""Full parsing results before any check: the answer, the container, and the parsed input."""

from __future__ import annotations

import codecs
import json
from dataclasses import replace
from typing import Any

import pytest

from sceau_credentials import CheckResult, Report, bake_svg, verify
from sceau_credentials.baking import PngMaster, SvgMaster
from sceau_credentials.canonical import expansion
from sceau_credentials.errors import CanonicalizationTooHard, DocumentUnavailable, MalformedInput
from sceau_credentials.keys import encode_base64url
from sceau_credentials.values import FetchedDocument, dump_json, members_in, objects_in
from sceau_credentials.verification.answers import (
    FetchBudget,
    Secured,
    looks_secured,
    secured_from_json,
    secured_from_text,
)
from sceau_credentials.verification.findings import Reason, Remark, RemarkCode, found, remarks_on
from sceau_credentials.verification.legacy import ADDED_WORDS, may_be_older, without_words
from sceau_credentials.verification.reading import Reading, read
from sceau_credentials.verification.report import EndorsementAnswer, Outcome
from tests.sceau_credentials.baking.pictures import itxt, png
from tests.sceau_credentials.baking.test_pdf_attachments import pdf
from tests.sceau_credentials.signed import credential
from tests.sceau_credentials.verification.legacy.older_issuer import ASSERTION, assertion
from tests.support.badges.credentials import NOON, badge_document
from tests.support.badges.documents import Documents
from tests.support.badges.forgery import EMBEDDED, SIGNED
from tests.support.badges.pictures import PNG, SVG
from tests.support.running.every import for_each

LIMIT = 512 * 1024
TEXT = SIGNED.embedded.decode()
OLDER = json.dumps(assertion())


def result_of(presented: bytes | str) -> Any:
    reading = read(presented)
    kind = "3.0" if reading.secured else "older" if reading.older else None
    return reading.answer.reason, dict(reading.answer.details), reading.container, kind


def older_png(text: str) -> bytes:
    return png(itxt(b"openbadges", text.encode()))


def token(header: Any, payload: Any) -> str:
    return ".".join([*(encode_base64url(json.dumps(part).encode()) for part in (header, payload)), "AAAA"])


V1_BADGE = {"@context": ["https://www.w3.org/2018/credentials/v1"], "type": ["OpenBadgeCredential"]}
ADDRESS = "https://badges.example/" + "a" * 2000


@for_each(
    ("presented", "answer"),
    [
        (TEXT, ("readable", {}, "json", "3.0")),
        (f"\ufeff {TEXT}\n", ("readable", {}, "json", "3.0")),
        (f" \ufeff{TEXT}", ("unrecognised_format", {}, "unknown", None)),
        (SIGNED.token, ("readable", {}, "jwt", "3.0")),
        (f" {SIGNED.token} ", ("readable", {}, "jwt", "3.0")),
        (OLDER, ("open_badge_2", {}, "json", "older")),
        (token({"alg": "RS256"}, assertion()), ("open_badge_2", {}, "jwt", "older")),
        ('{"uid":"1","recipient":"x","verify":{}}', ("open_badge_1", {}, "json", "older")),
        (ADDRESS, ("presented_is_url", {"url": ADDRESS[:2000]}, "url", None)),
        (" HTTP://a.example ", ("presented_is_url", {"url": "HTTP://a.example"}, "url", None)),
        ("https://a.example/ b", ("unrecognised_format", {}, "unknown", None)),
        ("", ("unrecognised_format", {}, "unknown", None)),
        ("bonjour", ("unrecognised_format", {}, "unknown", None)),
        ("[]", ("not_an_open_badge_3", {}, "json", None)),
        ('{"type":"A"}', ("not_an_open_badge_3", {"types": "A"}, "json", "3.0")),
        ('{"type":["A",7,"B"]}', ("not_an_open_badge_3", {"types": "A, B"}, "json", "3.0")),
        (json.dumps({"type": "t" * 201}), ("not_an_open_badge_3", {"types": "t" * 200}, "json", "3.0")),
        ('{"type":["AchievementCredential"]}', ("readable", {}, "json", "3.0")),
        ('{"a":1,"a":2}', ("malformed_json", {"cause": "duplicate_member"}, "json", None)),
        ("{", ("malformed_json", {"cause": "not_json"}, "json", None)),
        ("e30=.e30.AA", ("malformed_jwt", {"cause": "not_compact_jws"}, "jwt", None)),
        ("e30.W10.AA", ("malformed_jwt", {"cause": "not_an_object"}, "jwt", None)),
        ("[" * 200 + "]" * 200, ("too_large", {"cause": "too_deep"}, "json", None)),
        ('{"a":"' + "x" * (LIMIT // 2 - 8) + '"}', ("not_an_open_badge_3", {"types": ""}, "json", "3.0")),
        ('{"a":"' + "x" * (LIMIT // 2 - 7) + '"}', ("too_large", {"cause": "too_large"}, "json", None)),
        ('{"a":"' + "x" * (LIMIT - 8) + '"}', ("too_large", {"cause": "too_large"}, "json", None)),
        ('{"a":"' + "x" * (LIMIT - 7) + '"}', ("too_large", {}, "unknown", None)),
        ("e30." + "A" * 70_000 + ".AA", ("too_large", {"cause": "too_large"}, "jwt", None)),
        (token({"alg": "x"}, {"vc": badge_document()} | badge_document()),
         ("malformed_jwt", {"cause": "vc_claim"}, "jwt", "3.0")),
        (token({"alg": "x"}, {"vp": 1} | badge_document()),
         ("malformed_jwt", {"cause": "vc_claim"}, "jwt", "3.0")),
        (token({"alg": "x"}, {"vc": V1_BADGE}), ("readable", {}, "jwt", "3.0")),
        (token({"alg": "x"}, {"vc": V1_BADGE, "@context": 1}),
         ("not_an_open_badge_3", {"types": ""}, "jwt", "3.0")),
        (json.dumps({"vc": 1} | EMBEDDED), ("readable", {}, "json", "3.0")),
        ("<svg", ("image_not_read", {"cause": "malformed_svg"}, "svg", None)),
        (" <svg", ("image_not_read", {"cause": "malformed_svg"}, "svg", None)),
        ("\ufeff<\ud800", ("image_not_read", {"cause": "malformed_svg"}, "svg", None)),
    ],
    ids=range(36),
)  # fmt: skip
def test_text_is_recognised(presented: str, answer: Any) -> None:
    assert result_of(presented) == answer
    if presented.isascii() and not presented.startswith("["):
        assert result_of(presented.encode()) == answer


@for_each(
    ("presented", "answer"),
    [
        (PNG, ("image_without_badge", {"cause": "no_credential"}, "png", None)),
        (SVG, ("image_without_badge", {"cause": "no_credential"}, "svg", None)),
        (b"\xef\xbb\xbf \t\r\n" + SVG, ("image_without_badge", {"cause": "no_credential"}, "svg", None)),
        (PNG[:60], ("image_not_read", {"cause": "truncated"}, "png", None)),
        (b"%PDF-1.7", ("pdf_not_read", {"cause": "malformed_pdf"}, "pdf", None)),
        (PngMaster(PNG).bake(TEXT), ("readable", {}, "png", "3.0")),
        (SvgMaster(SVG).bake(TEXT), ("readable", {}, "svg", "3.0")),
        (PngMaster(PNG).bake_older(OLDER), ("open_badge_2", {}, "png", "older")),
        (older_png(f" {ASSERTION} "), ("older_badge_address", {"url": ASSERTION}, "png", "older")),
        (png(itxt(b"openbadgecredential", ASSERTION.encode())), ("presented_is_url", {"url": ASSERTION}, "png", None)),
        (older_png(ADDRESS),
         ("older_badge_address", {"url": ADDRESS[:2000]}, "png", "older")),
        (png(itxt(b"openbadgecredential", b"a"), itxt(b"openbadgecredential", b"b")),
         ("image_ambiguous", {"cause": "several_credentials"}, "png", None)),
        (b"\xff\xfe", ("unrecognised_format", {}, "unknown", None)),
        (b"\xff\xd8\xff\xe0" + bytes(600 * 1024), ("image_without_badge", {}, "unknown", None)),
        (b"RIFF\x0a\n\x00\x00WEBPVP8 ", ("image_without_badge", {}, "unknown", None)),
        (b"GIF89a", ("image_without_badge", {}, "unknown", None)),
        (b"X<svg", ("unrecognised_format", {}, "unknown", None)),
        (PNG + bytes(2 * 1024 * 1024), ("too_large", {"cause": "too_large"}, "png", None)),
        (pdf(), ("pdf_without_badge", {"cause": "no_credential"}, "pdf", None)),
        (pdf(("badge.json", SIGNED.embedded)), ("readable", {}, "pdf", "3.0")),
        (b"x" * LIMIT, ("unrecognised_format", {}, "unknown", None)),
        (b"x" * (LIMIT + 1), ("too_large", {}, "unknown", None)),
        (b'{"a":"' + b"x" * LIMIT + b'"}', ("too_large", {}, "unknown", None)),
        (b"{}  ", ("not_an_open_badge_3", {"types": ""}, "json", "3.0")),
    ],
    ids=range(24),
)  # fmt: skip
def test_bytes_are_recognised(presented: bytes, answer: Any) -> None:
    assert result_of(presented) == answer


def test_an_older_badge_retains_its_container_and_its_claims() -> None:
    for presented, container in ((OLDER, "json"), (PngMaster(PNG).bake_older(OLDER), "png")):
        older = read(presented).older
        assert older is not None
        assert (older.container, older.claims, older.address, older.jws) == (
            container,
            assertion(),
            None,
            None,
        )
    addressed = read(older_png(ASSERTION)).older
    assert addressed is not None
    assert (addressed.container, addressed.claims, addressed.address) == ("png", None, ASSERTION)
    signed = read(token({"alg": "RS256"}, assertion())).older
    assert signed is not None
    assert signed.jws is not None
    assert Reading(found(Reason.READABLE)).container == "unknown"


@pytest.mark.parametrize(
    ("text", "secured"),
    [
        ("{", True), ("[", True), ("e.a.b", True), ("eyJ+/=.-_.09", True),
        ("a.b.c", False), ("e.b", False), ("e.b.c.d", False), ("e.b.é", False), ("e.b.c d", False), ("", False),
    ],
)  # fmt: skip
def test_input_that_appears_to_be_signed_is_recognised(text: str, secured: bool) -> None:
    assert looks_secured(text) is secured


def test_the_signed_document_is_separated_from_its_proof() -> None:
    bare = {name: value for name, value in EMBEDDED.items() if name != "proof"}
    whole = Secured("data_integrity", EMBEDDED, bare)
    assert replace(secured_from_json(TEXT), digest=None) == whole
    assert secured_from_json(TEXT) == secured_from_text(f" {TEXT}\n")
    read_token = secured_from_text(f" {SIGNED.token} ")
    assert (read_token.form, read_token.document) == ("vc_jwt", bare)
    assert read_token.jws is not None
    assert read_token.claims is read_token.jws.payload
    for length, fits in ((len(SIGNED.token), True), (len(SIGNED.token) - 1, False)):
        if fits:
            assert secured_from_text(SIGNED.token, max_bytes=length) == read_token
        else:
            with pytest.raises(MalformedInput, match="too_large"):
                secured_from_text(SIGNED.token, max_bytes=length)
    size = len(SIGNED.embedded)
    assert (
        secured_from_text(TEXT, max_bytes=size)
        == secured_from_json(TEXT, max_bytes=size)
        == secured_from_json(TEXT)
    )
    for refuse in (secured_from_text, secured_from_json):
        with pytest.raises(MalformedInput, match="too_large"):
            refuse(TEXT, max_bytes=size - 1)


def test_each_document_is_fetched_once_within_the_limit() -> None:
    source = Documents({"https://a.example/": {}, "https://b.example/": {}})
    budget = FetchBudget(source, 2)
    first = budget.fetch("https://a.example/")
    assert isinstance(first, FetchedDocument)
    assert budget.fetch("https://a.example/") is first
    refusals = []
    for url in ("https://none.example/", "https://none.example/", "https://b.example/"):
        with pytest.raises(DocumentUnavailable) as refusal:
            budget.fetch(url)
        refusals.append((refusal.value.url, refusal.value.reason))
    assert refusals == [("https://none.example/", "not_found")] * 2 + [
        ("https://b.example/", "too_many_fetches")
    ]
    assert source.asked == ["https://a.example/", "https://none.example/"]


def test_a_document_is_fetched_with_the_given_accept_header() -> None:
    wanted: list[str] = []

    class Noting(Documents):
        def fetch(self, url: str, *, accept: str = "") -> FetchedDocument:
            wanted.append(accept)
            return super().fetch(url, accept=accept)

    budget = FetchBudget(Noting({"https://a.example/": {}}), 3)
    for accept in ("text/plain", "application/json", "text/plain"):
        budget.fetch("https://a.example/", accept=accept)
    budget.fetch("https://a.example/")
    assert wanted == ["text/plain", "application/json"]


def remarks(
    document: Any = None, header: Any = None, status: CheckResult | None = None, **result: Any
) -> Any:
    secured = (
        secured_from_text(token(header, document or {}))
        if header
        else Secured("data_integrity", {}, document or {})
    )
    key = result.pop("key", found(Reason.KEY_BOUND))
    whole = {"bare_key": False, "not_covered": frozenset()} | result
    listed = remarks_on(secured, status or found(Reason.NOT_REVOKED), key=key, **whole)
    return [(remark.code.value, dict(remark.details)) for remark in listed]


OBEYED = {"type": "1EdTechJsonSchemaValidator2019"}
SINCE = found(Reason.KEY_REVOKED_SINCE, withdrawn="w", decided="d")


@for_each(
    ("asked", "result"),
    [
        ({}, []),
        ({"document": {"@context": ["https://www.w3.org/2018/credentials/v1"]}}, [("version_1", {})]),
        ({"document": {"credentialSchema": OBEYED}}, []),
        ({"document": {"credentialSchema": [OBEYED, {"type": "A"}, 7, {}]}},
         [("schema_not_checked", {"type": "A, None"})]),
        ({"document": {"credentialSchema": {"type": "t" * 201}}}, [("schema_not_checked", {"type": "t" * 200})]),
        ({"document": {"refreshService": None}}, [("refresh_not_followed", {})]),
        ({"header": {"alg": "x"}}, []),
        ({"header": {"typ": "JWT"}}, []),
        ({"header": {"typ": "t" * 101}}, [("token_type", {"type": "t" * 100})]),
        ({"header": {"typ": None}}, [("token_type", {"type": "None"})]),
        ({"header": {"b": 1, "a": 2}}, [("header_members", {"members": "a, b"})]),
        ({"header": {"m" * 201: 1}}, [("header_members", {"members": "m" * 200})]),
        ({"status": found(Reason.NOT_LISTED, url="u", signed="no")}, [("status_unsigned", {"url": "u"})]),
        ({"status": found(Reason.NOT_LISTED, signed="no")}, [("status_unsigned", {"url": ""})]),
        ({"status": found(Reason.NOT_REVOKED, url="u", message="m")}, [("status_message", {"message": "m"})]),
        ({"key": SINCE}, [("key_revoked_since", {"withdrawn": "w", "decided": "d"})]),
        ({"bare_key": True}, [("key_without_fragment", {})]),
        ({"not_covered": frozenset({"b", "a"})}, [("older_context", {"members": "a, b"})]),
    ],
    ids=range(18),
)  # fmt: skip
def test_each_remark_is_reported_with_its_subject(asked: Any, result: Any) -> None:
    assert remarks(**asked) == result


def test_a_remark_and_a_report_are_written_as_json() -> None:
    remark = Remark(RemarkCode.TOKEN_TYPE, {"type": "x"})
    assert remark.to_document() == {
        "code": "token_type", "meaning": RemarkCode.TOKEN_TYPE.meaning, "details": {"type": "x"}
    }  # fmt: skip
    endorsement = EndorsementAnswer(
        "/endorsement/0", "urn:x:1", "did:x", "Vu.", Outcome.PASSED, "endorsement_holds"
    )
    checks = (found(Reason.READABLE), found(Reason.EXPIRED, valid_until="u"))
    report = Report(
        at=NOON,
        checks=checks,
        container="json",
        form="vc_jwt",
        document={"a": 1},
        presented={"b": 2},
        issuer="did:x",
        verification_method="did:x#k",
        key={"kty": "OKP"},
        remarks=(remark,),
        endorsements=(endorsement,),
    )
    assert report.to_document() == {
        "verdict": "invalid",
        "signature": "not_checkable",
        "at": "2026-06-30T12:00:00Z",
        "container": "json",
        "form": "vc_jwt",
        "issuer": "did:x",
        "verificationMethod": "did:x#k",
        "key": {"kty": "OKP"},
        "checks": [answer.to_document() for answer in checks],
        "problems": list(report.problems()),
        "warnings": [remark.to_document()],
        "endorsements": [
            {
                "pointer": "/endorsement/0",
                "about": "urn:x:1",
                "issuer": "did:x",
                "comment": "Vu.",
                "outcome": "passed",
                "reason": "endorsement_holds",
            }
        ],
        "document": {"a": 1},
        "presented": {"b": 2},
    }
    assert [problem["reason"] for problem in report.problems()] == ["expired"]
    bare = Report(at=NOON, checks=())
    assert (bare.container, bare.form, bare.document, bare.presented, bare.issuer) == ("unknown", *[None] * 4)
    assert (bare.verification_method, bare.key, bare.remarks, bare.endorsements) == (None, None, (), ())


OB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"


@pytest.mark.parametrize(
    ("claims", "older"),
    [
        ({"@context": [OB], "proof": {"cryptosuite": "eddsa-rdfc-2022"}}, True),
        ({"@context": [OB], "proof": [{"cryptosuite": "eddsa-rdfc-2022"}, {}]}, True),
        ({"@context": [OB], "proof": [{"cryptosuite": "eddsa-rdfc-2022"}, {"cryptosuite": "eddsa-jcs-2022"}]},
         False),
        ({"@context": [OB], "proof": {"cryptosuite": "eddsa-jcs-2022"}}, False),
        ({"@context": [OB], "proof": [7]}, False),
        ({"@context": OB, "proof": {}}, False),
        ({"@context": ["x"], "proof": {}}, False),
        ({"@context": [OB]}, False),
    ],
)  # fmt: skip
def test_badges_that_may_be_older_than_their_context_are_recognised(claims: Any, older: bool) -> None:
    assert may_be_older(claims) is older


def test_terms_are_removed_at_any_depth_and_nothing_else_is() -> None:
    assert (frozenset({"endorsementJwt"}), frozenset({"endorsementJwt", "jti"})) == ADDED_WORDS
    kept = {"a": [{"b": 1}, 2], "c": {"d": []}}
    assert without_words(kept, ADDED_WORDS[1]) is kept
    document = {"jti": 1, "a": [{"jti": 2, "b": 3}, 4], "c": {"jti": 5}}
    assert without_words(document, ADDED_WORDS[1]) == {"a": [{"b": 3}, 4], "c": {}}
    assert without_words(document, ADDED_WORDS[0]) is document


# --- limits

DRAWN = bake_svg(SVG, SIGNED.token).decode()


@pytest.mark.parametrize(
    "written",
    [
        codecs.BOM_UTF16_LE + DRAWN.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + DRAWN.encode("utf-16-be"),
        codecs.BOM_UTF8 + DRAWN.encode(),
        f'<?xml version="1.0" encoding="UTF-16"?>{DRAWN[DRAWN.index("<svg") :]}'.encode("utf-16"),
    ],
)
def test_a_drawing_is_read_in_every_encoding_that_xml_begins_with(written: bytes) -> None:
    reading = read(written)
    assert (reading.answer.reason, reading.container) == ("readable", "svg")


@pytest.mark.parametrize(
    "presented", ["https://badges.example/\ud800", "\ud800", '{"a":"\ud800"}', "<svg>\ud800"]
)
def test_a_report_on_half_a_surrogate_pair_can_be_written(presented: str) -> None:
    report = verify(presented, documents=Documents(), at=NOON)
    assert json.loads(dump_json(report.to_document()))["verdict"] != "valid"


def with_members(count: int) -> str:
    document = badge_document() | {"x": []}
    document["x"] = [0] * (count - members_in(document) - 1)
    assert members_in(document) == count
    return json.dumps(document, separators=(",", ":"))


def test_a_badge_with_too_many_members_is_refused_as_a_whole() -> None:
    assert read(with_members(20_000)).answer.reason == "readable"
    answer = read(with_members(20_001)).answer
    assert (answer.reason, dict(answer.details)) == ("too_large", {"cause": "too_many_members"})


@pytest.mark.parametrize(
    ("document", "members", "objects"),
    [
        ({}, 0, 1),
        ({"a": 1}, 2, 1),
        ({"a": [1, 2]}, 5, 1),
        ({"a": [{}, {"b": "c"}], "c": 2**70}, 8, 3),
    ],
)
def test_members_and_objects_are_counted_as_they_are_written(document, members: int, objects: int) -> None:
    assert members_in(document) == members
    assert objects_in(document) == objects


@pytest.mark.parametrize(("objects", "is_read"), [(2_000, True), (2_001, False)])
def test_a_document_with_too_many_objects_is_refused_by_the_general_path(objects: int, is_read: bool) -> None:
    document = credential(evidence=[])
    more = objects - objects_in(document)
    document["evidence"] = [{"id": f"urn:x:{number}", "type": ["Evidence"]} for number in range(more)]
    if is_read:
        assert expansion.quads_of(document)
    else:
        with pytest.raises(CanonicalizationTooHard):
            expansion.quads_of(document)
