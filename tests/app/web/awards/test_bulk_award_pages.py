"""Bulk awards in the browser: progress, undoing, and awarding later."""

from __future__ import annotations

import re
from datetime import timedelta
from threading import Thread
from time import sleep

import pytest
from fastapi.testclient import TestClient

from app.domain.awards import AwardState
from app.domain.campus.audit_log import Actor
from app.domain.messages import LetterState
from app.domain.people import Role
from app.jobs.worker import KINDS
from tests.support.app import COMMAND, App, send
from tests.support.forms import form_with

MANY = "\n".join(
    f"BA{one}{other}O Zoé; zoe.{one}{other}@exemple.fr" for one in "BCDFGH" for other in "AEIOULMNPR"
)
FEW = "MARTIN Zoé; zoe@exemple.fr\nDURAND Paul; paul@exemple.fr"


def process_chunk(app: App) -> None:
    """What a worker does in one poll, letters aside."""
    for kind in KINDS:
        if kind.name in ("award", "undo", "withdraw"):
            for row_id in kind.due(app.process):
                while kind.perform(app.process, row_id):
                    pass


def give(app: App, client: TestClient, people: str, gesture: str = "attribuer", **fields: str):
    address = f"/gestion/itip/activites/{app.activity.id}/attribuer"
    chosen = {"badge": str(app.presence.badge.id), "qui": "liste", "liste": people}
    preview = send(client, address, chosen)
    return form_with(preview, "cle").fill(**fields).press(client, preview, ("geste", gesture))


@pytest.fixture
def client(app: App) -> TestClient:
    return app.client(app.trainer)


def read(page) -> str:
    """The page with ordinary spaces."""
    return page.text.replace("\xa0", " ").replace("\u202f", " ")


def awards(app: App) -> list[AwardState]:
    with app.unit_of_work(reading=True) as services:
        return [record.award.state for record in services.awards.list_in(app.campus, limit=100)]


def letters(app: App) -> set[tuple[LetterState, bool]]:
    """State of the letters, and whether they may leave now."""
    with app.unit_of_work(reading=True) as services:
        ids = [record.award.id for record in services.awards.list_in(app.campus, limit=100)]
        found = services.letters.letters.of_awards(ids)
        return {(letter.state, letter.not_before <= app.clock()) for letter in found}


def test_few_are_awarded_at_once_and_nothing_leaves_before_the_time_to_undo_is_over(
    app: App, client: TestClient
):
    result = give(app, client, FEW).headers["location"]
    page = client.get(result)
    assert "2 badges attribués" in read(page)
    assert "/recevoir/" not in page.text
    assert "/recevoir/" not in client.get(f"{result}/liens.csv").text
    assert letters(app) == {(LetterState.WAITING, False)}
    app.clock.move(minutes=5)
    assert client.get(result).text.count("/recevoir/") == 2
    assert client.get(f"{result}/liens.csv").text.count("/recevoir/") == 2
    assert letters(app) == {(LetterState.WAITING, True)}


def test_a_trainer_who_is_sure_hands_over_at_once(app: App, client: TestClient):
    result = give(app, client, FEW).headers["location"]
    assert send(client, f"{result}/remettre", seen_on=result).status_code == 303
    assert client.get(result).text.count("/recevoir/") == 2
    assert letters(app) == {(LetterState.WAITING, True)}
    refused = send(client, f"{result}/annuler", seen_on=f"/gestion/itip/activites/{app.activity.id}")
    assert refused.status_code == 409
    assert awards(app) == [AwardState.ISSUED] * 2


def test_undoing_takes_all_of_it_back_and_the_badge_may_be_given_again(app: App, client: TestClient):
    result = give(app, client, FEW).headers["location"]
    assert send(client, f"{result}/annuler", seen_on=result).status_code == 303
    assert "Attribution annulée" in client.get(result).text
    assert awards(app) == [AwardState.REVOKED] * 2
    assert letters(app) == {(LetterState.CANCELLED, False)}
    again = give(app, client, FEW).headers["location"]
    assert "2 badges attribués" in read(client.get(again))


def test_more_than_a_few_are_awarded_in_the_background_with_a_progress_page(app: App, client: TestClient):
    result = give(app, client, MANY).headers["location"]
    shown = client.get(result)
    assert "Attribution en cours" in shown.text
    assert re.search(r'<noscript><meta http-equiv="refresh"', shown.text)
    assert "0 sur 60" in shown.text
    process_chunk(app)
    assert "60 badges attribués" in read(client.get(result))
    answered = client.get(f"{result}/avancement").text
    assert '"done": 60' in answered
    assert "event: fin" in answered


def test_page_of_a_long_undo_counts_undone_badges_and_announces_no_delivery(app: App, client: TestClient):
    result = give(app, client, MANY).headers["location"]
    process_chunk(app)
    assert send(client, f"{result}/annuler", seen_on=result).status_code == 303
    shown = read(client.get(result))
    assert "Annulation en cours" in shown
    assert "Badges annulés : 0 sur 60" in shown
    assert "L’annulation continue sans vous" in shown
    assert "L’attribution continue" not in shown
    assert "Derniers badges signés" not in shown
    late = send(client, f"{result}/remettre", seen_on=result)
    assert late.status_code == 409
    assert "Cette attribution est annulée : rien ne sera remis" in read(late)


@pytest.mark.parametrize("ends", ["signed out everywhere", "works here no more", "nobody works here"])
def test_a_person_who_lost_access_gets_no_more_progress(app: App, client: TestClient, ends: str):
    result = give(app, client, MANY).headers["location"]
    answered: list[str] = []
    watching = Thread(target=lambda: answered.append(client.get(f"{result}/avancement").text), daemon=True)
    watching.start()
    sleep(1)
    assert (watching.is_alive(), answered) == (True, []), "nothing is settled, so the stream continues"
    if ends == "signed out everywhere":
        elsewhere = app.client(app.trainer)
        send(elsewhere, "/compte/sessions/fermer-partout", seen_on="/compte")
    elif ends == "nobody works here":
        with app.unit_of_work() as services:
            services.operators.suspend(app.campus.slug, by=COMMAND)
    else:
        with app.unit_of_work() as services:
            services.team.remove(app.campus, app.trainer.id, by=Actor(app.admin.id))
    watching.join(timeout=20)
    assert answered
    assert answered[0].endswith("event: fin\ndata: {}\n\n")


def test_what_is_under_way_can_be_undone(app: App, client: TestClient):
    result = give(app, client, MANY).headers["location"]
    send(client, f"{result}/annuler", seen_on=result)
    process_chunk(app)
    assert awards(app) == []
    assert "Attribution annulée" in client.get(result).text


def test_an_award_for_later_waits_for_its_hour_on_the_campus_s_clock(app: App, client: TestClient):
    later = (app.clock() + timedelta(hours=1 + 2)).strftime("%Y-%m-%dT%H:%M")  # two hours on, in Paris
    result = give(app, client, FEW, "plus-tard", quand=later).headers["location"]
    assert "Attribution prévue" in client.get(result).text
    process_chunk(app)
    assert awards(app) == []
    app.clock.move(hours=2)
    process_chunk(app)
    assert len(awards(app)) == 2


def test_an_award_for_later_can_be_cancelled_before_its_hour(app: App, client: TestClient):
    later = (app.clock() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    result = give(app, client, FEW, "plus-tard", quand=later).headers["location"]
    assert send(client, f"{result}/annuler", seen_on=result).status_code == 303
    assert "annulée avant son heure" in client.get(result).text
    app.clock.move(days=2)
    process_chunk(app)
    assert awards(app) == []


@pytest.mark.parametrize("hour", ["", "demain", "2020-01-01T10:00", "2199-01-01T10:00", "0001-01-01T00:00"])
def test_an_impossible_hour_is_refused_beside_its_field_and_nothing_is_lost(
    app: App, client: TestClient, hour: str
):
    answer = give(app, client, FEW, "plus-tard", quand=hour)
    assert answer.status_code == 422
    assert "zoe@exemple.fr" in answer.text
    assert 'id="quand-erreur"' in answer.text
    assert f'name="quand" type="datetime-local" value="{hour}"' in answer.text
    assert awards(app) == []
    form_with(answer, "cle").press(client, answer, ("geste", "attribuer"))
    assert len(awards(app)) == 2


def test_a_planned_award_is_shown_on_the_activity_and_on_the_dashboard(app: App, client: TestClient):
    later = (app.clock() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    result = give(app, client, FEW, "plus-tard", quand=later).headers["location"]
    activity = f"/gestion/itip/activites/{app.activity.id}"
    for page in (activity, "/gestion/itip"):
        assert f'href="{result}"' in client.get(page).text
    assert f'href="{activity}"' in client.get(result).text
    send(client, f"{result}/annuler", seen_on=result)
    assert f'href="{result}"' in client.get(activity).text
    assert f'href="{result}"' not in client.get("/gestion/itip").text


def test_bulk_awards_are_listed_only_for_those_who_may_read_them(app: App, client: TestClient):
    result = give(app, client, FEW).headers["location"]
    activity = f"/gestion/itip/activites/{app.activity.id}"
    assert f'href="{result}"' in client.get(activity).text
    with app.unit_of_work() as services:
        services.team.set_roles(app.campus, app.trainer.id, [Role.AUDITOR], by=Actor(app.admin.id))
    shown = client.get(activity)
    assert shown.status_code == 200
    assert result not in shown.text


def test_a_badge_that_was_taken_back_is_not_offered_to_be_withdrawn(app: App, client: TestClient):
    result = give(app, client, FEW).headers["location"]
    assert client.get(result).text.count("/retirer") == 2
    send(client, f"{result}/annuler", seen_on=result)
    undone = read(client.get(result))
    assert "/retirer" not in undone
    assert "Annulés (2)" in undone
    assert "Attribués" not in undone


def test_what_was_taken_back_was_never_given_in_the_activity_nor_counted_at_the_desk(
    app: App, client: TestClient
):
    activity = f"/gestion/itip/activites/{app.activity.id}"
    result = give(app, client, FEW).headers["location"]
    for page in (activity, f"{activity}/remise"):
        assert app.presence.version.name in client.get(page).text.partition("<main")[2]
    assert counted_at_the_desk(client) == "2"
    send(client, f"{result}/annuler", seen_on=result)
    shown = client.get(activity).text
    assert "Retiré" not in shown
    assert "Remettre les badges" not in shown
    assert "Retiré" not in client.get(f"{activity}/remise").text
    assert counted_at_the_desk(client) == "0"


def counted_at_the_desk(client: TestClient) -> str:
    found = re.search(r"Badges attribués</dt><dd>(\d+)", client.get("/gestion/itip").text)
    assert found
    return found[1]


def test_what_was_taken_back_is_called_undone_on_every_page_and_in_every_table(app: App, client: TestClient):
    result = give(app, client, FEW).headers["location"]
    send(client, f"{result}/annuler", seen_on=result)
    with app.unit_of_work(reading=True) as services:
        record = services.awards.list_in(app.campus, limit=1)[0]
    award = f"/gestion/itip/attributions/{record.award.id}"
    pages = (
        "/gestion/itip",
        "/gestion/itip/attributions",
        award,
        f"{award}/remise",
        f"/gestion/itip/repertoire/{record.person.id}",
    )
    for page in pages:
        shown = re.sub(r"(?s)<form role=.search.*?</form>", "", read(client.get(page)).partition("<main")[2])
        assert re.search("[Aa]nnulée?", shown), page
        assert "vant d’être remis" in shown, page
        assert not re.search("[Rr]etiré", shown), page
    admin = app.client(app.admin)
    columns = "colonne=retire&colonne=annule&colonne=motif"
    table = admin.get(f"/gestion/itip/attributions/attributions.csv?{columns}").content.decode("utf-8-sig")
    heading, row = (line.split(";") for line in table.splitlines()[:2])
    answered = dict(zip(heading, row, strict=True))
    assert answered["Retiré le"] == ""
    assert answered["Annulé le"] == "24/11/2026"
    assert answered["Motif du retrait"] == "Avant d’être remis."


def test_a_later_withdrawal_is_shown_on_the_result_page(app: App, client: TestClient):
    result = give(app, client, FEW).headers["location"]
    send(client, f"{result}/remettre", seen_on=result)
    with app.unit_of_work() as services:
        record = services.awards.list_in(app.campus, limit=1)[0]
        services.awards.revoke(app.campus, record.award.id, "Mauvaise promotion.", by=Actor(app.admin.id))
    shown = client.get(result).text
    assert "1 badge retiré depuis" in shown.replace("\u00a0", " ")
    assert "Mauvaise promotion." in shown
    assert shown.count("/retirer") == 1
    assert shown.count("/recevoir/") == 1
