"""Endorsements are reported one by one, each by its own signature, and never affect the badge they belong to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from sceau_credentials import CheckResult, Outcome, Report, Verdict, verify
from sceau_credentials.dids import did_web_document_url
from sceau_credentials.errors import MalformedInput, SelfCheckFailed, UnsafeDocument
from sceau_credentials.issuing.signing import issue_endorsement
from sceau_credentials.model import EndorsementCredential
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.proofs.vc_jwt import sign_jwt
from sceau_credentials.verification.answers import Secured
from sceau_credentials.verification.findings import Reason, found, not_reached
from sceau_credentials.verification.report import CheckId
from sceau_credentials.verification.run_checks import (
    MOST,
    endorsements_in,
    judge_endorsement,
    verify_endorsement,
)
from tests.support.badges.credentials import ACHIEVEMENT_ID, CREDENTIAL_ID, DID, NOON, Campus, badge_document
from tests.support.badges.documents import Documents

COMPANY = "did:web:entreprise.example"
CAMPUS, ENDORSER = Campus(), Campus(did=COMPANY)


def endorsement(about: str = CREDENTIAL_ID, **changes: Any) -> dict[str, Any]:
    return {
        "@context": badge_document()["@context"],
        "id": "urn:uuid:5c0c1f2e-9d1c-4d84-9f3a-6f0e5d8b7a10",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "Reconnu par l'atelier",
        "issuer": {"id": COMPANY, "type": ["Profile"], "name": "Entreprise d'accueil"},
        "validFrom": "2026-06-30T11:00:00Z",
        "credentialSubject": {
            "id": about,
            "type": ["EndorsementSubject"],
            "endorsementComment": "Nous avons vu ce travail.",
        },
        **changes,
    }


def signed(document: dict[str, Any], signer: Campus = ENDORSER) -> dict[str, Any]:
    return add_proof(document, signer=signer.signer, created=NOON)


def badge(place: str, *endorsements: Any) -> dict[str, Any]:
    document = badge_document()
    member = "endorsementJwt" if endorsements and isinstance(endorsements[0], str) else "endorsement"
    thing = {
        "credential": document,
        "achievement": document["credentialSubject"]["achievement"],
        "issuer": document["issuer"],
    }[place]
    thing[member] = list(endorsements)
    return document


def world() -> Documents:
    return CAMPUS.documents().with_({did_web_document_url(COMPANY): ENDORSER.did_document})


def check(document: dict[str, Any], documents: Documents | None = None) -> Report:
    text = json.dumps(add_proof(document, signer=CAMPUS.signer, created=NOON))
    return verify(text, documents=documents or world(), at=NOON)


def test_organisations_above_a_profile_are_endorsed_too() -> None:
    """C-009: of the issuer, of the creator of the class, and of the assessor."""
    document = badge_document()
    subject = document["credentialSubject"]
    places = {
        "issuer": (document, "issuer"),
        "credentialSubject/achievement/creator": (subject["achievement"], "creator"),
        "credentialSubject/source": (subject, "source"),
    }
    expected = []
    for number, (path, (owner, member)) in enumerate(places.items()):
        top = f"https://organisation.example/{number}/2"
        profile = owner.setdefault(
            member, {"id": f"https://organisation.example/{number}", "type": ["Profile"]}
        )
        above = {"id": top, "type": ["Profile"], "endorsement": [signed(endorsement(top))]}
        profile["parentOrg"] = {"id": f"{top}/1", "type": ["Profile"], "parentOrg": above}
        expected.append((f"/{path}/parentOrg/parentOrg/endorsement/0", top, Outcome.PASSED))
    assert [(each.pointer, each.about, each.outcome) for each in check(document).endorsements] == expected


IDS = {"credential": CREDENTIAL_ID, "achievement": ACHIEVEMENT_ID, "issuer": DID}


@pytest.mark.parametrize("form", ["embedded", "token"])
@pytest.mark.parametrize("place", list(IDS))
def test_an_endorsement_is_reported_at_every_level_and_in_both_forms(place: str, form: str) -> None:
    """C-009"""
    document = endorsement(IDS[place])
    written = signed(document) if form == "embedded" else sign_jwt(document, signer=ENDORSER.jwt_signer)
    report = check(badge(place, written))
    assert report.verdict is Verdict.VALID
    (answer,) = report.endorsements
    assert (answer.outcome, answer.reason) == (Outcome.PASSED, "endorsement_holds")
    assert (answer.about, answer.issuer) == (IDS[place], COMPANY)
    assert answer.comment == "Nous avons vu ce travail."
    assert report.to_document()["endorsements"] == [answer.to_document()]


@pytest.mark.parametrize(
    ("written", "outcome", "reason"),
    [
        (signed(endorsement(ACHIEVEMENT_ID)), Outcome.FAILED, "endorses_another"),
        (signed(endorsement("urn:uuid:autre")), Outcome.FAILED, "endorses_another"),
        (signed(endorsement()) | {"name": "Autre"}, Outcome.FAILED, "signature_mismatch"),
        (endorsement(), Outcome.FAILED, "no_proof"),
        (signed(endorsement(), CAMPUS), Outcome.FAILED, "key_not_bound_to_issuer"),
        (signed(endorsement(validUntil="2026-06-30T11:30:00Z")), Outcome.FAILED, "expired"),
        (signed(endorsement(validFrom="2027-01-01T00:00:00Z")), Outcome.FAILED, "not_yet_valid"),
        (sign_jwt(endorsement(name=7), signer=ENDORSER.jwt_signer), Outcome.FAILED, "schema_violation"),
        ("e30.e30.AA", Outcome.FAILED, "schema_violation"),
        ("a.b.c", Outcome.FAILED, "malformed_jwt"),
        (sign_jwt(endorsement(), signer=ENDORSER.jwt_signer)[:-8] + "AAAAAAAA", Outcome.FAILED,
         "signature_mismatch"),
    ],
)  # fmt: skip
def test_an_invalid_endorsement_does_not_affect_the_verdict(
    written: Any, outcome: Outcome, reason: str
) -> None:
    """C-012, C-013"""
    report = check(badge("credential", written))
    assert report.verdict is Verdict.VALID
    (answer,) = report.endorsements
    assert (answer.outcome, answer.reason, answer.comment) == (outcome, reason, "")


def test_an_unreachable_endorser_leaves_only_the_endorsement_open() -> None:
    report = check(badge("credential", signed(endorsement())), CAMPUS.documents())
    assert report.verdict is Verdict.VALID
    (answer,) = report.endorsements
    assert (answer.outcome, answer.reason) == (Outcome.UNKNOWN, "key_document_unavailable")


def test_the_number_of_checked_endorsements_is_bounded() -> None:
    documents = world()
    many = [sign_jwt(endorsement(id=f"urn:uuid:{n}"), signer=ENDORSER.jwt_signer) for n in range(MOST + 5)]
    report = check(badge("credential", *many), documents)
    assert len(report.endorsements) == MOST + 1
    assert report.endorsements[-1].reason == "too_many_endorsements"
    assert len(documents.asked) <= 3
    assert report.verdict is Verdict.VALID


def test_endorsements_of_a_badge_without_a_valid_signature_are_not_checked() -> None:
    documents = world()
    forged = add_proof(badge("credential", signed(endorsement())), signer=CAMPUS.signer, created=NOON)
    report = verify(json.dumps(forged | {"name": "Autre"}), documents=documents, at=NOON)
    assert report.endorsements == ()
    assert did_web_document_url(COMPANY) not in documents.asked


def test_an_endorsement_is_issued_in_both_forms_and_read_back() -> None:
    credential = EndorsementCredential.from_document(endorsement())
    issued = issue_endorsement(credential, signer=ENDORSER.signer, jwt_signer=ENDORSER.jwt_signer, at=NOON)
    for written in (issued.embedded.decode(), issued.token):
        answer = verify_endorsement(written, documents=world(), at=NOON, about=CREDENTIAL_ID)
        assert (answer.outcome, answer.comment) == (Outcome.PASSED, "Nous avons vu ce travail.")
        other = verify_endorsement(written, documents=world(), at=NOON, about=DID)
        assert (other.outcome, other.reason) == (Outcome.FAILED, "endorses_another")


def test_an_endorsement_that_no_verifier_would_accept_is_not_issued() -> None:
    credential = EndorsementCredential.from_document(endorsement())
    keys = {"signer": CAMPUS.signer, "jwt_signer": CAMPUS.jwt_signer}
    with pytest.raises(SelfCheckFailed):
        issue_endorsement(credential, **keys, at=NOON)
    keys = {"signer": ENDORSER.signer, "jwt_signer": ENDORSER.jwt_signer}
    with pytest.raises(SelfCheckFailed):
        issue_endorsement(credential, **keys, at=NOON - timedelta(days=9))
    undefined = EndorsementCredential.from_document(endorsement(motInconnu="x"))
    with pytest.raises(UnsafeDocument):
        issue_endorsement(undefined, **keys, at=NOON)


@pytest.mark.parametrize("text", ["", "bonjour", "[]", '{"a":1,"a":2}', "eyJ.e30=.x"])
def test_text_that_is_not_an_endorsement_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        verify_endorsement(text, documents=world(), at=NOON)


# --- each answer

GOOD = (found(Reason.SIGNATURE_HOLDS), found(Reason.KEY_BOUND))
COMMENT = "Nous avons vu ce travail."


def documents_of(document: dict[str, Any], *answers: CheckResult) -> list[dict[str, Any]]:
    return [each.to_document() for each in endorsements_in(document, lambda _: answers or GOOD)]


def answer(pointer: str = "/endorsement/0", **changed: Any) -> dict[str, Any]:
    whole = {
        "pointer": pointer,
        "about": CREDENTIAL_ID,
        "issuer": COMPANY,
        "comment": COMMENT,
        "outcome": "passed",
        "reason": "endorsement_holds",
    }
    return whole | changed


@pytest.mark.parametrize("place", list(IDS))
@pytest.mark.parametrize("form", ["endorsement", "endorsementJwt"])
def test_the_pointer_and_the_subject_of_an_endorsement_are_reported(place: str, form: str) -> None:
    document = endorsement(IDS[place])
    written: Any = document if form == "endorsement" else sign_jwt(document, signer=ENDORSER.jwt_signer)
    path = {"credential": "", "achievement": "/credentialSubject/achievement", "issuer": "/issuer"}[place]
    assert documents_of(badge(place, written)) == [answer(f"{path}/{form}/0", about=IDS[place])]


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        (("issuer", "parentOrg"), "/issuer/parentOrg"),
        (("credentialSubject", "achievement", "creator"), "/credentialSubject/achievement/creator"),
        (("credentialSubject", "source"), "/credentialSubject/source"),
    ],
)
def test_endorsements_of_profiles_inside_the_badge_are_checked_too(
    path: tuple[str, ...], pointer: str
) -> None:
    document = badge_document()
    thing: Any = document
    for name in path[:-1]:
        thing = thing[name]
    thing[path[-1]] = {
        "id": "did:web:p.example",
        "type": ["Profile"],
        "endorsement": endorsement("did:web:p.example"),
    }
    assert documents_of(document) == [answer(f"{pointer}/endorsement/0", about="did:web:p.example")]


def test_both_forms_and_every_pointer_are_reported_in_their_order() -> None:
    document = badge("achievement", endorsement(ACHIEVEMENT_ID), endorsement(ACHIEVEMENT_ID))
    document["endorsementJwt"] = sign_jwt(endorsement(), signer=ENDORSER.jwt_signer)
    document["issuer"]["endorsement"] = endorsement(DID)
    assert [each["pointer"] for each in documents_of(document)] == [
        "/endorsementJwt/0",
        "/credentialSubject/achievement/endorsement/0",
        "/credentialSubject/achievement/endorsement/1",
        "/issuer/endorsement/0",
    ]


@pytest.mark.parametrize(
    ("written", "reason", "issuer"),
    [
        ("no token", "malformed_jwt", None),
        (7, "malformed_json", None),
        (endorsement(name=7), "schema_violation", COMPANY),
        (endorsement(DID), "endorses_another", COMPANY),
        (endorsement(issuer={"id": 7, "type": ["Profile"]}), "schema_violation", None),
    ],
)
def test_the_fault_of_an_endorsement_is_reported_without_its_content(
    written: Any, reason: str, issuer: str | None
) -> None:
    against = {"issuer": issuer, "comment": "", "outcome": "failed", "reason": reason}
    assert documents_of(badge_document() | {"endorsement": written}) == [answer(**against)]


@pytest.mark.parametrize("about", [None, 7])
def test_a_subject_without_an_identifier_cannot_be_endorsed(about: Any) -> None:
    document = badge_document() | {"id": about, "endorsement": [endorsement(), endorsement("")]}
    another = {"about": "", "comment": "", "outcome": "failed", "reason": "endorses_another"}
    assert documents_of(document)[0] == answer(**another)
    assert documents_of({"endorsement": [endorsement()]}) == [answer(**another)]


def test_the_eleventh_endorsement_is_not_read_and_ends_the_list() -> None:
    assert len(documents_of(badge("credential", *[endorsement()] * 10))) == 10
    answers = documents_of(badge("credential", *[endorsement()] * 12))
    assert answers[:10] == [answer(f"/endorsement/{index}") for index in range(10)]
    left = {"issuer": None, "comment": "", "outcome": "unknown", "reason": "too_many_endorsements"}
    assert answers[10:] == [answer("/endorsement/10", **left)]


def test_a_comment_is_cut_to_four_thousand_characters_and_only_reported_if_it_is_text() -> None:
    document = endorsement()
    for comment, expected in (("é" * 4001, "é" * 4000), ("é" * 4000, "é" * 4000)):
        document["credentialSubject"]["endorsementComment"] = comment
        assert documents_of(badge("credential", document)) == [answer(comment=expected)]
    del document["credentialSubject"]["endorsementComment"]
    assert documents_of(badge("credential", document)) == [answer(comment="")]


FAILED, OPEN = found(Reason.SIGNATURE_MISMATCH), found(Reason.KEY_DOCUMENT_UNAVAILABLE)
VOID, NOT_ASKED = found(Reason.NO_STATUS_ENTRY), not_reached(CheckId.STATUS, CheckId.PROOF)
KEYLESS = found(Reason.KEY_NOT_AT_HAND)


@pytest.mark.parametrize(
    ("answers", "outcome", "reason"),
    [
        ((OPEN, NOT_ASKED, FAILED), "failed", "signature_mismatch"),
        ((NOT_ASKED, OPEN), "unknown", "key_document_unavailable"),
        ((KEYLESS, OPEN), "unknown", "key_document_unavailable"),
        ((NOT_ASKED, VOID), "skipped", "not_reached"),
    ],
)
def test_failed_answers_are_reported_before_open_ones_and_both_before_skipped_ones(
    answers: Sequence[CheckResult], outcome: str, reason: str
) -> None:
    assert documents_of(badge("credential", endorsement()), *answers) == [
        answer(comment="", outcome=outcome, reason=reason)
    ]
    assert documents_of(badge("credential", endorsement()), *GOOD, VOID) == [answer()]


def test_a_valid_endorsement_alone_reports_what_it_endorses() -> None:
    secured = Secured("data_integrity", {}, endorsement())
    alone = judge_endorsement(secured, None, lambda _: GOOD)
    assert alone.to_document() == answer("", about=CREDENTIAL_ID)
    broken = judge_endorsement(secured, None, lambda _: (FAILED,))
    assert broken.to_document() == answer(
        "", about="", comment="", outcome="failed", reason="signature_mismatch"
    )
    assert judge_endorsement(secured, DID, lambda _: GOOD).outcome is Outcome.FAILED


def test_the_proof_of_an_endorsement_is_no_part_of_what_it_covers() -> None:
    seen: list[Secured] = []

    def noting(secured: Secured) -> Sequence[CheckResult]:
        seen.append(secured)
        return GOOD

    written = endorsement() | {"proof": {"type": "DataIntegrityProof"}}
    endorsements_in(badge("credential", written), noting)
    assert seen == [Secured("data_integrity", written, endorsement())]
