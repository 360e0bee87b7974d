"""A verdict is the sum of its checks, and unanswered checks never add up to valid."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sceau_credentials.verification.findings import Reason, found, not_reached
from sceau_credentials.verification.report import CheckId, CheckResult, Outcome, Report, Verdict, verdict_of
from tests.support.running.every import for_each

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
GOOD_REASONS = [reason for reason in Reason if reason.outcome is Outcome.PASSED]
PASSED = tuple(found(next(reason for reason in GOOD_REASONS if reason.check is check)) for check in CheckId)


def results() -> st.SearchStrategy[CheckResult]:
    real = st.sampled_from([found(reason) for reason in Reason if reason.check is not None])
    unreached = st.sampled_from([not_reached(check, CheckId.READABLE) for check in CheckId])
    return st.one_of(real, unreached)


def test_a_report_with_every_check_passed_is_valid() -> None:
    assert verdict_of(PASSED) is Verdict.VALID


@pytest.mark.parametrize("missing", list(CheckId))
def test_removing_any_check_leaves_nothing_valid(missing: CheckId) -> None:
    assert verdict_of(answer for answer in PASSED if answer.id is not missing) is Verdict.UNDETERMINED


@given(st.lists(results(), max_size=12))
def test_valid_needs_one_good_answer_to_each_question(answers: list[CheckResult]) -> None:
    if verdict_of(answers) is Verdict.VALID:
        assert sorted(answer.id for answer in answers) == sorted(CheckId)
        assert all(answer.outcome is Outcome.PASSED or answer.void for answer in answers)


@given(st.sampled_from([reason for reason in Reason if reason.outcome is not Outcome.PASSED]))
def test_any_single_bad_or_open_answer_prevents_valid(reason: Reason) -> None:
    if reason.check is None:
        return
    changed = tuple(found(reason) if answer.id is reason.check else answer for answer in PASSED)
    expected = {
        Outcome.FAILED: Verdict.INVALID,
        Outcome.UNKNOWN: Verdict.UNDETERMINED,
        Outcome.SKIPPED: Verdict.VALID if found(reason).void else Verdict.UNDETERMINED,
    }
    assert verdict_of(changed) is expected[reason.outcome]


@for_each("check", list(CheckId))
@for_each("outcome", [Outcome.UNKNOWN, Outcome.SKIPPED, Outcome.FAILED])
def test_making_any_check_unanswered_never_yields_valid(check: CheckId, outcome: Outcome) -> None:
    changed = [replace(each, outcome=outcome) if each.id is check else each for each in PASSED]
    assert verdict_of(changed) is not Verdict.VALID


@pytest.mark.parametrize("check", [c for c in CheckId if c not in (CheckId.STATUS, CheckId.RECIPIENT)])
def test_only_status_and_recipient_may_be_skipped(check: CheckId) -> None:
    void = CheckResult(check, Outcome.SKIPPED, "anything", void=True)
    assert verdict_of([void if each.id is check else each for each in PASSED]) is Verdict.UNDETERMINED


def test_a_failure_outweighs_an_open_question() -> None:
    changed = [found(Reason.EXPIRED) if each.id is CheckId.VALIDITY else each for each in PASSED]
    changed = [found(Reason.STATUS_LIST_UNAVAILABLE) if c.id is CheckId.STATUS else c for c in changed]
    assert verdict_of(changed) is Verdict.INVALID


def test_a_check_answered_twice_makes_the_report_undetermined() -> None:
    assert verdict_of((*PASSED, PASSED[0])) is Verdict.UNDETERMINED


def test_a_report_is_written_as_plain_json() -> None:
    report = Report(at=NOON, checks=PASSED, container="json", form="vc_jwt", issuer="did:web:campus.example")
    written = report.to_document()
    assert (written["verdict"], written["at"]) == ("valid", "2026-06-30T12:00:00Z")
    assert written["checks"][3] == {
        "id": "proof",
        "outcome": "passed",
        "reason": "signature_holds",
        "details": {},
    }


def test_every_reason_has_its_own_code_a_check_and_one_sentence() -> None:
    assert len({reason.value for reason in Reason}) == len(Reason)
    for reason in Reason:
        assert reason.meaning.endswith(".")
        assert reason.value == reason.name.lower()
        assert reason.check is not None or reason is Reason.NOT_REACHED


def test_every_check_can_pass_for_a_reason_of_its_own() -> None:
    assert {reason.check for reason in GOOD_REASONS} == set(CheckId)
