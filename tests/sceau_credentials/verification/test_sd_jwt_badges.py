"""Badges as SD-JWT VC through all checks: disclosed, withheld, withdrawn or of another type."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

import pytest

from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer, decode_base64url, encode_base64url
from sceau_credentials.proofs import sd_jwt
from sceau_credentials.proofs.sd_jwt import DIGESTS, badge_claims, issue_sd_jwt, present_sd_jwt
from sceau_credentials.proofs.vc_jwt import parse_compact_jws, sign_claims
from sceau_credentials.status_list import STATUS_TOKEN, StatusList, token_list_claims, token_list_entry
from sceau_credentials.verification.report import Report, Verdict
from sceau_credentials.verification.run_checks import verify
from tests.sceau_credentials.verification.reports import reasons
from tests.support.badges.credentials import NOON, Campus, badge_document
from tests.support.badges.documents import Documents

LIST, INDEX = "https://badges.example/statuts/1.statuslist", 94_567
HOLDER = LocalSigningKey.generate(Algorithm.ES256)
START = int(NOON.timestamp()) - 60


def issued(
    campus: Campus, *, kind: str = "dc+sd-jwt", also_hidden: Collection[str] = (), **changed: Any
) -> str:
    claims, hidden = badge_claims(badge_document())
    claims |= {
        "iss": "https://badges.example/campus/itip",
        "vct": "https://badges.example/types/badge",
        "nbf": START,
        "cnf": {"jwk": HOLDER.public.to_jwk()},
        "status": token_list_entry(LIST, INDEX),
    }
    claims = {name: value for name, value in (claims | changed).items() if value is not ...}
    return issue_sd_jwt(
        claims,
        (hidden & _pointers(claims)) | {*also_hidden},
        signer=campus.jwt_signer,
        kind=kind,
        digests=DIGESTS,
    )


def _pointers(claims: Mapping[str, Any]) -> set[str]:
    return {f"/{name}" for name in claims} | {
        f"/achievement/{name}" for name in claims.get("achievement", ())
    }


def status_list(
    signer: Signer, *, revoked: bool = False, suspended: bool = False, url: str = LIST, **changed: Any
) -> str:
    bits, paused = StatusList(), StatusList()
    bits.set(INDEX, revoked)
    paused.set(INDEX, suspended)
    claims = token_list_claims(
        url,
        issuer="https://badges.example/campus/itip",
        status_list=bits,
        suspended=paused,
        valid_from=NOON,
        valid_until=NOON + timedelta(days=7),
        ttl=timedelta(minutes=1),
    )
    return sign_claims(claims | changed, signer=signer, kind=STATUS_TOKEN)


def checked(campus: Campus, text: str, listed: str | None = None) -> Report:
    listed = status_list(campus.jwt_signer) if listed is None else listed
    documents: Documents = campus.documents().with_({LIST: listed} if listed else {})
    return verify(text, documents=documents, at=NOON)


def test_a_fully_disclosed_badge_is_valid_with_the_content_of_its_document(campus: Campus) -> None:
    report = checked(campus, issued(campus))
    assert (report.verdict, report.form, report.container) == (Verdict.VALID, "sd_jwt", "jwt"), reasons(
        report
    )
    said, wanted = report.document, badge_document()
    assert said is not None
    assert report.remarks == ()
    assert said["credentialSubject"] == wanted["credentialSubject"]
    assert {name: said[name] for name in ("id", "name", "awardedDate")} == {
        name: wanted[name] for name in ("id", "name", "awardedDate")
    }


def test_a_withheld_holder_makes_a_part_and_not_a_forgery(campus: Campus) -> None:
    shown = present_sd_jwt(issued(campus), lambda name, _value: name in ("sub", "identifier"))
    report = checked(campus, shown)
    assert (report.verdict, reasons(report)["schema"]) == (Verdict.UNDETERMINED, "part_withheld")
    shown = present_sd_jwt(issued(campus), lambda name, _value: name in ("result", "role"))
    assert checked(campus, shown).verdict is Verdict.VALID


@pytest.mark.parametrize(("bit", "reason"), [("revoked", "revoked"), ("suspended", "suspended")])
def test_token_status_list_decides(campus: Campus, bit: str, reason: str) -> None:
    report = checked(campus, issued(campus), status_list(campus.jwt_signer, **{bit: True}))
    assert (report.verdict, reasons(report)["status"]) == (Verdict.INVALID, reason)


@pytest.mark.parametrize(
    ("exp", "reason"),
    [
        (START - 0.5, "status_list_stale"),
        (START, "status_list_stale"),
        (-1, "status_list_malformed"),
        (f"{START + 3600}", "status_list_malformed"),
        (None, "status_list_malformed"),
        (10**399, "status_list_malformed"),
        (START + 3600.5, "not_revoked"),
    ],
)
def test_end_of_a_token_status_list_is_read_or_refused(campus: Campus, exp: Any, reason: str) -> None:
    listed = status_list(campus.jwt_signer, exp=exp)
    assert reasons(checked(campus, issued(campus), listed))["status"] == reason


@pytest.mark.parametrize(
    ("nbf", "reason"),
    [
        (START - 60, "not_revoked"),
        (START + 3600, "status_list_stale"),
        (f"{START - 60}", "status_list_malformed"),
        (10**399, "status_list_malformed"),
    ],
)
def test_token_status_list_dated_ahead_leaves_the_status_open(campus: Campus, nbf: Any, reason: str) -> None:
    listed = status_list(campus.jwt_signer, nbf=nbf)
    assert reasons(checked(campus, issued(campus), listed))["status"] == reason


@pytest.mark.parametrize("claim", ["nbf", "exp"])
def test_a_time_beyond_every_float_is_a_malformed_claim(campus: Campus, claim: str) -> None:
    for value in (10**399, -(10**399)):
        report = checked(campus, issued(campus, **{claim: value}))
        assert report.verdict is not Verdict.VALID
        assert reasons(report)["readable"] == "malformed_jwt"


def test_a_status_value_with_an_application_specific_meaning_is_not_good(campus: Campus) -> None:
    claims = parse_compact_jws(status_list(campus.jwt_signer, suspended=True), max_length=1 << 20).payload
    bits = bytearray(zlib.decompress(decode_base64url(claims["status_list"]["lst"])))
    bits[INDEX // 4] |= 3 << 2 * (INDEX % 4)
    claims["status_list"]["lst"] = encode_base64url(zlib.compress(bytes(bits)))
    listed = sign_claims(claims, signer=campus.jwt_signer, kind=STATUS_TOKEN)
    report = checked(campus, issued(campus), listed)
    assert (report.verdict, reasons(report)["status"]) == (Verdict.UNDETERMINED, "status_type_not_read")


def test_token_without_a_status_may_withhold_it(campus: Campus) -> None:
    report = checked(campus, issued(campus, status=...))
    assert (report.verdict, reasons(report)["status"]) == (Verdict.UNDETERMINED, "status_may_be_withheld")


def test_claim_that_must_stay_visible_is_not_disclosable(
    campus: Campus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sd_jwt, "ALWAYS_DISCLOSED", frozenset(("iss", "vct")))
    text = issued(campus, also_hidden={"/status"})
    monkeypatch.undo()
    assert checked(campus, text).verdict is not Verdict.VALID


def test_a_list_of_another_signer_address_or_type_is_not_accepted(campus: Campus) -> None:
    text, other = issued(campus), Campus()
    assert (
        reasons(checked(campus, text, status_list(other.jwt_signer)))["status"] == "status_list_not_authentic"
    )
    elsewhere = status_list(campus.jwt_signer, url=f"{LIST}2")
    assert reasons(checked(campus, text, elsewhere))["status"] == "status_list_malformed"
    assert reasons(checked(campus, text, ""))["status"] == "status_list_unavailable"
    assert reasons(checked(campus, issued(campus, status={"status_list": {"uri": LIST}})))["status"] == (
        "status_entry_malformed"
    )
    far = issued(campus, status=token_list_entry(LIST, 10**9))
    assert reasons(checked(campus, far))["status"] == "status_index_out_of_range"


def test_expired_forged_and_differently_typed_tokens_are_refused(campus: Campus) -> None:
    assert reasons(checked(campus, issued(campus, exp=START + 1)))["validity"] == "expired"
    assert reasons(checked(campus, issued(Campus())))["proof"] != "signature_holds"
    for kind in ("JWT", "kb+jwt", "statuslist+jwt"):
        assert reasons(checked(campus, issued(campus, kind=kind)))["proof"] == "header_not_allowed"
    assert reasons(checked(campus, issued(campus, achievement=...)))["readable"] == "unrecognised_format"
    for text in ("ey~", issued(campus) + "x", issued(campus).replace("~", "~~", 1)):
        assert checked(campus, text).verdict is not Verdict.VALID


@pytest.mark.parametrize("named", ["sha-512", "md5", 256, None])
def test_an_unsupported_digest_algorithm_is_an_unrecognised_format(campus: Campus, named: Any) -> None:
    head, *rest = issued(campus).split("~")
    claims = parse_compact_jws(head).payload | {"_sd_alg": named}
    text = "~".join([sign_claims(claims, signer=campus.jwt_signer, kind="dc+sd-jwt"), *rest])
    report = checked(campus, text)
    assert (report.verdict, reasons(report)["readable"]) == (Verdict.UNDETERMINED, "unrecognised_format")
