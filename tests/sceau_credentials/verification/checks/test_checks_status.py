"""Withdrawal (C-006): an unreliable list gives no answer (C-025)."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import Any

import pytest

from sceau_credentials.keys import encode_base64url
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.proofs.vc_jwt import sign_claims, sign_jwt
from sceau_credentials.status_list import StatusList, status_entry
from sceau_credentials.verification.answers import Policy, Secured
from sceau_credentials.verification.other_documents import verify_credential
from sceau_credentials.verification.report import CheckId, Verdict
from sceau_credentials.verification.status import StatusQuestion, status
from tests.support.badges.credentials import DID, HOST, LIST_INDEX, LIST_URL, NOON, Campus, badge_document
from tests.support.badges.documents import Documents
from tests.support.badges.forgery import CAMPUS, EMBEDDED, FORGER, SIGNED, asked, resigned
from tests.support.running.every import for_each


def signed_list(**subject: Any) -> dict[str, Any]:
    """The campus's list with members of its subject changed, signed again by the campus itself."""
    unsigned = {name: value for name, value in CAMPUS.status_list().items() if name != "proof"}
    changed = {n: v for n, v in (unsigned["credentialSubject"] | subject).items() if v is not ...}
    return add_proof(unsigned | {"credentialSubject": changed}, signer=CAMPUS.signer, created=NOON)


def by_the_forger() -> dict[str, Any]:
    return Campus(key=FORGER.key).status_list()


SHORT = "u" + encode_base64url(gzip.compress(bytes(1000)))
BOMB = "u" + encode_base64url(gzip.compress(bytes(64 * 1024 * 1024)))

LISTS: list[tuple[str, Any, str]] = [
    ("garbage", b"<html>", "status_list_malformed"),
    ("not utf-8", b"\xff\xfe\xfd", "status_list_malformed"),
    ("a badge", EMBEDDED, "status_list_malformed"),
    (
        "unsigned",
        {n: v for n, v in CAMPUS.status_list().items() if n != "proof"},
        "status_list_not_authentic",
    ),
    ("altered", CAMPUS.status_list() | {"name": "x"}, "status_list_not_authentic"),
    ("signed by another", by_the_forger(), "status_list_not_authentic"),
    (
        "another issuer's",
        CAMPUS.status_list(issuer="did:web:elsewhere.example"),
        "status_list_of_another_issuer",
    ),
    ("another list", CAMPUS.status_list(id=f"{HOST}/statuts/2"), "status_list_malformed"),
    ("another purpose", signed_list(statusPurpose="suspension"), "status_purpose_differs"),
    ("no purpose", signed_list(statusPurpose=...), "status_list_malformed"),
    ("no list", signed_list(encodedList=...), "status_list_malformed"),
    ("prefix missing", signed_list(encodedList=StatusList().encode()[1:]), "status_list_malformed"),
    ("not gzip", signed_list(encodedList="uAAAA"), "status_list_malformed"),
    ("too short", signed_list(encodedList=SHORT), "status_list_too_short"),
    ("a bomb", signed_list(encodedList=BOMB), "status_list_malformed"),
    ("over", CAMPUS.status_list(at=NOON - timedelta(days=3)), "status_list_stale"),
    (
        "claims of another issuer",
        sign_claims(
            {n: v for n, v in CAMPUS.status_list().items() if n != "proof"}
            | {"iss": "did:web:elsewhere.example"},
            signer=CAMPUS.jwt_signer,
            kind="JWT",
        ),
        "status_list_not_authentic",
    ),
    ("not begun", CAMPUS.status_list(at=NOON + timedelta(days=1)), "status_list_stale"),
]


@for_each(("name", "served", "reason"), LISTS, ids=[name for name, _, _ in LISTS])
def test_an_unreliable_status_list_leaves_the_verdict_open(name: str, served: Any, reason: str) -> None:
    """C-028, T18: neither revoked nor valid, but unknown."""
    documents = CAMPUS.documents(**{LIST_URL: served})
    beside = verify_credential(SIGNED.embedded.decode(), documents=documents, at=NOON)
    assert beside.check(CheckId.STATUS).reason == reason, "as a credential of any kind too"
    report = asked(SIGNED.embedded, documents)
    assert (report.verdict, report.check(CheckId.STATUS).reason) == (Verdict.UNDETERMINED, reason)


def test_a_list_cached_longer_than_its_time_to_live_is_stale() -> None:
    served = CAMPUS.documents().held
    for minutes, verdict in ((14, Verdict.VALID), (16, Verdict.UNDETERMINED)):
        documents = Documents(served, fetched_at=NOON - timedelta(minutes=minutes))
        assert asked(SIGNED.embedded, documents).verdict is verdict


ENTRIES: list[tuple[dict[str, Any], str]] = [
    ({"statusListIndex": "131072"}, "status_index_out_of_range"),
    ({"statusListIndex": "9999999999"}, "status_index_out_of_range"),
    ({"statusListIndex": 94_567}, "revoked"),
    ({"statusListIndex": "94567"}, "revoked"),
    ({"statusPurpose": "message"}, "status_informative"),
    ({"statusPurpose": "refresh"}, "status_informative"),
    ({"statusPurpose": "mood"}, "status_purpose_not_read"),
    ({"statusPurpose": "suspension"}, "status_purpose_differs"),
]


@pytest.mark.parametrize(("changed", "reason"), ENTRIES)
def test_a_status_entry_is_read_as_the_standard_specifies(changed: dict[str, Any], reason: str) -> None:
    campus = Campus(key=CAMPUS.key, revoked={LIST_INDEX})
    presented = resigned(credentialStatus=status_entry(LIST_URL, LIST_INDEX) | changed)
    report = asked(json.dumps(presented), campus.documents())
    assert report.check(CheckId.STATUS).reason == reason


@pytest.mark.parametrize("index", ["-1", "1e3", "0x10", " 1", "１", "", "1.0", 1.5, True, -1, None, [1]])
def test_an_invalid_status_index_never_makes_a_badge_valid(index: Any) -> None:
    entry = status_entry(LIST_URL, 0) | {"statusListIndex": index}
    signed = sign_jwt(badge_document() | {"credentialStatus": entry}, signer=CAMPUS.jwt_signer)
    assert asked(signed).verdict is not Verdict.VALID


def test_a_suspended_badge_is_distinguished_from_a_revoked_one() -> None:
    campus = Campus(key=CAMPUS.key, revoked={LIST_INDEX})
    entry = status_entry(LIST_URL, LIST_INDEX, "suspension")
    bits = StatusList()
    bits.set(LIST_INDEX)
    served = signed_list(statusPurpose="suspension", encodedList=bits.encode())
    report = asked(json.dumps(resigned(credentialStatus=entry)), campus.documents(**{LIST_URL: served}))
    assert (report.verdict, report.check(CheckId.STATUS).reason) == (Verdict.INVALID, "suspended")


def test_of_several_status_entries_all_must_be_good() -> None:
    entries = [
        status_entry(LIST_URL, 1) | {"statusPurpose": "refresh"},
        status_entry(LIST_URL, 2),
        status_entry(LIST_URL, LIST_INDEX),
    ]
    signed = sign_jwt(badge_document() | {"credentialStatus": entries}, signer=CAMPUS.jwt_signer)
    revoking = Campus(key=CAMPUS.key, revoked={LIST_INDEX})
    assert asked(signed, revoking.documents()).check(CheckId.STATUS).reason == "revoked"
    assert asked(signed, revoking.documents()).verdict is not Verdict.VALID


def test_a_list_is_read_and_judged_once_however_many_entries_name_it() -> None:
    checked = []

    def authenticate(listed: Secured) -> None:
        checked.append(listed)

    question = StatusQuestion(DID, CAMPUS.documents(), NOON, Policy(), authenticate)
    entries = [status_entry(LIST_URL, index) for index in (1, 2, 3)]
    assert status(badge_document() | {"credentialStatus": entries}, question).reason == "not_revoked"
    assert len(checked) == 1


@pytest.mark.parametrize(("place", "reason"), [(0, "revoked"), (7, "revoked"), (8, "status_entry_malformed")])
def test_only_the_first_eight_status_entries_are_checked(place: int, reason: str) -> None:
    entries = [status_entry(LIST_URL, index) for index in range(1, 10)]
    entries[place] = status_entry(LIST_URL, LIST_INDEX)
    signed = sign_jwt(badge_document() | {"credentialStatus": entries}, signer=CAMPUS.jwt_signer)
    revoking = Campus(key=CAMPUS.key, revoked={LIST_INDEX})
    assert asked(signed, revoking.documents()).check(CheckId.STATUS).reason == reason
    assert asked(signed).check(CheckId.STATUS).reason == "status_entry_malformed"


def test_eight_good_entries_are_good() -> None:
    entries = [status_entry(LIST_URL, index) for index in range(1, 9)]
    signed = sign_jwt(badge_document() | {"credentialStatus": entries}, signer=CAMPUS.jwt_signer)
    assert asked(signed).verdict is Verdict.VALID


def test_a_badge_of_the_wrong_shape_is_no_forgery_for_that_and_may_be_withdrawn_besides() -> None:
    """C-024: each of the three is reported, whatever the others are."""
    document = badge_document() | {"validUntil": "2026-06-30T12:00:00Z"}
    del document["credentialSubject"]["achievement"]["criteria"]
    revoking = Campus(key=CAMPUS.key, revoked={LIST_INDEX})
    report = asked(sign_jwt(document, signer=CAMPUS.jwt_signer), revoking.documents())
    found = {answer.id.value: answer.reason for answer in report.checks}
    assert (found["schema"], found["proof"], found["status"]) == (
        "schema_violation",
        "signature_holds",
        "revoked",
    )
    assert report.verdict is Verdict.INVALID


def test_an_unknown_kind_of_status_leaves_the_verdict_open() -> None:
    entry = {"id": f"{HOST}/revocations.json", "type": "SomeOtherList"}
    report = asked(sign_jwt(badge_document() | {"credentialStatus": entry}, signer=CAMPUS.jwt_signer))
    assert (report.verdict, report.check(CheckId.STATUS).reason) == (
        Verdict.UNDETERMINED,
        "status_type_not_read",
    )
