"""The codes of the library never change their meaning: stored reports and translations depend on them."""

from __future__ import annotations

import pytest

from sceau_credentials import CheckResult, Outcome, Policy, Verdict
from sceau_credentials.verification.answers import Identity
from sceau_credentials.verification.findings import (
    Reason,
    RemarkCode,
    found,
    not_reached,
    problem_of,
    reason_of,
)
from sceau_credentials.verification.report import CheckId, verdict_of

SIGNS = {"+": "passed", "-": "failed", "?": "unknown", "0": "skipped"}
CODES = {
    "None": """
        0not_reached
    """,
    "readable": """
        +readable ?verifier_fault ?unrecognised_format ?presented_is_url ?too_large ?image_without_badge ?image_not_read
        -image_ambiguous ?pdf_without_badge ?pdf_not_read -malformed_json -malformed_jwt +open_badge_2
        +open_badge_1 +older_badge_address ?not_an_open_badge_3
    """,
    "context": """
        +context_known +context_not_used -context_order -context_not_allowed ?context_not_held
    """,
    "schema": """
        +schema_conforms -schema_violation ?badge_class_unavailable ?part_withheld ?schema_not_held
    """,
    "proof": """
        +signature_holds +hosted ?hosted_unavailable -hosted_differs -hosted_no_more -no_proof
        -signature_mismatch -proof_malformed ?proof_not_read -too_many_proofs -proof_purpose -proof_expired
        -proof_from_the_future -algorithm_not_allowed -header_not_allowed -undefined_term -data_not_signed
        ?too_hard -resource_differs ?resource_digest_not_read -claim_missing -claims_disagree
        ?key_not_at_hand
    """,
    "key": """
        +key_bound +hosted_in_scope -hosted_out_of_scope -key_not_bound_to_issuer -key_not_found
        -key_not_for_assertion -key_revoked +key_revoked_since -key_revoked_before ?key_revoked_log_unread
        -key_expired -key_unusable -key_document_malformed -key_reference_malformed ?key_method_not_read
        ?key_document_unreadable ?key_document_unavailable ?key_not_authenticated +key_witnessed
    """,
    "issuer": """
        +issuer_identified +issuer_trusted +issuer_is_only_a_key ?issuer_profile_unavailable
        ?issuer_not_trusted ?issuer_not_identified
    """,
    "validity": """
        +in_force -not_yet_valid -expired -period_reversed ?end_may_be_withheld -period_unreadable
    """,
    "status": """
        +not_revoked +still_hosted +not_listed -revoked -suspended 0no_status_entry 0status_informative
        0status_left_out ?status_may_be_withheld ?status_required ?status_entry_malformed
        ?status_type_not_read ?status_purpose_not_read ?status_list_unavailable ?status_list_malformed
        ?status_list_not_authentic ?status_list_of_another_issuer ?status_list_stale ?status_purpose_differs
        ?status_list_too_short ?status_index_out_of_range
    """,
    "recipient": """
        0recipient_not_asked +recipient_matches -recipient_differs ?recipient_not_named
    """,
}
TYPES = {
    "https://www.w3.org/TR/vc-data-model#PARSING_ERROR": """
        unrecognised_format presented_is_url too_large image_without_badge image_not_read image_ambiguous
        pdf_without_badge pdf_not_read malformed_json malformed_jwt not_an_open_badge_3
    """,
    "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR": """
        context_order context_not_allowed context_not_held schema_violation badge_class_unavailable
        part_withheld schema_not_held claim_missing claims_disagree period_unreadable status_entry_malformed
        status_list_malformed
    """,
    "https://w3id.org/security#PROOF_VERIFICATION_ERROR": """
        hosted_unavailable hosted_differs hosted_no_more no_proof proof_malformed proof_not_read
        too_many_proofs proof_purpose proof_expired proof_from_the_future algorithm_not_allowed
        header_not_allowed resource_digest_not_read key_not_at_hand
    """,
    "https://www.w3.org/TR/vc-data-model#CRYPTOGRAPHIC_SECURITY_ERROR": """
        signature_mismatch resource_differs
    """,
    "https://w3id.org/security#DATA_LOSS_DETECTION_ERROR": """
        undefined_term data_not_signed
    """,
    "https://w3id.org/security#PROOF_TRANSFORMATION_ERROR": """
        too_hard
    """,
    "https://w3id.org/security#INVALID_VERIFICATION_METHOD": """
        hosted_out_of_scope key_not_bound_to_issuer key_not_found key_revoked key_revoked_before
        key_revoked_log_unread key_expired key_unusable key_not_authenticated key_method_not_read
    """,
    "https://w3id.org/security#INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD": """
        key_not_for_assertion
    """,
    "https://w3id.org/security#INVALID_CONTROLLED_IDENTIFIER_DOCUMENT": """
        key_document_malformed key_document_unreadable key_document_unavailable
    """,
    "https://w3id.org/security#INVALID_VERIFICATION_METHOD_URL": """
        key_reference_malformed
    """,
    "about:blank": """
        verifier_fault
        issuer_profile_unavailable issuer_not_trusted issuer_not_identified not_yet_valid expired
        end_may_be_withheld revoked suspended status_may_be_withheld status_required recipient_differs
        recipient_not_named
    """,
    "https://www.w3.org/TR/vc-data-model#RANGE_ERROR": """
        period_reversed status_index_out_of_range
    """,
    "https://www.w3.org/ns/credentials/status-list#STATUS_VERIFICATION_ERROR": """
        status_type_not_read status_purpose_not_read status_list_not_authentic status_list_of_another_issuer
        status_list_stale status_purpose_differs
    """,
    "https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR": """
        status_list_unavailable
    """,
    "https://www.w3.org/ns/credentials/status-list#STATUS_LIST_LENGTH_ERROR": """
        status_list_too_short
    """,
}
REMARKS = """
    version_1 token_type header_members key_without_fragment older_context status_unsigned
    status_message schema_not_checked key_revoked_since link_scheme hidden_characters part_shown
    refresh_not_followed
"""


def test_each_reason_belongs_to_one_check_and_one_outcome() -> None:
    queued = {code[1:]: (check, SIGNS[code[0]]) for check, codes in CODES.items() for code in codes.split()}
    found_here = {
        reason.value: (reason.check.value if reason.check else "None", reason.outcome.value)
        for reason in Reason
    }
    assert found_here == queued
    assert all(reason_of(code, Reason.READABLE).value == code for code in queued)
    assert list(CheckId) == list(CODES)[1:]


def test_an_answer_is_made_of_its_reason() -> None:
    void = {"no_status_entry", "status_informative", "recipient_not_asked"}
    for reason in Reason:
        if reason.check is None:
            with pytest.raises(ValueError, match="not_reached belongs to no single check"):
                found(reason)
            continue
        parts = (reason.check, reason.outcome, reason.value)
        expected = CheckResult(*parts, {}, reason.value in void, reason.meaning)
        assert found(reason) == expected
        details = {"url": "https://a.example/", "cause": "x"}
        assert found(reason, **details) == CheckResult(*parts, details, expected.void, reason.meaning)
        assert found(reason).to_document() == {
            "id": reason.check.value, "outcome": reason.outcome.value, "reason": reason.value, "details": {}
        }  # fmt: skip
        assert reason_of(reason.value, Reason.NOT_REACHED) is reason
        assert reason.meaning.endswith(".")
    assert reason_of("x", Reason.REVOKED) is Reason.REVOKED
    bare = CheckResult(CheckId.KEY, Outcome.FAILED, "x")
    assert (bare.to_document()["details"], bare.void, bare.meaning) == ({}, False, "")
    skipped = CheckResult(CheckId.KEY, Outcome.SKIPPED, "not_reached", {"because": "proof"})
    assert not_reached(CheckId.KEY, CheckId.PROOF) == skipped


def test_each_problem_has_the_identifier_of_a_specification_or_none() -> None:
    """D-018."""
    queued = {code: kind for kind, codes in TYPES.items() for code in codes.split()}
    for reason in Reason:
        if reason.check is None:
            continue
        problem = problem_of(found(reason, url="u", cause="c"))
        if reason.value not in queued:
            assert problem is None
            continue
        assert problem == {
            "type": queued[reason.value],
            "title": reason.meaning,
            "check": reason.check.value,
            "outcome": reason.outcome.value,
            "reason": reason.value,
            "detail": "url: u; cause: c",
        }
        bare = problem_of(found(reason))
        assert bare is not None
        assert "detail" not in bare


def test_remarks_and_verdicts_have_these_codes_and_no_others() -> None:
    assert list(RemarkCode) == REMARKS.split()
    assert [code.value for code in RemarkCode] == REMARKS.split()
    assert all(code.meaning.endswith(".") for code in RemarkCode)
    assert [verdict.value for verdict in Verdict] == ["valid", "invalid", "undetermined"]
    assert verdict_of([]).value == "undetermined"
    assert [outcome.value for outcome in Outcome] == ["passed", "failed", "skipped", "unknown"]


def test_the_default_policy_is_that_of_the_standard() -> None:
    asked = Policy()
    assert (asked.recipient, asked.trusted_issuers, asked.only_trusted_issuers) == (None, frozenset(), False)
    assert (asked.require_status, asked.check_status) == (False, True)
    assert (asked.max_fetches, asked.max_fetches_signed_older) == (3, 4)
    assert (asked.clock_skew.total_seconds(), dict(asked.resources)) == (300, {})
    assert Identity("x").type == "emailAddress"
