"""An endorsement signed on a company's site: shown with the day of its last check, checked each week."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from app.container import Process
from app.domain.trust.organisations import AGAIN, SOON
from app.jobs.kinds import ENDORSEMENTS
from app.services.trust.endorsement_requests import EndorsementAsked
from app.services.trust.endorsements import EndorsementOutcome
from app.web.trust.endorsements import RecommendationShown, recommendations
from sceau_credentials import Outcome
from sceau_credentials.issuing.signing import issue_endorsement
from sceau_credentials.model import BitstringStatusListEntry, EndorsementCredential, EndorsementSubject
from sceau_credentials.status_list import status_entry
from tests.support.app import COMMAND, App
from tests.support.badges.credentials import DID_URL, LIST_URL, Campus
from tests.support.badges.documents import CachedKeys, Documents

PLACE = 94_567


class Elsewhere:
    """A company that signed an endorsement of our badge on its own site and submitted it."""

    def __init__(self, app: App) -> None:
        app.award("Martin Zoé;zoe@exemple.fr")
        self.company = Campus()
        beyond = Documents({DID_URL: self.company.did_document, LIST_URL: self.list_at(app)})
        self.held: dict[str, Any] = beyond.held
        self.process = Process(app.process.settings, clock=app.clock, beyond=beyond)
        with self.process.unit_of_work() as services:
            subject = services.endorsement_subjects.of_badge(app.campus, app.presence.badge.id)
            self.version = subject.version
            asked = services.endorsement_asking.ask(
                subject, EndorsementAsked("lea@atelier-roy.example", "Atelier Roy"), refused=False, by=COMMAND
            )
            credential = EndorsementCredential(
                id=f"urn:uuid:{uuid.uuid4()}",
                name="Avis",
                issuer=self.company.did,
                valid_from=app.clock(),
                credential_subject=EndorsementSubject(id=subject.iri, endorsement_comment="Un geste sûr."),
                credential_status=BitstringStatusListEntry.from_document(status_entry(LIST_URL, PLACE)),
            )
            written = issue_endorsement(
                credential, signer=self.company.signer, jwt_signer=self.company.jwt_signer, at=app.clock()
            ).token
            self.written = written
            signing = services.endorsement_signing
            token = signing.token_of(asked.id)
            self.endorsement = signing.take_in(
                token, EndorsementOutcome("Atelier Roy", ""), written, language="fr"
            )

    def list_at(self, app: App) -> dict[str, Any]:
        return self.company.status_list(at=app.clock())

    def shown(self) -> RecommendationShown:
        with self.process.unit_of_work(reading=True) as services:
            assert self.version
            (found,) = recommendations(services.endorsements.about_version(self.version), "Europe/Paris")
        return found


@pytest.fixture
def elsewhere(app: App) -> Iterator[Elsewhere]:
    made = Elsewhere(app)
    yield made
    made.process.engine.dispose()


def test_pages_make_no_request_and_show_the_day_of_the_check(elsewhere: Elsewhere) -> None:
    elsewhere.held.clear()
    shown = elsewhere.shown()
    assert shown.lines == ["Un geste sûr."]
    assert shown.found.state == "shut"
    assert any("24\xa0novembre 2026" in each for each in shown.beside)


def test_page_of_the_endorsement_checks_it_at_once(app: App, elsewhere: Elsewhere) -> None:
    with elsewhere.process.unit_of_work(reading=True) as services:
        found, _ = services.endorsements.get(elsewhere.endorsement.id)
    assert found.holds
    elsewhere.company.revoked.add(PLACE)
    elsewhere.held[LIST_URL] = elsewhere.list_at(app)
    with elsewhere.process.unit_of_work(reading=True) as services:
        found, _ = services.endorsements.get(elsewhere.endorsement.id)
    assert found.answer is not None
    assert found.answer.reason == "revoked"


def test_endorsement_is_checked_each_week_and_hidden_when_invalid(app: App, elsewhere: Elsewhere) -> None:
    assert ENDORSEMENTS.due(elsewhere.process) == []
    app.clock.move(seconds=AGAIN.total_seconds())
    assert ENDORSEMENTS.due(elsewhere.process) == [elsewhere.endorsement.id]
    elsewhere.held.clear()
    ENDORSEMENTS.perform(elsewhere.process, elsewhere.endorsement.id)
    assert elsewhere.shown().lines == ["Un geste sûr."], "no answer: the earlier result stays"
    app.clock.move(seconds=SOON.total_seconds())
    elsewhere.company.revoked.add(PLACE)
    elsewhere.held.update({DID_URL: elsewhere.company.did_document, LIST_URL: elsewhere.list_at(app)})
    assert ENDORSEMENTS.due(elsewhere.process) == [elsewhere.endorsement.id]
    ENDORSEMENTS.perform(elsewhere.process, elsewhere.endorsement.id)
    shown = elsewhere.shown()
    assert (shown.lines, shown.found.state) == ([], "bad")


def _changed_keys(app: App, elsewhere: Elsewhere) -> Process:
    """Only the earlier keys of the company are cached."""
    cached = CachedKeys(
        {DID_URL: Campus().did_document, LIST_URL: elsewhere.list_at(app)},
        {DID_URL: elsewhere.company.did_document},
    )
    return Process(app.process.settings, clock=app.clock, beyond=cached)


def test_page_and_weekly_check_fetch_keys_missing_from_the_cache(app: App, elsewhere: Elsewhere) -> None:
    for judged in ("page", "week"):
        process = _changed_keys(app, elsewhere)
        with process.unit_of_work(reading=True) as services:
            if judged == "page":
                answer = services.endorsements.get(elsewhere.endorsement.id)[0].answer
            else:
                answer = services.endorsements_checked_again.evaluate(elsewhere.endorsement.id)
        process.engine.dispose()
        assert answer is not None
        assert answer.outcome is Outcome.PASSED, judged


def test_endorsement_submitted_after_a_change_of_keys_is_accepted(app: App, elsewhere: Elsewhere) -> None:
    written = elsewhere.written
    process = _changed_keys(app, elsewhere)
    with process.unit_of_work() as services:
        subject = services.endorsement_subjects.of_badge(app.campus, app.presence.badge.id)
        asked = services.endorsement_asking.ask(
            subject, EndorsementAsked("noe@atelier-roy.example", "Atelier Roy"), refused=False, by=COMMAND
        )
        signing = services.endorsement_signing
        taken = signing.take_in(
            signing.token_of(asked.id), EndorsementOutcome("Atelier Roy", ""), written, language="fr"
        )
    process.engine.dispose()
    assert taken.written == written
