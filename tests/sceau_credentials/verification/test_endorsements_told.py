"""Each answer about an endorsement, whole: where it hangs, on what, whose it is, and what stands against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sceau_credentials import CheckResult, Outcome
from sceau_credentials.proofs.vc_jwt import sign_jwt
from sceau_credentials.verification.answers import Secured
from sceau_credentials.verification.findings import Reason, found, not_reached
from sceau_credentials.verification.report import CheckId
from sceau_credentials.verification.run_checks import endorsements_in, judge_endorsement
from tests.sceau_credentials.verification.test_endorsements import COMPANY, ENDORSER, IDS, badge, endorsement
from tests.support.badges.credentials import ACHIEVEMENT_ID, CREDENTIAL_ID, DID, badge_document

GOOD = (found(Reason.SIGNATURE_HOLDS), found(Reason.KEY_BOUND))
COMMENT = "Nous avons vu ce travail."


def told(document: dict[str, Any], *answers: CheckResult) -> list[dict[str, Any]]:
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
def test_where_an_endorsement_hangs_and_on_what(place: str, form: str) -> None:
    document = endorsement(IDS[place])
    written: Any = document if form == "endorsement" else sign_jwt(document, signer=ENDORSER.jwt_signer)
    path = {"credential": "", "achievement": "/credentialSubject/achievement", "issuer": "/issuer"}[place]
    assert told(badge(place, written)) == [answer(f"{path}/{form}/0", about=IDS[place])]


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        (("issuer", "parentOrg"), "/issuer/parentOrg"),
        (("credentialSubject", "achievement", "creator"), "/credentialSubject/achievement/creator"),
        (("credentialSubject", "source"), "/credentialSubject/source"),
    ],
)
def test_profiles_inside_the_badge_are_asked_too(path: tuple[str, ...], pointer: str) -> None:
    document = badge_document()
    thing: Any = document
    for name in path[:-1]:
        thing = thing[name]
    thing[path[-1]] = {
        "id": "did:web:p.example",
        "type": ["Profile"],
        "endorsement": endorsement("did:web:p.example"),
    }
    assert told(document) == [answer(f"{pointer}/endorsement/0", about="did:web:p.example")]


def test_both_forms_and_every_place_are_told_in_their_order() -> None:
    document = badge("achievement", endorsement(ACHIEVEMENT_ID), endorsement(ACHIEVEMENT_ID))
    document["endorsementJwt"] = sign_jwt(endorsement(), signer=ENDORSER.jwt_signer)
    document["issuer"]["endorsement"] = endorsement(DID)
    assert [each["pointer"] for each in told(document)] == [
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
def test_what_is_wrong_with_it_is_told_and_nothing_that_it_says(
    written: Any, reason: str, issuer: str | None
) -> None:
    against = {"issuer": issuer, "comment": "", "outcome": "failed", "reason": reason}
    assert told(badge_document() | {"endorsement": written}) == [answer(**against)]


@pytest.mark.parametrize("about", [None, 7])
def test_what_has_no_name_cannot_be_endorsed(about: Any) -> None:
    document = badge_document() | {"id": about, "endorsement": [endorsement(), endorsement("")]}
    another = {"about": "", "comment": "", "outcome": "failed", "reason": "endorses_another"}
    assert told(document)[0] == answer(**another)
    assert told({"endorsement": [endorsement()]}) == [answer(**another)]


def test_the_eleventh_is_left_unread_and_ends_the_list() -> None:
    assert len(told(badge("credential", *[endorsement()] * 10))) == 10
    answers = told(badge("credential", *[endorsement()] * 12))
    assert answers[:10] == [answer(f"/endorsement/{index}") for index in range(10)]
    left = {"issuer": None, "comment": "", "outcome": "unknown", "reason": "too_many_endorsements"}
    assert answers[10:] == [answer("/endorsement/10", **left)]


def test_a_comment_is_told_in_four_thousand_characters_and_only_if_it_is_text() -> None:
    document = endorsement()
    for comment, expected in (("é" * 4001, "é" * 4000), ("é" * 4000, "é" * 4000)):
        document["credentialSubject"]["endorsementComment"] = comment
        assert told(badge("credential", document)) == [answer(comment=expected)]
    del document["credentialSubject"]["endorsementComment"]
    assert told(badge("credential", document)) == [answer(comment="")]


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
def test_what_failed_is_told_before_what_is_open_and_both_before_what_was_not_asked(
    answers: Sequence[CheckResult], outcome: str, reason: str
) -> None:
    assert told(badge("credential", endorsement()), *answers) == [
        answer(comment="", outcome=outcome, reason=reason)
    ]
    assert told(badge("credential", endorsement()), *GOOD, VOID) == [answer()]


def test_an_endorsement_on_its_own_says_what_it_endorses_where_it_holds() -> None:
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
