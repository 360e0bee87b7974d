"""The learner's own log and the trainer's journal: read, chosen, disputed, answered, exported."""

from __future__ import annotations

import json
import uuid

import pytest
from fastapi.testclient import TestClient

from app.domain.awards.open_badges import DisclosedContent
from app.services.activity_log.log_check import Fault, LogFault
from tests.support.app import COMMAND, App, send


@pytest.fixture
def award_id(app: App) -> uuid.UUID:
    (line,) = app.award("Zoé N’Diaye; zoe@exemple.fr", badge=app.role, evidence="A animé la table.").lines
    assert line.award_id is not None
    return line.award_id


@pytest.fixture
def learner(app: App, award_id: uuid.UUID) -> TestClient:
    client = app.client()
    with app.unit_of_work(reading=True) as services:
        token = services.people.private_link_token(award_id, 0)
    assert client.get(f"/recevoir/{token}").status_code == 303
    return client


def entries(app: App, award_id: uuid.UUID) -> list[int]:
    with app.unit_of_work(reading=True) as services:
        row = services.evidence.find(award_id)
        assert row is not None
        return row.entries


def test_a_learner_reads_every_line_about_them_and_no_identifier(
    app: App, learner: TestClient, award_id: uuid.UUID
) -> None:
    page = learner.get(f"/mes-badges/{award_id}/journal")
    assert page.status_code == 200
    for words in ("Participation inscrite", "Appréciation", "Badge attribué", "Atelier robotique"):
        assert words in page.text
    assert str(app.trainer.id) not in page.text
    assert "Le Goff" not in page.text


def test_what_is_chosen_is_what_the_page_of_the_badge_shows(
    app: App, learner: TestClient, award_id: uuid.UUID
) -> None:
    here = f"/mes-badges/{award_id}/journal"
    first, second = entries(app, award_id)
    sent = {f"ligne-{first}": "existence", f"ligne-{second}": "all", "ligne-99": "all", "ligne-x": "none"}
    assert send(learner, f"{here}/montrer", sent, seen_on=here).status_code == 303
    with app.unit_of_work(reading=True) as services:
        row = services.evidence.find(award_id)
        assert row is not None
        assert services.evidence.shown(row) == {
            first: DisclosedContent.EXISTENCE,
            second: DisclosedContent.ALL,
        }


def test_a_disputed_line_is_answered_on_the_trainers_journal_and_stays_as_it_is(
    app: App, learner: TestClient, award_id: uuid.UUID
) -> None:
    here, (number, _) = f"/mes-badges/{award_id}/journal", entries(app, award_id)
    refused = send(learner, f"{here}/contester", {"ligne": str(number), "texte": "non"}, seen_on=here)
    assert refused.status_code == 422
    assert "non</textarea>" in refused.text
    said = {"ligne": str(number), "texte": "Je suis restée <b>quatre</b> heures."}
    assert send(learner, f"{here}/contester", said, seen_on=here).status_code == 303
    assert send(learner, f"{here}/contester", said | {"ligne": "0"}, seen_on=here).status_code == 404

    trainer = app.client(app.trainer)
    journal = f"/gestion/itip/activites/{app.activity.id}/journal"
    page = trainer.get(journal).text
    assert "Je suis restée &lt;b&gt;quatre&lt;/b&gt; heures." in page
    before = trainer.get(f"{journal}/suivi").text
    with app.unit_of_work(reading=True) as services:
        ((_, dispute),) = services.activity_journal.of(app.campus, app.activity.id).open_disputes
    answer = {"reponse": "Corrigé, merci."}
    assert send(trainer, f"{journal}/contestations/{dispute.id}", answer, seen_on=journal).status_code == 303
    assert trainer.get(f"{journal}/suivi").text != before
    assert "Corrigé, merci." in learner.get(here).text
    with app.unit_of_work(reading=True) as services:
        assert services.activity_journal.of(app.campus, app.activity.id).open_disputes == []


def test_a_correction_asks_for_its_reason_and_appends_a_line(app: App, award_id: uuid.UUID) -> None:
    trainer = app.client(app.trainer)
    with app.unit_of_work(reading=True) as services:
        ((part, _),) = services.activities.page(app.campus, app.activity.id).participants
    address = f"/gestion/itip/activites/{app.activity.id}/participants/{part.id}"
    typed = {"role": "apprenant", "heures": "4", "contribution": ""}
    refused = send(trainer, address, typed)
    assert refused.status_code == 422
    assert "Dites pourquoi vous corrigez" in refused.text
    assert send(trainer, address, typed | {"motif": "Restée plus longtemps."}).status_code == 303
    page = trainer.get(f"/gestion/itip/activites/{app.activity.id}/journal").text
    assert "Restée plus longtemps." in page
    assert "remplacée depuis" in page


def test_the_log_is_downloaded_as_json_and_as_pdf(learner: TestClient, award_id: uuid.UUID) -> None:
    here = f"/mes-badges/{award_id}/journal/mon-journal"
    result = json.loads(learner.get(f"{here}.json").text)
    assert [line["kind"] for line in result["lines"]] == ["award", "assessment", "participation"]
    assert all("person" not in line["says"] for line in result["lines"])
    assert learner.get(f"{here}.pdf").content.startswith(b"%PDF-")


def test_other_visitors_cannot_read_the_log(app: App, award_id: uuid.UUID) -> None:
    for path in ("", "/mon-journal.json", "/mon-journal.pdf"):
        assert app.client().get(f"/mes-badges/{award_id}/journal{path}").status_code == 401


@pytest.mark.parametrize("count", [100, 101, 5_000])
def test_the_audit_reports_that_faults_beyond_those_shown_exist(app: App, award_id: uuid.UUID, count: int):
    found = [LogFault(Fault.CHANGED_ENTRY, str(number)) for number in range(count)]
    with app.unit_of_work() as services:
        log = services.stores.activity_log.find(app.campus.id)
        assert log is not None
        services.log_watch.note_review(log, found, by=COMMAND)
    page = app.client(app.admin).get("/gestion/itip/audit/journal").text
    assert page.count("<li>") >= 100
    assert ("sceau log check" in page) == (count > 100)
