"""Details of an answer about a status: which list, and its fault."""

from __future__ import annotations

import gzip
from datetime import timedelta
from typing import Any

import pytest

from sceau_credentials.keys import encode_base64url
from sceau_credentials.status_list import MINIMUM_SIZE, status_entry
from sceau_credentials.verification.report import CheckId, Report
from tests.sceau_credentials.verification.checks.test_checks_status import signed_list
from tests.sceau_credentials.verification.checks.test_status_kinds import (
    IDENTIFIER,
    NAMES_URL,
    badge_with,
    entry_2021,
    list_2021,
    list_with,
    named_in,
    names,
    wide_entry,
)
from tests.support.badges.credentials import HOST, LIST_INDEX, LIST_URL, NOON
from tests.support.badges.documents import Documents
from tests.support.badges.forgery import CAMPUS, EMBEDDED, SIGNED, asked

ELSEWHERE = "did:web:elsewhere.example"
SHORT = "u" + encode_base64url(gzip.compress(bytes(1000)))


def status_answer(report: Report) -> tuple[str, dict[str, str]]:
    answer = report.check(CheckId.STATUS)
    return answer.reason, dict(answer.details)


def about_list(served: Any, entry: Any = None, **changed: Any) -> tuple[str, dict[str, str]]:
    documents = CAMPUS.documents(**{LIST_URL: served})
    return status_answer(asked(badge_with(entry or status_entry(LIST_URL, LIST_INDEX)), documents, **changed))


@pytest.mark.parametrize(
    ("served", "reason", "details"),
    [
        (b"\xff\xfe\xfd", "status_list_malformed", {"cause": "not_utf8"}),
        (EMBEDDED, "status_list_malformed", {"cause": "status_list"}),
        (signed_list(encodedList=SHORT), "status_list_too_short", {"cause": "list_too_short"}),
        (signed_list(encodedList="z"), "status_list_malformed", {"cause": "encoded_list"}),
        (CAMPUS.status_list(id=f"{HOST}/statuts/2"), "status_list_malformed", {"cause": "id"}),
        (CAMPUS.status_list(issuer=ELSEWHERE), "status_list_of_another_issuer", {"issuer": ELSEWHERE}),
        (signed_list(statusPurpose="suspension"), "status_purpose_differs", {"purpose": "revocation"}),
        (CAMPUS.status_list(validUntil="hier"), "status_list_malformed", {"cause": "period"}),
        (CAMPUS.status_list(validFrom="2030-01-01T00:00:00Z"), "status_list_stale", {"cause": "period"}),
        (CAMPUS.status_list(validUntil="2020-01-01T00:00:00Z"), "status_list_stale", {"cause": "period"}),
        (signed_list(), "not_revoked", {}),
    ],
)
def test_an_unreliable_list_is_named_with_its_fault(
    served: Any, reason: str, details: dict[str, str]
) -> None:
    assert about_list(served) == (reason, {"url": LIST_URL} | details)


def test_an_unreachable_list_is_named_with_the_cause() -> None:
    report = asked(SIGNED.embedded, CAMPUS.documents().without(LIST_URL))
    assert status_answer(report) == ("status_list_unavailable", {"url": LIST_URL, "cause": "not_found"})


def test_a_list_of_the_other_kind_gives_no_answer() -> None:
    assert about_list(list_2021()) == ("status_list_malformed", {"url": LIST_URL, "cause": "type"})
    assert about_list(signed_list(), entry_2021(LIST_INDEX))[1]["cause"] == "type"


def test_a_wide_entry_in_a_short_list_is_distinguished_from_a_short_list() -> None:
    assert about_list(list_with(), wide_entry(10)) == (
        "status_list_too_short",
        {"url": LIST_URL, "cause": "statusSize"},
    )


@pytest.mark.parametrize(
    ("positions", "details"),
    [
        ((21,), {"value": "0x1", "message": "en cours d'examen"}),
        ((20,), {"value": "0x2", "message": "retiré à la demande du titulaire"}),
        ((), {}),
    ],
)
def test_a_value_of_several_bits_is_reported_in_hexadecimal_with_its_message(
    positions: tuple[int, ...], details: dict[str, str]
) -> None:
    _, found = about_list(list_with(*positions, size=2 * MINIMUM_SIZE), wide_entry(10))
    assert found == {"url": LIST_URL} | details


def test_an_index_beyond_the_end_of_the_list_is_named() -> None:
    last, behind = MINIMUM_SIZE - 1, MINIMUM_SIZE
    assert about_list(signed_list(), status_entry(LIST_URL, last))[0] == "not_revoked"
    assert about_list(signed_list(), status_entry(LIST_URL, behind)) == (
        "status_index_out_of_range",
        {"url": LIST_URL, "index": str(behind)},
    )


def test_a_withdrawal_of_one_bit_names_its_list_and_no_value() -> None:
    assert about_list(list_with(LIST_INDEX)) == ("revoked", {"url": LIST_URL})


def test_the_name_of_another_issuer_is_cut_to_five_hundred_characters() -> None:
    _, details = about_list(CAMPUS.status_list(issuer="did:web:" + "x" * 600))
    assert details["issuer"] == ("did:web:" + "x" * 600)[:500]


@pytest.mark.parametrize(("late", "reason"), [(0, "not_revoked"), (1, "status_list_stale")])
def test_a_list_is_valid_to_the_last_second_of_its_period(late: int, reason: str) -> None:
    until = (NOON - timedelta(seconds=late)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert about_list(CAMPUS.status_list(validUntil=until))[0] == reason


@pytest.mark.parametrize(("early", "reason"), [(300, "not_revoked"), (301, "status_list_stale")])
def test_a_list_from_the_future_is_accepted_within_the_clock_skew(early: int, reason: str) -> None:
    start = (NOON + timedelta(seconds=early)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert about_list(CAMPUS.status_list(validFrom=start))[0] == reason


@pytest.mark.parametrize(
    ("served", "reason", "details"),
    [
        (names(), "not_listed", {"signed": "no"}),
        (names({"id": IDENTIFIER}), "revoked", {"signed": "no"}),
        (
            names({"id": IDENTIFIER, "revocationReason": "é" * 600}),
            "revoked",
            {"signed": "no", "message": "é" * 500},
        ),
        (names({"id": IDENTIFIER, "revocationReason": 5}), "revoked", {"signed": "no"}),
        (names(issuer=ELSEWHERE), "status_list_of_another_issuer", {"issuer": ELSEWHERE}),
        (
            names(issuer="did:web:" + "x" * 600),
            "status_list_of_another_issuer",
            {"issuer": ("did:web:" + "x" * 600)[:500]},
        ),
        (names(id=f"{HOST}/other.json"), "status_list_malformed", {"cause": "id"}),
        (names(None), "status_list_malformed", {"cause": "revocation_list"}),
        ({"id": NAMES_URL}, "status_list_malformed", {"cause": "revocation_list"}),
        ({"revokedCredentials": [{"id": IDENTIFIER}]}, "revoked", {"signed": "no"}),
        (None, "status_list_unavailable", {"cause": "not_found"}),
    ],
)
def test_a_list_of_identifiers_is_named_with_its_content(
    served: Any, reason: str, details: dict[str, str]
) -> None:
    assert status_answer(named_in(served)) == (reason, {"url": NAMES_URL} | details)


def test_a_list_of_names_is_asked_for_as_json_and_a_list_of_bits_as_a_credential() -> None:
    wanted: dict[str, str] = {}

    class Noting(Documents):
        def fetch(self, url: str, *, accept: str = "application/json") -> Any:
            wanted[url] = accept
            return super().fetch(url, accept=accept)

    held = {NAMES_URL: names(), **CAMPUS.documents().held}
    both = [{"id": NAMES_URL, "type": "1EdTechRevocationList"}, status_entry(LIST_URL, LIST_INDEX)]
    asked(badge_with(*both), Noting(held))
    assert wanted[NAMES_URL] == "application/json"
    assert wanted[LIST_URL].startswith("application/vc, application/vc+jwt")


def test_an_entry_of_names_at_no_address_points_at_it() -> None:
    report = asked(badge_with({"id": "ftp://a.example/", "type": "1EdTechRevocationList"}))
    assert status_answer(report) == ("status_entry_malformed", {"pointer": "/id"})
