"""The order of the checks in full: which checks follow each answer, and how skipped ones are reported."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from sceau_credentials import Identity, Policy, Report, verify
from sceau_credentials.keys import Signer
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.proofs.vc_jwt import sign_jwt
from sceau_credentials.verification.run_checks import verify_endorsement
from tests.sceau_credentials.verification.checks.test_checks_withdrawn_key import (
    ADDRESS,
    KEY_ADDRESS,
    LOG_KEY,
    evidence_of,
    logged,
)
from tests.sceau_credentials.verification.test_endorsements import COMPANY, ENDORSER, endorsement, world
from tests.support.badges.credentials import (
    CREDENTIAL_ID,
    DID,
    DID_URL,
    JWKS_URL,
    LIST_URL,
    NOON,
    SUBJECT_ID,
    badge_document,
    without_status,
)
from tests.support.badges.documents import Documents
from tests.support.badges.forgery import CAMPUS, EMBEDDED, FORGER, SIGNED, asked, resigned, token


def answers_of(report: Report) -> dict[str, Any]:
    return {answer.id.value: (answer.reason, dict(answer.details)) for answer in report.checks}


def skipped(because: str, *questions: str) -> dict[str, Any]:
    return dict.fromkeys(questions, ("not_reached", {"because": because}))


PERIOD = {"valid_from": "2026-06-30T12:00:00Z", "valid_until": "2029-06-30T12:00:00Z"}
GOOD = {
    "readable": ("readable", {}),
    "context": ("context_known", {}),
    "schema": ("schema_conforms", {}),
    "proof": ("signature_holds", {}),
    "key": ("key_bound", {"method": CAMPUS.signer.verification_method}),
    "issuer": ("issuer_identified", {"domain": "badges.example"}),
    "validity": ("in_force", PERIOD),
    "status": ("not_revoked", {"url": LIST_URL}),
    "recipient": ("recipient_not_asked", {}),
}
UNPROVED = {**GOOD, **skipped("proof", "key", "issuer", "status")}
STRANGER = Signer(f"did:key:{FORGER.key.public.to_multikey()}#{FORGER.key.public.to_multikey()}", FORGER.key)


@pytest.mark.parametrize(
    ("presented", "answers"),
    [
        (EMBEDDED, GOOD),
        (EMBEDDED | {"name": "x"}, UNPROVED | {"proof": ("signature_mismatch", {"cause": ""})}),
        (badge_document(), UNPROVED | {"proof": ("no_proof", {"cause": ""})}),
        (add_proof(badge_document(), signer=STRANGER, created=NOON),
         GOOD | {"key": ("key_not_bound_to_issuer", {"method": STRANGER.verification_method})}
         | skipped("key", "issuer", "status")),
        (resigned() | {"@context": EMBEDDED["@context"][:1]},
         GOOD | {"context": ("context_order", {}),
                 "schema": ("schema_violation", {"cause": "context_order", "pointer": "/@context"})} | skipped("context", "proof", "key")
         | skipped("proof", "issuer", "status")),
        (EMBEDDED | {"issuer": 7},
         GOOD | {"schema": ("schema_violation", {"cause": "wrong_type", "pointer": "/issuer"})}
         | skipped("schema", "proof", "key") | skipped("proof", "issuer", "status")),
        (resigned(validFrom="2026-06-30T12:00:00"),
         GOOD | {"validity": ("period_unreadable", {}),
                 "schema": ("schema_violation", {"cause": "timestamp", "pointer": "/validFrom"})}),
        ({"type": "x"}, {"readable": ("not_an_open_badge_3", {"types": "x"}),
                         **skipped("readable", *list(GOOD)[1:])}),
    ],
    ids=range(8),
)  # fmt: skip
def test_each_answer_decides_which_check_follows(presented: Any, answers: Any) -> None:
    assert answers_of(asked(json.dumps(presented))) == answers


def test_a_token_is_checked_like_a_document_and_by_its_claims_too() -> None:
    by_its_kid = GOOD | {"key": ("key_bound", {"method": CAMPUS.jwt_signer.verification_method})}
    assert answers_of(asked(SIGNED.token)) == by_its_kid
    other = answers_of(asked(token(claims={"jti": "x"})))
    assert other == by_its_kid | {
        "proof": ("claims_disagree", {"claim": "jti"}),
        **skipped("proof", "issuer", "status"),
    }
    broken = answers_of(asked(token(claims={"jti": "x"}, signature=b"x" * 64)))
    assert broken["proof"] == ("signature_mismatch", {"cause": ""})


def without(*path: str) -> dict[str, Any]:
    document = badge_document()
    thing: Any = document
    for name in path[:-1]:
        thing = thing[name]
    del thing[path[-1]]
    return document


def nobodys() -> dict[str, Any]:
    document = without("credentialSubject", "id")
    del document["credentialSubject"]["identifier"]
    return document


@pytest.mark.parametrize(
    ("document", "cause", "withheld"),
    [
        (without("validFrom"), "missing_member", True),
        (nobodys(), "recipient_missing", True),
        (without("credentialSubject", "achievement", "resultDescription"), "result_not_described", True),
        (badge_document() | {"name": 7}, "wrong_type", False),
    ],
)
def test_withheld_members_are_not_a_fault_if_a_part_is_shown(
    document: Any, cause: str, withheld: bool
) -> None:
    """B-059."""
    for suite, reason in (("ecdsa-sd-2023", "part_withheld"), ("eddsa-rdfc-2022", "schema_violation")):
        answer, details = answers_of(asked(json.dumps(document | {"proof": {"cryptosuite": suite}})))[
            "schema"
        ]
        assert details.keys() == {"cause", "pointer"}
        assert details["cause"] == cause
        assert answer == (reason if withheld else "schema_violation")


def parts(report: Report) -> Any:
    return report.container, report.form, report.issuer, report.verification_method, report.key, report.at


def test_a_report_contains_the_input_and_returns_only_what_was_signed() -> None:
    report = asked(SIGNED.embedded)
    method, jwk = CAMPUS.signer.verification_method, CAMPUS.key.public.to_jwk()
    assert parts(report) == ("json", "data_integrity", DID, method, jwk, NOON)
    assert (report.document, report.presented) == (badge_document(), EMBEDDED)
    forged = asked(json.dumps(EMBEDDED | {"name": "x"}))
    assert parts(forged) == ("json", "data_integrity", DID, None, None, NOON)
    assert (forged.document, forged.presented) == (None, EMBEDDED | {"name": "x"})
    foreign = asked(json.dumps({"type": "x", "issuer": DID}))
    assert parts(foreign) == ("json", "data_integrity", DID, None, None, NOON)
    assert foreign.presented == {"type": "x", "issuer": DID}
    nothing = asked("x")
    assert (*parts(nothing), nothing.presented) == ("unknown", None, None, None, None, NOON, None)


def list_token(**changed: Any) -> str:
    unsigned = {name: value for name, value in CAMPUS.status_list().items() if name != "proof"}
    unsigned["credentialSubject"]["id"] = f"{LIST_URL}#list"
    signer = changed.pop("signer", CAMPUS.jwt_signer)
    text = sign_jwt(unsigned, signer=signer)
    if not changed:
        return text
    claims = {**unsigned, **changed}
    return token({"kid": signer.verification_method}, {**dict.fromkeys(badge_document(), ...), **claims})


K1 = Signer("k1", CAMPUS.key)
LIST = CAMPUS.status_list()
BARE = {name: value for name, value in LIST.items() if name != "proof"}
WRONG = "status_list_not_authentic"


@pytest.mark.parametrize(
    ("served", "answer"),
    [
        (list_token(), ("not_revoked", {"url": LIST_URL})),
        (list_token(iss=DID), ("not_revoked", {"url": LIST_URL})),
        (list_token(iss=...), ("not_revoked", {"url": LIST_URL})),
        (list_token(iss="did:web:a.example"), (WRONG, {"cause": "claims_disagree"})),
        (list_token(signer=K1), ("status_list_unavailable", {"cause": "key_document_unavailable"})),
        (BARE, (WRONG, {"cause": "no_proof"})),
        (LIST | {"name": "x"}, (WRONG, {"cause": "signature_mismatch"})),
        (add_proof(BARE, signer=STRANGER, created=NOON), (WRONG, {"cause": "key_not_bound_to_issuer"})),
        (add_proof(BARE, signer=Signer(f"{DID}#none", CAMPUS.key), created=NOON),
         (WRONG, {"cause": "key_not_at_hand"})),
    ],
    ids=range(9),
)  # fmt: skip
def test_a_list_is_accepted_under_the_conditions_of_a_badge(served: Any, answer: Any) -> None:
    documents = CAMPUS.documents(**{LIST_URL: served}).without(JWKS_URL)
    assert answers_of(asked(SIGNED.embedded, documents)) == GOOD | {"status": answer}


WITHDRAWN = NOON + timedelta(days=1)
BADGE = without_status()
EVIDENCE = evidence_of(BADGE)
IN_THE_LOG = add_proof(logged(BADGE, EVIDENCE), signer=CAMPUS.signer, created=NOON)
LATER = NOON + timedelta(days=2)


def withdrawn(at: datetime) -> Documents:
    document = json.loads(json.dumps(CAMPUS.did_document))
    for method in document["verificationMethod"]:
        method["revoked"] = at.isoformat()
    return Documents({DID_URL: document, ADDRESS: EVIDENCE, KEY_ADDRESS: LOG_KEY.to_vkey()})


TOLD = {"withdrawn": "2026-07-01T12:00:00Z", "decided": "2026-06-30T12:00:00Z"}
NO_STATUS = ("no_status_entry", {})


def test_log_entries_from_before_the_withdrawal_of_a_key_are_accepted_with_a_remark() -> None:
    report = verify(json.dumps(IN_THE_LOG), documents=withdrawn(WITHDRAWN), at=LATER)
    assert answers_of(report) == GOOD | {"key": ("key_revoked_since", TOLD), "status": NO_STATUS}
    assert [remark.to_document()["details"] for remark in report.remarks] == [TOLD]
    assert report.document == logged(BADGE, EVIDENCE)
    assert report.verification_method == CAMPUS.signer.verification_method


@pytest.mark.parametrize(
    ("presented", "documents", "proof", "key"),
    [
        (IN_THE_LOG, withdrawn(NOON), "signature_holds", "key_revoked_before"),
        (IN_THE_LOG | {"name": "x"}, withdrawn(WITHDRAWN), "key_not_at_hand", "key_revoked"),
        (resigned(), withdrawn(WITHDRAWN), "signature_holds", "key_revoked"),
        (IN_THE_LOG, withdrawn(WITHDRAWN).without(ADDRESS), "signature_holds", "key_revoked"),
    ],
)
def test_without_such_an_entry_the_badge_is_not_accepted(
    presented: Any, documents: Any, proof: str, key: str
) -> None:
    report = verify(json.dumps(presented), documents=documents, at=LATER)
    answers = answers_of(report)
    assert (answers["proof"][0], answers["key"][0], report.document) == (proof, key, None)
    assert answers["issuer"][0] == answers["status"][0] == "not_reached"


def test_an_endorsement_under_a_withdrawn_key_is_not_rechecked_with_the_log() -> None:
    document = logged(endorsement(issuer={"id": DID, "type": ["Profile"]}), EVIDENCE)
    written = add_proof(document, signer=CAMPUS.signer, created=NOON)
    documents = withdrawn(WITHDRAWN)
    answer = verify_endorsement(json.dumps(written), documents=documents, at=LATER)
    assert (answer.outcome.value, answer.reason) == ("failed", "key_revoked")
    assert documents.asked == [DID_URL]


def test_supplied_files_are_checked_only_if_the_issuer_signed_their_digest() -> None:
    resource = [{"id": "https://x.example/", "digestSRI": "sha256-AA=="}]
    policy = Policy(resources={"https://x.example/": b"x"})
    for signer, proof in ((CAMPUS.signer, "resource_differs"), (STRANGER, "signature_holds")):
        signed = add_proof(badge_document() | {"relatedResource": resource}, signer=signer, created=NOON)
        report = verify(json.dumps(signed), documents=CAMPUS.documents(), at=NOON, policy=policy)
        assert answers_of(report)["proof"][0] == proof


def test_the_period_is_checked_with_the_policy_at_the_given_time() -> None:
    early = NOON - timedelta(minutes=10)
    for minutes, reason in ((10, "in_force"), (9, "not_yet_valid")):
        policy = Policy(clock_skew=timedelta(minutes=minutes))
        report = verify(SIGNED.token, documents=CAMPUS.documents(), at=early, policy=policy)
        assert (answers_of(report)["validity"][0], report.at) == (reason, early)


def test_the_recipient_is_checked_whatever_the_signature() -> None:
    policy = Policy(recipient=Identity(SUBJECT_ID))
    report = verify(json.dumps(badge_document()), documents=CAMPUS.documents(), at=NOON, policy=policy)
    assert answers_of(report) == UNPROVED | {
        "proof": ("no_proof", {"cause": ""}),
        "recipient": ("recipient_matches", {}),
    }


def test_the_policy_limits_the_number_of_fetched_documents() -> None:
    for most, status in ((2, "not_revoked"), (1, "status_list_unavailable")):
        documents = CAMPUS.documents()
        report = verify(SIGNED.embedded, documents=documents, at=NOON, policy=Policy(max_fetches=most))
        assert (answers_of(report)["status"][0], len(documents.asked)) == (status, most)
        written = json.dumps(add_proof(endorsement(), signer=ENDORSER.signer, created=NOON))
    none = verify_endorsement(written, documents=world(), at=NOON, policy=Policy(max_fetches=0))
    assert (none.outcome.value, none.reason) == ("unknown", "key_document_unavailable")
    held = verify_endorsement(written, documents=world(), at=NOON)
    assert (held.about, held.issuer, held.outcome.value) == (CREDENTIAL_ID, COMPANY, "passed")


def test_an_endorsement_has_all_checks_of_a_badge_except_the_recipient() -> None:
    """C-011."""
    for changed, reason in (
        ({"@context": [*endorsement()["@context"], "https://x.example/"]}, "context_not_held"),
        ({"validUntil": "2026-06-30T11:30:00Z"}, "expired"),
        ({"credentialStatus": {"type": "other", "id": "urn:x:1"}}, "status_type_not_read"),
        ({"validFrom": "2026-06-30T12:30:00Z"}, "not_yet_valid"),
    ):
        document = endorsement(**changed)
        written = sign_jwt(document, signer=ENDORSER.jwt_signer)
        assert verify_endorsement(written, documents=world(), at=NOON).reason == reason
