"""Full answers about a status: reason and every detail, at a limit and one over. No signatures in these tests."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest

from sceau_credentials.keys import encode_base64url
from sceau_credentials.status_list import MINIMUM_SIZE, StatusList, status_entry, status_list_credential
from sceau_credentials.verification.answers import Policy
from sceau_credentials.verification.findings import Reason, found
from sceau_credentials.verification.status import StatusQuestion, status
from tests.support.badges.credentials import CREDENTIAL_ID, DID, HOST, LIST_URL, NOON
from tests.support.badges.documents import Documents
from tests.support.running.every import for_each

NAMES_URL = f"{HOST}/names.json"
NAMES = {"id": NAMES_URL, "type": "1EdTechRevocationList"}
ENTRY = status_entry(LIST_URL, 7)
BITS_ASKED = "application/vc, application/vc+jwt;q=0.9, application/json;q=0.8, text/plain;q=0.7"
SHORT = "u" + encode_base64url(gzip.compress(bytes(1000)))
ELSEWHERE = "did:web:elsewhere.example"


def bits(*raised: int, size: int = MINIMUM_SIZE, **changed: Any) -> dict[str, Any]:
    held = StatusList(size)
    for index in raised:
        held.set(index)
    listed = status_list_credential(
        LIST_URL,
        issuer=DID,
        status_list=held,
        purpose="revocation",
        valid_from=NOON - timedelta(hours=1),
        valid_until=None,
        ttl=timedelta(minutes=15),
    )
    subject = {**listed["credentialSubject"], **changed.pop("subject", {})}
    return {n: v for n, v in {**listed, "credentialSubject": subject, **changed}.items() if v is not ...}


def padded(document: dict[str, Any], length: int) -> str:
    short = json.dumps(document | {"name": ""})
    return json.dumps(document | {"name": "x" * (length - len(short))})


def status_answer(entries: Any, held: Any = None, *, age: int | None = None, **changed: Any) -> Any:
    """The reason and the details; `held` is what is served for the list, or all that is served, by address."""
    served = held if isinstance(held, dict) and LIST_URL in held else {LIST_URL: held or bits()}
    fetched_at = None if age is None else NOON - timedelta(seconds=age)
    question = StatusQuestion(
        issuer_id=DID,
        documents=Documents(served, fetched_at=fetched_at),
        at=NOON,
        policy=changed.pop("policy", Policy()),
        authenticate=changed.pop("authenticate", lambda _: None),
    )
    answer = status({"id": CREDENTIAL_ID, "credentialStatus": entries} | changed, question)
    return answer.reason, dict(answer.details)


AT = {"url": LIST_URL}


@for_each(
    ("entry", "reason", "details"),
    [
        (ENTRY, "not_revoked", AT),
        (ENTRY | {"type": ["BitstringStatusListEntry"]}, "not_revoked", AT),
        (ENTRY | {"statusListIndex": "x"}, "status_entry_malformed", {"pointer": "/statusListIndex"}),
        (ENTRY | {"statusPurpose": ""}, "status_entry_malformed", {"pointer": "/statusPurpose"}),
        (ENTRY | {"statusPurpose": "p" * 201}, "status_purpose_not_read", {"purpose": "p" * 200}),
        (ENTRY | {"statusPurpose": "refresh"}, "status_informative", {"purpose": "refresh"}),
        (ENTRY | {"statusPurpose": "message"}, "status_informative", {"purpose": "message"}),
        (ENTRY | {"statusPurpose": "suspension"}, "status_purpose_differs", AT | {"purpose": "suspension"}),
        (ENTRY | {"type": "t" * 201}, "status_type_not_read", {"type": "t" * 200}),
        (ENTRY | {"type": ["a", "b"]}, "status_type_not_read", {"type": "['a', 'b']"}),
        (ENTRY | {"type": []}, "status_type_not_read", {"type": "[]"}),
        ("an entry", "status_entry_malformed", {}),
        (["an entry"], "status_entry_malformed", {}),
        (None, "no_status_entry", {}),
        ([], "no_status_entry", {}),
        ([ENTRY, ENTRY | {"statusListIndex": "x"}], "status_entry_malformed", {"pointer": "/statusListIndex"}),
        ([ENTRY | {"type": "other"}, ENTRY], "status_type_not_read", {"type": "other"}),
        ([ENTRY, ENTRY | {"statusPurpose": "refresh"}], "not_revoked", AT),
    ],
)  # fmt: skip
def test_an_entry_gets_its_full_answer(entry: Any, reason: str, details: dict[str, str]) -> None:
    assert status_answer(entry) == (reason, details)


@for_each(
    ("served", "reason", "details"),
    [
        (bits(7), "revoked", AT),
        (bits(7, subject={"statusPurpose": ["suspension", "revocation"]}), "revoked", AT),
        (bits(id=...), "not_revoked", AT),
        (bits(id=f"{LIST_URL}0"), "status_list_malformed", AT | {"cause": "id"}),
        (bits(issuer=...), "status_list_of_another_issuer", AT | {"issuer": "None"}),
        (bits(issuer="d" * 501), "status_list_of_another_issuer", AT | {"issuer": "d" * 500}),
        (bits(validFrom=...), "not_revoked", AT),
        (bits(validFrom="2026-06-30T12:05:00Z"), "not_revoked", AT),
        (bits(validFrom="2026-06-30T12:05:01Z"), "status_list_stale", AT | {"cause": "period"}),
        (bits(validFrom="noon"), "status_list_malformed", AT | {"cause": "period"}),
        (bits(validUntil="2026-06-30T12:00:00Z"), "not_revoked", AT),
        (bits(validUntil="2026-06-30T11:59:59Z"), "status_list_stale", AT | {"cause": "period"}),
        (bits(validUntil="noon"), "status_list_malformed", AT | {"cause": "period"}),
        (padded(bits(), 512 * 1024), "not_revoked", AT),
        (padded(bits(), 512 * 1024 + 1), "status_list_malformed", AT | {"cause": "too_large"}),
        (b"\xff", "status_list_malformed", AT | {"cause": "not_utf8"}),
        ("{}", "status_list_malformed", AT | {"cause": "status_list"}),
        (
            bits(type=["StatusList2021Credential"], subject={"type": "StatusList2021"}),
            "status_list_malformed",
            AT | {"cause": "type"},
        ),
        (bits(subject={"encodedList": SHORT}), "status_list_too_short", AT | {"cause": "list_too_short"}),
        (bits(subject={"encodedList": "z"}), "status_list_malformed", AT | {"cause": "encoded_list"}),
    ],
)
def test_a_list_of_bits_gets_its_full_answer(served: Any, reason: str, details: dict[str, str]) -> None:
    assert status_answer(ENTRY, served) == (reason, details)


@pytest.mark.parametrize(
    ("age", "reason", "details"),
    [
        (0, "not_revoked", AT),
        (900, "not_revoked", AT),
        (901, "status_list_stale", AT | {"cause": "ttl"}),
    ],
)
def test_a_list_may_be_cached_to_the_last_second_of_its_lifetime(age: int, reason: str, details: Any) -> None:
    assert status_answer(ENTRY, age=age) == (reason, details)
    assert status_answer(ENTRY, bits(subject={"ttl": None}), age=age) == ("not_revoked", AT)


def token(**claims: Any) -> str:
    parts = ({"alg": "EdDSA", "kid": "k"}, bits() | {"iss": DID} | claims)
    return ".".join([*(encode_base64url(json.dumps(part).encode()) for part in parts), "A" * 86])


NOW = int(NOON.timestamp())
OLD = AT | {"cause": "period"}


@pytest.mark.parametrize(
    ("exp", "reason", "details"),
    [
        (NOW + 1, "not_revoked", AT),
        (NOW, "not_revoked", AT),
        (NOW - 1, "status_list_stale", OLD),
        (1, "status_list_stale", OLD),
        (0, "status_list_stale", OLD),
        (1.5, "status_list_stale", OLD),
        (NOW - 0.5, "status_list_stale", OLD),
        (NOW + 0.5, "not_revoked", AT),
        (253_402_300_799, "not_revoked", AT),
        (253_402_300_800, "status_list_malformed", OLD),
        (-1, "status_list_malformed", OLD),
        (True, "status_list_malformed", OLD),
        (None, "status_list_malformed", OLD),
        (str(NOW + 1), "status_list_malformed", OLD),
        (10**399, "status_list_malformed", OLD),
    ],
)
def test_the_end_of_the_token_around_a_list_is_its_end(exp: Any, reason: str, details: Any) -> None:
    """B-016. An end beyond our calendar does not mean « no end »."""
    far = {"validUntil": "9999-12-31T23:59:59Z"}
    assert status_answer(ENTRY, token(exp=exp, **far)) == (reason, details)


def test_a_claim_named_exp_inside_a_list_of_the_other_form_ends_nothing() -> None:
    assert status_answer(ENTRY, bits(exp=NOW - 1)) == ("not_revoked", AT)


def wide(index: int = 3, **changed: Any) -> dict[str, Any]:
    messages = [{"status": f"0x{value}", "message": f"m{value}"} for value in range(4)]
    return status_entry(LIST_URL, index) | {"statusSize": 2, "statusMessage": messages} | changed


@pytest.mark.parametrize(
    ("entry", "raised", "reason", "details"),
    [
        (wide(), (), "not_revoked", {}),
        (wide(), (7,), "revoked", {"value": "0x1", "message": "m1"}),
        (wide(), (6, 7), "revoked", {"value": "0x3", "message": "m3"}),
        (wide(statusMessage=[]), (6,), "revoked", {"value": "0x2"}),
        (wide(statusSize=1), (3,), "revoked", {"message": "m1"}),
        (wide(MINIMUM_SIZE), (), "status_index_out_of_range", {"index": str(MINIMUM_SIZE)}),
    ],
)
def test_a_value_is_reported_with_its_message(
    entry: Any, raised: Any, reason: str, details: dict[str, str]
) -> None:
    assert status_answer(entry, bits(*raised, size=2 * MINIMUM_SIZE)) == (reason, AT | details)


def test_the_older_kind_of_list_is_read_under_its_own_name() -> None:
    older = bits(7, type=["StatusList2021Credential"], subject={"type": "StatusList2021"})
    assert status_answer(ENTRY | {"type": "StatusList2021Entry"}, older) == ("revoked", AT)


def test_a_suspension_is_reported_and_so_is_the_message_of_value_zero() -> None:
    suspended = bits(7, subject={"statusPurpose": "suspension"})
    assert status_answer(ENTRY | {"statusPurpose": "suspension"}, suspended) == ("suspended", AT)
    message = bits(size=2 * MINIMUM_SIZE, subject={"statusPurpose": "message"})
    answer = ("status_informative", {"purpose": "message", "message": "m0"})
    assert status_answer(wide(statusPurpose="message"), message) == answer


@pytest.mark.parametrize(("entries", "least"), [(2, 2), (3, 3)])
def test_a_wide_list_has_the_minimum_number_of_entries(entries: int, least: int) -> None:
    entry = wide(statusSize=entries)
    assert status_answer(entry, bits(size=least * MINIMUM_SIZE))[0] == "not_revoked"
    short = ("status_list_too_short", AT | {"cause": "statusSize"})
    assert status_answer(entry, bits(size=least * MINIMUM_SIZE - 8)) == short


def test_messages_of_several_entries_are_deduplicated_and_cut_to_five_hundred_characters() -> None:
    long = [{"status": "0x1", "message": "é" * 300}]
    entries = [wide(statusSize=1), wide(statusSize=1), wide(4, statusSize=1, statusMessage=long)]
    assert status_answer(entries, bits(3, 4)) == ("revoked", AT | {"message": "m1; " + "é" * 300})
    other = [{"status": "0x1", "message": "à" * 300}]
    entries += [wide(5, statusSize=1, statusMessage=other)]
    expected = ("m1; " + "é" * 300 + "; " + "à" * 300)[:500]
    assert status_answer(entries, bits(3, 4, 5)) == ("revoked", AT | {"message": expected})


def test_the_worst_of_several_entries_is_the_answer() -> None:
    open_one, no_answer = ENTRY | {"type": "other"}, ENTRY | {"statusPurpose": "refresh"}
    assert status_answer([no_answer, open_one, ENTRY], bits(7))[0] == "revoked"
    assert status_answer([no_answer, ENTRY, open_one])[0] == "status_type_not_read"
    assert status_answer([no_answer, ENTRY])[0] == "not_revoked"


def test_the_policy_decides_how_a_status_is_checked() -> None:
    required, left_out = Policy(require_status=True), Policy(check_status=False)
    assert status_answer(ENTRY, policy=left_out) == ("status_left_out", {})
    assert status_answer(None, policy=required) == ("status_required", {})
    assert status_answer(ENTRY, policy=required) == ("not_revoked", AT)
    assert status_answer(ENTRY | {"statusPurpose": "refresh"}, policy=required) == ("status_required", {})


def test_a_fault_of_the_lists_signature_is_the_answer() -> None:
    against = found(Reason.STATUS_LIST_NOT_AUTHENTIC, cause="x")
    answer = ("status_list_not_authentic", {"cause": "x"})
    assert status_answer(ENTRY, bits(7), authenticate=lambda _: against) == answer


def names(*entries: Any, member: str = "revokedCredential", **changed: Any) -> dict[str, Any]:
    return {"id": NAMES_URL, "issuer": DID, member: list(entries)} | changed


def named(served: Any, **changed: Any) -> Any:
    return status_answer(NAMES, {LIST_URL: b"", NAMES_URL: served}, **changed)


LISTED = {"url": NAMES_URL, "signed": "no"}


@for_each(
    ("served", "reason", "details"),
    [
        (names(), "not_listed", {"signed": "no"}),
        (names(f"{CREDENTIAL_ID}0", {"id": HOST}), "not_listed", {"signed": "no"}),
        (names(CREDENTIAL_ID), "revoked", {"signed": "no"}),
        (names(f" {CREDENTIAL_ID}\n"), "revoked", {"signed": "no"}),
        (names(CREDENTIAL_ID.replace("/", "%2F")), "revoked", {"signed": "no"}),
        (names(CREDENTIAL_ID, member="revokedCredentials"), "revoked", {"signed": "no"}),
        (names(revokedCredentials=[CREDENTIAL_ID]), "not_listed", {"signed": "no"}),
        (names({"id": CREDENTIAL_ID, "revoked": False}), "not_listed", {"signed": "no"}),
        (names({"id": CREDENTIAL_ID, "revoked": None}), "revoked", {"signed": "no"}),
        (names({"id": CREDENTIAL_ID, "revocationReason": "r" * 501}), "revoked",
         {"signed": "no", "message": "r" * 500}),
        (names({"id": CREDENTIAL_ID, "revocationReason": ""}), "revoked", {"signed": "no"}),
        (names({"id": 7}), "status_list_malformed", {"cause": "revocation_list"}),
        (names(None), "status_list_malformed", {"cause": "revocation_list"}),
        (names(revokedCredential="x"), "status_list_malformed", {"cause": "revocation_list"}),
        (names(id=f"{NAMES_URL}0"), "status_list_malformed", {"cause": "id"}),
        ({"revokedCredential": []}, "not_listed", {"signed": "no"}),
        (names(issuer=ELSEWHERE), "status_list_of_another_issuer", {"issuer": ELSEWHERE}),
        (names(issuer="d" * 501), "status_list_of_another_issuer", {"issuer": "d" * 500}),
        (padded(names(), 2 * 1024 * 1024), "not_listed", {"signed": "no"}),
        (padded(names(), 2 * 1024 * 1024 + 1), "status_list_malformed", {"cause": "too_large"}),
    ],
)  # fmt: skip
def test_a_list_of_identifiers_gets_its_full_answer(
    served: Any, reason: str, details: dict[str, str]
) -> None:
    assert named(served) == (reason, {"url": NAMES_URL} | details)


@pytest.mark.parametrize(
    "entry", [NAMES | {"id": 7}, NAMES | {"id": "ftp://a.example/"}, {"type": NAMES["type"]}]
)
def test_a_list_of_identifiers_without_an_address_is_not_an_entry(entry: Any) -> None:
    assert status_answer(entry) == ("status_entry_malformed", {"pointer": "/id"})
    assert named(names(), id=7) == ("status_entry_malformed", {"pointer": "/id"})


def test_an_unreachable_list_is_named_with_the_cause_and_has_its_accept_header() -> None:
    wanted: list[tuple[str, str]] = []

    class Noting(Documents):
        def fetch(self, url: str, *, accept: str = "") -> Any:
            wanted.append((url, accept))
            return super().fetch(url, accept=accept)

    question = StatusQuestion(DID, Noting(), NOON, Policy(), lambda _: None)
    for entry, url in ((ENTRY, LIST_URL), (NAMES, NAMES_URL)):
        answer = status({"id": CREDENTIAL_ID, "credentialStatus": entry}, question)
        unavailable = ("status_list_unavailable", {"url": url, "cause": "not_found"})
        assert (answer.reason, answer.details) == unavailable
    assert wanted == [(LIST_URL, BITS_ASKED), (NAMES_URL, "application/json")]
