"""A key that was withdrawn has signed: was the award in the issuer's log before the key was in other hands?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sceau_credentials.evidence.judging import EvidenceOutcome, judge_evidence
from sceau_credentials.values.documents import DocumentSource
from sceau_credentials.values.json_text import JsonObject
from sceau_credentials.values.timestamps import format_timestamp, shifted
from sceau_credentials.verification.fetching import FetchBudget
from sceau_credentials.verification.findings.reasons import Reason, found
from sceau_credentials.verification.report import CheckResult

_MOST_FETCHES: Final = 12
"""The evidence, the log's key, the keys it had before; and of a stolen one the tiles on the edge of two trees."""
_A_MINUTE: Final = timedelta(minutes=1)
"""The log tells no more than the minute, and the whole of it has to lie before."""
_NOT_THERE: Final = "not_found"


def withdrawn_key(document: JsonObject, revoked_at: datetime, documents: DocumentSource) -> CheckResult:
    """Of a document that holds under that key. Whoever stole it can sign anything, but not put it into yesterday's log.

    The log has a key of its own: that one has to be the issuer's still (I09).
    """
    asked = FetchBudget(documents, _MOST_FETCHES)
    report = judge_evidence(document, documents=asked, with_what_stands_beside=False)
    withdrawn = format_timestamp(revoked_at)
    if report is None:
        return found(Reason.KEY_REVOKED, withdrawn=withdrawn, cause="not_logged")
    if report.outcome is EvidenceOutcome.UNREAD and report.reason != _NOT_THERE:
        return found(Reason.KEY_REVOKED_LOG_UNREAD, withdrawn=withdrawn, cause=report.reason)
    if report.outcome is not EvidenceOutcome.PROVED or report.decided_at is None:
        return found(Reason.KEY_REVOKED, withdrawn=withdrawn, cause=report.reason)
    decided = format_timestamp(report.decided_at)
    if shifted(report.decided_at, _A_MINUTE) > revoked_at:
        return found(Reason.KEY_REVOKED_BEFORE, withdrawn=withdrawn, decided=decided)
    return found(Reason.KEY_REVOKED_SINCE, withdrawn=withdrawn, decided=decided)
