"""What stands against a badge, in the form of RFC 9457 and with the identifiers of the W3C specifications.

C-017, D-018. 1EdTech publishes no identifiers for what a verification finds. Where no specification has one,
`type` is about:blank, and `reason` tells the case.
"""

from __future__ import annotations

from typing import Final

from sceau_credentials.values.json_text import JsonObject
from sceau_credentials.verification.answers import CheckId, CheckResult, Outcome

_VC: Final = "https://www.w3.org/TR/vc-data-model#"
_SECURITY: Final = "https://w3id.org/security#"
_STATUS: Final = "https://www.w3.org/ns/credentials/status-list#"

PARSING: Final = f"{_VC}PARSING_ERROR"
CRYPTOGRAPHIC: Final = f"{_VC}CRYPTOGRAPHIC_SECURITY_ERROR"
MALFORMED_VALUE: Final = f"{_VC}MALFORMED_VALUE_ERROR"
RANGE: Final = f"{_VC}RANGE_ERROR"
PROOF_VERIFICATION: Final = f"{_SECURITY}PROOF_VERIFICATION_ERROR"
PROOF_TRANSFORMATION: Final = f"{_SECURITY}PROOF_TRANSFORMATION_ERROR"
DATA_LOSS: Final = f"{_SECURITY}DATA_LOSS_DETECTION_ERROR"
METHOD_URL: Final = f"{_SECURITY}INVALID_VERIFICATION_METHOD_URL"
METHOD: Final = f"{_SECURITY}INVALID_VERIFICATION_METHOD"
CONTROLLER_DOCUMENT: Final = f"{_SECURITY}INVALID_CONTROLLED_IDENTIFIER_DOCUMENT"
RELATIONSHIP: Final = f"{_SECURITY}INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"
STATUS_RETRIEVAL: Final = f"{_STATUS}STATUS_RETRIEVAL_ERROR"
STATUS_VERIFICATION: Final = f"{_STATUS}STATUS_VERIFICATION_ERROR"
STATUS_LENGTH: Final = f"{_STATUS}STATUS_LIST_LENGTH_ERROR"
NO_IDENTIFIER: Final = "about:blank"

_BY_CHECK: Final = {
    CheckId.READABLE: PARSING,
    CheckId.CONTEXT: MALFORMED_VALUE,
    CheckId.SCHEMA: MALFORMED_VALUE,
    CheckId.PROOF: PROOF_VERIFICATION,
    CheckId.KEY: METHOD,
    CheckId.STATUS: STATUS_VERIFICATION,
}
_BY_REASON: Final = {
    "signature_mismatch": CRYPTOGRAPHIC,
    "undefined_term": DATA_LOSS,
    "data_not_signed": DATA_LOSS,
    "too_hard": PROOF_TRANSFORMATION,
    "claim_missing": MALFORMED_VALUE,
    "claims_disagree": MALFORMED_VALUE,
    "resource_differs": CRYPTOGRAPHIC,
    "key_reference_malformed": METHOD_URL,
    "key_document_malformed": CONTROLLER_DOCUMENT,
    "key_document_unreadable": CONTROLLER_DOCUMENT,
    "key_document_unavailable": CONTROLLER_DOCUMENT,
    "key_not_for_assertion": RELATIONSHIP,
    "period_reversed": RANGE,
    "period_unreadable": MALFORMED_VALUE,
    "verifier_fault": NO_IDENTIFIER,
    "revoked": NO_IDENTIFIER,
    "suspended": NO_IDENTIFIER,
    "status_required": NO_IDENTIFIER,
    "status_may_be_withheld": NO_IDENTIFIER,
    "status_entry_malformed": MALFORMED_VALUE,
    "status_list_malformed": MALFORMED_VALUE,
    "status_list_unavailable": STATUS_RETRIEVAL,
    "status_list_too_short": STATUS_LENGTH,
    "status_index_out_of_range": RANGE,
}


def problem_of(answer: CheckResult) -> JsonObject | None:
    """The problem this answer stands for; None when nothing stands against the badge."""
    if answer.outcome not in (Outcome.FAILED, Outcome.UNKNOWN):
        return None
    problem: JsonObject = {
        "type": _BY_REASON.get(answer.reason) or _BY_CHECK.get(answer.id, NO_IDENTIFIER),
        "title": answer.meaning,
        "check": answer.id.value,
        "outcome": answer.outcome.value,
        "reason": answer.reason,
    }
    if answer.details:
        problem["detail"] = "; ".join(f"{name}: {value}" for name, value in answer.details.items())
    return problem
