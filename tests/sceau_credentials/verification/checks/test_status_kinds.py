"""Lists of other kinds and widths, lists as tokens, and messages."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import timedelta
from typing import Any

import pytest

from sceau_credentials.keys import Algorithm, encode_base64url
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.proofs.vc_jwt import sign_jwt
from sceau_credentials.status_list import MINIMUM_SIZE, StatusList, status_entry
from sceau_credentials.verification.answers import Policy
from sceau_credentials.verification.report import CheckId, Report, Verdict
from sceau_credentials.verification.run_checks import verify
from tests.support.badges.credentials import DID, HOST, LIST_INDEX, LIST_URL, NOON, badge_document
from tests.support.badges.forgery import CAMPUS, FORGER, asked

MESSAGES = [
    {"status": "0x0", "message": "en règle"},
    {"status": "0x1", "message": "en cours d'examen"},
    {"status": "0x2", "message": "retiré à la demande du titulaire"},
    {"status": "0x3", "message": "donné par erreur"},
]


def badge_with(*entries: Any) -> str:
    named = list(entries) if len(entries) > 1 else entries[0]
    return sign_jwt(badge_document() | {"credentialStatus": named}, signer=CAMPUS.jwt_signer)


def wide_entry(index: int, purpose: str = "revocation", width: int = 2) -> dict[str, Any]:
    entry = status_entry(LIST_URL, index) | {"statusPurpose": purpose, "statusSize": width}
    return entry | {"statusMessage": MESSAGES}


def list_with(*positions: int, size: int = MINIMUM_SIZE, purpose: str = "revocation") -> dict[str, Any]:
    bits = StatusList(size)
    for position in positions:
        bits.set(position)
    unsigned = {name: value for name, value in CAMPUS.status_list().items() if name != "proof"}
    subject = unsigned["credentialSubject"] | {"encodedList": bits.encode(), "statusPurpose": purpose}
    return add_proof(unsigned | {"credentialSubject": subject}, signer=CAMPUS.signer, created=NOON)


def status_of(report: Report) -> tuple[str, str | None]:
    answer = report.check(CheckId.STATUS)
    return answer.reason, answer.details.get("message")


@pytest.mark.parametrize(
    ("positions", "result"),
    [
        ((), ("not_revoked", None)),
        ((21,), ("revoked", "en cours d'examen")),
        ((20,), ("revoked", "retiré à la demande du titulaire")),
        ((20, 21), ("revoked", "donné par erreur")),
        ((19, 22), ("not_revoked", None)),
    ],
)
def test_a_status_of_two_bits_is_reported_with_the_issuers_message(
    positions: tuple[int, ...], result: tuple[str, str | None]
) -> None:
    """D-006: every value but 0 withdraws, and the list has the message of each."""
    served = CAMPUS.documents(**{LIST_URL: list_with(*positions, size=2 * MINIMUM_SIZE)})
    report = asked(badge_with(wide_entry(10)), served)
    assert status_of(report) == result
    assert [remark.details for remark in report.remarks] == ([{"message": result[1]}] if result[1] else [])


def test_a_list_must_have_its_least_number_of_entries_whatever_their_width() -> None:
    """D-016: its length over the width."""
    served = CAMPUS.documents(**{LIST_URL: list_with()})
    assert status_of(asked(badge_with(wide_entry(10)), served))[0] == "status_list_too_short"


def test_a_wide_entry_without_its_messages_is_invalid() -> None:
    entry = status_entry(LIST_URL, 10) | {"statusSize": 2}
    assert asked(badge_with(entry)).check(CheckId.SCHEMA).reason == "schema_violation"


@pytest.mark.parametrize("size", [0, -1, "2", 1.5, 65, True])
def test_an_invalid_width_makes_no_badge_valid(size: Any) -> None:
    entry = wide_entry(10) | {"statusSize": size}
    assert asked(badge_with(entry)).verdict is not Verdict.VALID


def test_a_message_is_reported_and_changes_no_verdict() -> None:
    """D-004."""
    served = CAMPUS.documents(
        **{
            LIST_URL: list_with(),
            f"{HOST}/statuts/2": list_with(20, size=2 * MINIMUM_SIZE, purpose="message")
            | {"id": f"{HOST}/statuts/2"},
        }
    )
    again = {n: v for n, v in served.held[f"{HOST}/statuts/2"].items() if n != "proof"}
    served.held[f"{HOST}/statuts/2"] = add_proof(again, signer=CAMPUS.signer, created=NOON)
    entry = wide_entry(10, "message") | {"statusListCredential": f"{HOST}/statuts/2"}
    report = asked(badge_with(status_entry(LIST_URL, LIST_INDEX), entry), served)
    assert report.verdict is Verdict.VALID
    assert status_of(report) == ("not_revoked", "retiré à la demande du titulaire")
    gone = served.without(f"{HOST}/statuts/2")
    assert status_of(asked(badge_with(entry), gone)) == ("status_informative", None)


def list_2021(encoded: str | None = None, **changed: Any) -> dict[str, Any]:
    bits = StatusList()
    bits.set(LIST_INDEX)
    compressed = gzip.compress(bits.to_bytes(), mtime=0)
    document = {
        "@context": [
            "https://www.w3.org/2018/credentials/v1",
            "https://w3id.org/vc/status-list/2021/v1",
            "https://w3id.org/security/data-integrity/v1",
        ],
        "id": LIST_URL,
        "type": ["VerifiableCredential", "StatusList2021Credential"],
        "issuer": DID,
        "issuanceDate": "2026-06-30T11:00:00Z",
        "credentialSubject": {
            "id": f"{LIST_URL}#list",
            "type": "StatusList2021",
            "statusPurpose": "revocation",
            "encodedList": encoded or encode_base64url(compressed),
        },
    } | changed
    return add_proof(document, signer=CAMPUS.signer, created=NOON)


def entry_2021(index: int) -> dict[str, Any]:
    return status_entry(LIST_URL, index) | {"type": "StatusList2021Entry"}


@pytest.mark.parametrize(("index", "reason"), [(LIST_INDEX, "revoked"), (LIST_INDEX + 1, "not_revoked")])
def test_the_bits_of_2021_are_read_under_their_older_name(index: int, reason: str) -> None:
    served = CAMPUS.documents(**{LIST_URL: list_2021()})
    assert status_of(asked(badge_with(entry_2021(index)), served))[0] == reason
    padded = base64.b64encode(gzip.compress(StatusList().to_bytes(), mtime=0)).decode()
    served = CAMPUS.documents(**{LIST_URL: list_2021(padded)})
    assert status_of(asked(badge_with(entry_2021(index)), served))[0] == "not_revoked"


LISTS_2021 = [
    (list_2021(expirationDate="2026-06-30T11:59:59Z"), "status_list_stale"),
    (list_2021(issuanceDate="2026-07-30T11:00:00Z"), "status_list_stale"),
    (list_2021(issuer="did:web:elsewhere.example"), "status_list_of_another_issuer"),
    (list_2021(encode_base64url(gzip.compress(bytes(100)))), "status_list_too_short"),
    (list_2021(encode_base64url(gzip.compress(bytes(4 * 1024 * 1024)))), "status_list_malformed"),
    (list_2021() | {"issuanceDate": "2026-06-30T11:30:00Z"}, "status_list_not_authentic"),
    (list_with(), "status_list_malformed"),
]


@pytest.mark.parametrize(("served", "reason"), LISTS_2021, ids=range(len(LISTS_2021)))
def test_a_list_of_2021_is_held_to_the_same_rules(served: dict[str, Any], reason: str) -> None:
    report = asked(badge_with(entry_2021(LIST_INDEX)), CAMPUS.documents(**{LIST_URL: served}))
    assert (report.verdict, status_of(report)[0]) == (Verdict.UNDETERMINED, reason)


NAMES_URL = f"{HOST}/revocations.json"


def names(*entries: Any, **changed: Any) -> dict[str, Any]:
    return {"id": NAMES_URL, "issuer": DID, "revokedCredential": list(entries)} | changed


def named_in(served: Any) -> Report:
    entry = {"id": NAMES_URL, "type": "1EdTechRevocationList"}
    return asked(badge_with(entry), CAMPUS.documents(**({NAMES_URL: served} if served is not None else {})))


IDENTIFIER = badge_document()["id"]


@pytest.mark.parametrize(
    ("served", "reason", "verdict"),
    [
        (names(), "not_listed", Verdict.VALID),
        (names({"id": f"{HOST}/attributions/x", "revoked": True}), "not_listed", Verdict.VALID),
        (names({"id": IDENTIFIER, "revoked": False}), "not_listed", Verdict.VALID),
        (names({"id": IDENTIFIER}), "revoked", Verdict.INVALID),
        (
            names({"id": f" {IDENTIFIER.replace('attributions', '%61ttributions')}"}),
            "revoked",
            Verdict.INVALID,
        ),
        (names(IDENTIFIER), "revoked", Verdict.INVALID),
        ({"revokedCredentials": [{"id": IDENTIFIER}]}, "revoked", Verdict.INVALID),
        (names(issuer="did:web:elsewhere.example"), "status_list_of_another_issuer", Verdict.UNDETERMINED),
        (names(id=f"{HOST}/other.json"), "status_list_malformed", Verdict.UNDETERMINED),
        (names(None), "status_list_malformed", Verdict.UNDETERMINED),
        ({"id": NAMES_URL}, "status_list_malformed", Verdict.UNDETERMINED),
        (b"[]", "status_list_malformed", Verdict.UNDETERMINED),
        (None, "status_list_unavailable", Verdict.UNDETERMINED),
    ],
)
def test_an_unsigned_list_of_identifiers_is_reported_with_a_warning(
    served: Any, reason: str, verdict: Verdict
) -> None:
    """D-022 to D-024: it has no signature, and without it the status is unknown."""
    report = named_in(served)
    assert (status_of(report)[0], report.verdict) == (reason, verdict)
    result = [remark.code for remark in report.remarks]
    assert result == (["status_unsigned"] if reason in ("not_listed", "revoked") else [])


def test_the_issuers_reason_for_a_withdrawal_is_reported() -> None:
    report = named_in(names({"id": IDENTIFIER, "revocationReason": "Donné par erreur."}))
    assert status_of(report) == ("revoked", "Donné par erreur.")


@pytest.mark.parametrize("url", ["http://evil.example/x", "file:///etc/passwd", "ftp://a.example/", 5, None])
def test_a_list_of_identifiers_has_a_safe_address_or_is_not_fetched(url: Any) -> None:
    documents = CAMPUS.documents()
    report = asked(badge_with({"id": url, "type": "1EdTechRevocationList"}), documents)
    assert report.verdict is not Verdict.VALID
    assert not any("evil" in each or "etc" in each for each in documents.asked)


def list_as_token(**claims: Any) -> str:
    document = {n: v for n, v in CAMPUS.status_list().items() if n != "proof"}
    header = {"alg": "EdDSA", "typ": "vc+jwt", "kid": CAMPUS.jwt_signer.verification_method}
    signing_input = ".".join(
        encode_base64url(json.dumps(each).encode()) for each in (header, document | claims)
    )
    return f"{signing_input}.{encode_base64url(CAMPUS.key.sign(signing_input.encode()))}"


NOW = int(NOON.timestamp())


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({}, "not_revoked"),
        ({"iss": DID, "iat": NOW, "exp": NOW + 60}, "not_revoked"),
        ({"exp": NOW - 1}, "status_list_stale"),
        ({"nbf": NOW - 60}, "not_revoked"),
        ({"nbf": NOW + 3_600}, "status_list_stale"),
        ({"nbf": "soon"}, "status_list_malformed"),
        ({"nbf": True}, "status_list_malformed"),
        ({"iss": "did:web:elsewhere.example"}, "status_list_not_authentic"),
    ],
)
def test_a_list_may_be_a_token_without_repeated_claims(claims: dict[str, Any], reason: str) -> None:
    """D-014: application/vc+jwt, where `exp` is the end of the signature (B-016)."""
    served = CAMPUS.documents(**{LIST_URL: list_as_token(**claims)})
    assert status_of(asked(badge_with(status_entry(LIST_URL, LIST_INDEX)), served))[0] == reason


def test_a_list_as_a_token_of_another_signer_is_refused() -> None:
    document = {n: v for n, v in CAMPUS.status_list().items() if n != "proof"}
    subject = document["credentialSubject"] | {"id": f"{LIST_URL}#list"}
    forged = sign_jwt(document | {"credentialSubject": subject}, signer=FORGER.jwt_signer)
    report = asked(badge_with(status_entry(LIST_URL, LIST_INDEX)), CAMPUS.documents(**{LIST_URL: forged}))
    assert status_of(report)[0] == "status_list_not_authentic"
    assert FORGER.jwt_algorithm is Algorithm.EDDSA


def test_a_large_list_as_a_token_is_read() -> None:
    """A full list compresses badly: as a token it is longer than a badge may be."""
    bits = StatusList(8 * 131_072, bytes((i * 37 + (i >> 5)) * 101 & 0xFF for i in range(131_072)))
    document = {n: v for n, v in CAMPUS.status_list().items() if n != "proof"}
    noisy = "u" + encode_base64url(gzip.compress(bits.to_bytes(), compresslevel=0))
    document["credentialSubject"] |= {"encodedList": noisy}
    served = CAMPUS.documents(**{LIST_URL: sign_jwt(document, signer=CAMPUS.jwt_signer)})
    assert len(served.held[LIST_URL]) > 64 * 1024
    reason = status_of(asked(badge_with(status_entry(LIST_URL, LIST_INDEX)), served))[0]
    assert reason in ("revoked", "not_revoked")


@pytest.mark.parametrize("entries", [[], [status_entry(LIST_URL, 1) | {"statusPurpose": "refresh"}]])
def test_a_policy_that_requires_a_status_does_not_accept_none(entries: list[Any]) -> None:
    presented = (
        badge_with(*entries)
        if entries
        else sign_jwt(
            {n: v for n, v in badge_document().items() if n != "credentialStatus"}, signer=CAMPUS.jwt_signer
        )
    )
    for policy, verdict in ((Policy(), Verdict.VALID), (Policy(require_status=True), Verdict.UNDETERMINED)):
        report = verify(
            presented, documents=CAMPUS.documents(), at=NOON + timedelta(minutes=1), policy=policy
        )
        assert report.verdict is verdict
