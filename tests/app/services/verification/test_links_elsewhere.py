"""A link to another site is fetched like a key: three documents at most, and never a web page."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.container import Process
from app.services.verification.answers import Answer
from app.services.verification.verdicts import HeadlineKind, check_messages, headline
from sceau_credentials import Outcome, Verdict
from sceau_credentials.dids import did_web_document_url
from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.values import FetchedDocument
from tests.sceau_credentials.verification.legacy.older_issuer import (
    ASSERTION,
    CLASS,
    ISSUER,
    SITE,
    jws,
    published,
    signed_assertion,
)
from tests.sceau_credentials.verification.test_endorsements import COMPANY, badge, endorsement, signed
from tests.support.app import App
from tests.support.badges.credentials import DID_URL, LIST_URL, Campus
from tests.support.badges.documents import CachedKeys, Documents
from tests.support.running.every import for_each

LINK = "https://badges.example/badge/1"


def ask(app: App, held: dict[str, Any], link: str = LINK) -> tuple[Answer, Documents]:
    beyond = Documents(held)
    process = Process(app.process.settings, clock=app.clock, beyond=beyond)
    try:
        with process.unit_of_work(reading=True) as services:
            return services.verification.verify(link), beyond
    finally:
        process.engine.dispose()


@pytest.mark.parametrize("form", ["embedded", "token"])
def test_badge_behind_a_link_is_verified_like_an_uploaded_one(app: App, form: str) -> None:
    campus = Campus()
    held = {DID_URL: campus.did_document, LIST_URL: campus.status_list(at=app.clock())}
    written = getattr(campus.issue(), form)
    answer, beyond = ask(app, held | {LINK: written})
    assert answer.report is not None
    assert answer.report.verdict is Verdict.VALID
    assert beyond.asked == [LINK, DID_URL, LIST_URL]


def test_link_without_a_document_is_reported_and_fetched_once(app: App) -> None:
    answer, beyond = ask(app, {})
    assert headline(answer).kind is HeadlineKind.LINK_ELSEWHERE
    assert beyond.asked == [LINK]


def test_link_of_ours_without_an_award_is_not_fetched(app: App) -> None:
    link = "http://localhost:8000/attributions/9f3d2e7a-0000-4000-8000-000000000000"
    answer, beyond = ask(app, {}, link)
    assert headline(answer).kind is HeadlineKind.LINK_UNKNOWN
    assert beyond.asked == []


def test_open_badges_2_link_fetches_three_documents(app: App) -> None:
    held = published().held
    answer, beyond = ask(app, held, ASSERTION)
    assert headline(answer).kind is HeadlineKind.UNKNOWN_ISSUER
    assert beyond.asked == [ASSERTION, CLASS, ISSUER]


def test_link_that_needs_a_fourth_document_is_undetermined_with_a_reason(app: App) -> None:
    link = f"{SITE}/signe.jwt"
    answer, beyond = ask(app, published().held | {link: jws(signed_assertion())}, link)
    assert len(beyond.asked) == 3
    assert headline(answer).kind is HeadlineKind.UNVERIFIABLE
    assert "un document de plus" in headline(answer).text()
    (advice,) = {
        result.beside.text()
        for result in check_messages(answer.report)
        if "un document de plus" in result.sentence.text() and result.beside
    }
    assert advice == "Demandez à l’émetteur où ce badge se vérifie."


class Refusing(Documents):
    """Another site; each document is missing for this reason."""

    def __init__(self, reason: str) -> None:
        super().__init__({})
        self.reason = reason

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        raise DocumentUnavailable(url, self.reason)


@for_each(
    ("reason", "words"),
    [
        ("url_not_allowed", "Nous n’avons pas demandé http://169.254.169.254/x"),
        ("offline", "Nous n’avons pas demandé http://169.254.169.254/x"),
        ("unreachable", "Nous n’avons pas pu lire"),
        ("timeout", "Nous n’avons pas pu lire"),
        ("wrong_type", "Nous avons demandé"),
        ("not_found", "Nous avons demandé"),
    ],
)
def test_message_about_a_link_matches_the_reason(app: App, reason: str, words: str) -> None:
    process = Process(app.process.settings, clock=app.clock, beyond=Refusing(reason))
    try:
        with process.unit_of_work(reading=True) as services:
            result = headline(services.verification.verify("http://169.254.169.254/x")).text()
            badge = services.verification.verify(Campus().issue().embedded)
    finally:
        process.engine.dispose()
    assert result.startswith(words)
    why = headline(badge).text()
    assert ("ne répond pas" in why) == (reason in ("unreachable", "timeout")), why


@pytest.mark.parametrize("form", ["embedded", "token"])
@pytest.mark.parametrize("keeps_name", [True, False])
def test_badge_with_a_key_missing_from_the_cache_is_verified_with_the_current_document(
    app: App, form: str, keeps_name: bool
) -> None:
    before, now = Campus(), Campus()
    old = json.loads(json.dumps(before.did_document))
    if keeps_name:
        for mine, theirs in zip(
            old["verificationMethod"], now.did_document["verificationMethod"], strict=True
        ):
            mine["id"] = theirs["id"]
        old["assertionMethod"] = now.did_document["assertionMethod"]
    status = {LIST_URL: now.status_list(at=app.clock())}
    beyond = CachedKeys({DID_URL: old} | status, {DID_URL: now.did_document})
    process = Process(app.process.settings, clock=app.clock, beyond=beyond)
    try:
        with process.unit_of_work(reading=True) as services:
            report = services.verification.verify(getattr(now.issue(), form)).report
            forged = services.verification.verify(getattr(before.issue(), form)).report
    finally:
        process.engine.dispose()
    assert report is not None
    assert forged is not None
    assert (report.verdict, forged.verdict) == (Verdict.VALID, Verdict.INVALID)
    assert beyond.asked.count(DID_URL) <= 4


def test_endorsement_in_a_badge_is_verified_with_the_current_key_of_its_issuer(app: App) -> None:
    campus, before, now = Campus(), Campus(did=COMPANY), Campus(did=COMPANY)
    document = badge("credential", *(signed(endorsement(), each) for each in (before, now)))
    place = did_web_document_url(COMPANY)
    beyond = CachedKeys(
        {
            DID_URL: campus.did_document,
            LIST_URL: campus.status_list(at=app.clock()),
            place: before.did_document,
        },
        {place: now.did_document},
    )
    process = Process(app.process.settings, clock=app.clock, beyond=beyond)
    try:
        with process.unit_of_work(reading=True) as services:
            text = json.dumps(add_proof(document, signer=campus.signer, created=app.clock()))
            report = services.verification.verify(text).report
    finally:
        process.engine.dispose()
    assert report is not None
    assert report.verdict is Verdict.VALID
    assert [each.outcome for each in report.endorsements] == [Outcome.FAILED, Outcome.PASSED]
    assert place in beyond.doubted
