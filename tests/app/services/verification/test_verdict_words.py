"""Messages of a verification: complete in every language, green only if valid, and safe against text in files."""

from __future__ import annotations

import re

from app.language import known_locales, speaking
from app.services.verification import verdicts
from app.services.verification.verdicts import HeadlineKind, Sentence
from app.services.verification.verdicts.checks import REMARKS
from app.services.verification.verdicts.kinds import MESSAGES, WORDING
from sceau_credentials.verification.findings import Reason, Remark, RemarkCode, found, not_reached
from sceau_credentials.verification.report import CheckId, CheckResult, Outcome, Report
from sceau_credentials.verification.run_checks import verify
from tests.support.badges.credentials import DID, LIST_URL, NOON, Campus, badge_document
from tests.support.running.every import for_each

PLACE = re.compile(r"\{\w*\}")


@for_each("locale", known_locales())
@for_each("reason", list(Reason), ids=str)
def test_every_reason_is_a_complete_sentence_in_every_language(reason: Reason, locale: str):
    details = {
        "valid_from": "2026-06-30T12:00:00Z",
        "valid_until": "2029-06-30T12:00:00Z",
        "domain": "a.example",
        "witness": "Réseau BFC",
    }
    if reason is Reason.NOT_REACHED:
        checks = [not_reached(check, CheckId.READABLE) for check in CheckId]
    else:
        checks = [found(reason, **details)]
    with speaking(locale):
        for check in checks:
            beside = verdicts.beside(check)
            for result in filter(None, (verdicts.sentence(check), beside)):
                assert result.text().endswith("."), result.text()
                assert not PLACE.search(result.text())


@for_each("reason", [each for each in Reason if each.outcome in (Outcome.FAILED, Outcome.UNKNOWN)], ids=str)
def test_every_failed_or_unknown_check_has_advice_or_a_reason(reason: Reason):
    assert verdicts.beside(found(reason)) is not None


@for_each("locale", known_locales())
@for_each("code", list(RemarkCode), ids=str)
def test_every_warning_is_a_complete_sentence_in_every_language(code: RemarkCode, locale: str):
    moments = {"withdrawn": "2026-11-25T12:00:00Z", "decided": "2026-11-24T12:00:00Z"}
    details = {
        "type": "vc+jwt",
        "members": "jti",
        "message": "x",
        "url": LIST_URL,
        "pointer": "/name",
        **moments,
    }
    report = Report(at=NOON, checks=(), remarks=(Remark(code, details),))
    with speaking(locale):
        (result,) = (each.text() for each in verdicts.remarks(report))
    assert result.endswith((".", "»", "”"))
    assert not PLACE.search(result)
    assert (result == REMARKS[code]) <= (locale == "fr")


@for_each("kind", list(HeadlineKind))
def test_every_headline_has_text_colour_and_seal(kind: HeadlineKind):
    state, seal, heading, _ = WORDING[kind]
    assert state in ("ok", "past", "bad", "unk", "shut")
    assert seal in ("ok", "past", "revoked", "broken", "unk", "shut")
    assert heading
    assert MESSAGES[kind][0].endswith((".", "}"))
    assert (state == "ok") == (
        kind in (HeadlineKind.VALID, HeadlineKind.VALID_ELSEWHERE, HeadlineKind.HOSTED_ELSEWHERE)
    ), "green without a valid badge"


def test_text_from_a_file_cannot_reverse_or_hide_the_text_around_it():
    hostile = "Zo\u202eé\u2066 {campus}\u0000\u200b\n<b>" + "x" * 500
    result = Sentence("« {name} »", {"name": verdicts.plain(hostile)})
    assert result.text().startswith("« Zoé {campus} <b>xxx")
    assert len(result.text()) < 200
    assert "\u202e" not in result.text()


def test_claims_of_any_type_are_read_without_an_error():
    for odd in ([], "x", 7, None, {"a": []}, [[]], [None], {"achievement": [1]}, {"criteria": "x"}):
        claims = verdicts.claims_of(
            {"credentialSubject": odd, "issuer": odd, "evidence": odd, "validFrom": odd, "name": odd}
        )
        assert claims.holder == ""
    assert verdicts.claims_of({}).title == ""


def test_link_that_is_not_a_web_address_is_omitted():
    document = badge_document()
    document["evidence"] = [{"id": "javascript:alert(1)", "name": "x"}]
    assert verdicts.claims_of(document).evidence[0].url == ""


def test_unreadable_status_is_never_green():
    result = found(Reason.STATUS_LIST_UNAVAILABLE, url=LIST_URL)
    assert result.outcome is Outcome.UNKNOWN
    campus = Campus()
    report = verify(campus.issue().embedded, documents=campus.documents().without(LIST_URL), at=NOON)
    line = next(each for each in verdicts.check_messages(report) if each.check is CheckId.STATUS)
    assert (line.state, line.word) == ("unk", "Non vérifié")
    assert isinstance(report.check(CheckId.STATUS), CheckResult)
    assert DID in str(report.issuer)


def test_dates_of_another_issuer_are_shown_as_its_statements():
    document = badge_document()
    document["awardedDate"] = "2026-01-05T12:00:00Z"
    campus = Campus()
    report = verify(campus.issue(document).embedded, documents=campus.documents(), at=NOON)
    line = next(each for each in verdicts.check_messages(report) if each.check is CheckId.VALIDITY)
    assert line.sentence.text() == verdicts.sentence(report.check(CheckId.VALIDITY)).text()
    assert line.beside is not None
    assert line.beside.text().replace("\xa0", " ") == "Son émetteur dit l’avoir attribué le 5 janvier 2026."
    del document["awardedDate"]
    assert verdicts.signed_again(document) is None
    assert verdicts.signed_again({"awardedDate": 7, "validFrom": []}) is None
