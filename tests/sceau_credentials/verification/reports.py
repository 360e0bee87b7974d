"""The answers of a report by question."""

from __future__ import annotations

from sceau_credentials.verification.report import CheckId, Outcome, Report


def reasons(report: Report) -> dict[str, str]:
    return {answer.id.value: answer.reason for answer in report.checks}


def outcome(report: Report, check: CheckId) -> Outcome:
    return report.check(check).outcome
