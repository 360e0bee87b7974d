"""Awards chosen in their register: counted again, done once, and the rest with its reason."""

from __future__ import annotations

import uuid

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.domain.campus.audit_log import Actor
from app.errors import InvalidInput
from app.services.awards.bulk_revocation import MOST_CHOSEN, AwardAction, NotDone
from tests.support.app import App, send
from tests.support.forms import form_with

HERE = "/gestion/itip/attributions"


@pytest.fixture
def ids(app: App) -> dict[str, str]:
    """Of awards by given name; one person has two badges."""
    return app.once((__name__, "ids"), lambda: _given(app))


def _given(app: App) -> dict[str, str]:
    by = Actor(app.trainer.id)
    found = {}
    result = app.award(
        "ÉCRIN Zoé;zoe@exemple.fr", "AZUR Bob", "NOËL Ola;ola@exemple.fr", "MOREAU Léa;lea@exemple.fr"
    )
    for name, line in zip(("zoe", "bob", "ola", "lea"), result.lines, strict=True):
        assert line.award_id is not None
        found[name] = line.award_id
    second = app.award("ÉCRIN Zoé;zoe@exemple.fr", badge=app.role, evidence="A aidé.").lines[0].award_id
    assert second is not None
    found["zoe again"] = second
    app.clock.move(days=2)
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, found["ola"], "Erreur.", by=by)
        services.delivery.claim(found["lea"], by=by)
    return {name: str(award_id) for name, award_id in found.items()}


@pytest.fixture
def trainer(app: App, ids: dict[str, str]) -> TestClient:
    return app.client(app.trainer)


def choose(client: TestClient, action: str, *chosen: str, **more: str) -> Response:
    data = {"geste": action, "choix": list(chosen), **more}
    return send(client, f"{HERE}/choix", data, seen_on=HERE)


def test_a_reminder_is_asked_with_numbers_and_sent_once(app: App, trainer: TestClient, ids: dict[str, str]):
    made = choose(trainer, "relancer", *ids.values())
    assert made.status_code == 303
    asked = trainer.get(made.headers["location"])
    assert "personne recevra un e-mail" in asked.text
    for reason in ("n’est plus valable", "a déjà récupéré", "Aucune adresse e-mail"):
        assert reason in asked.text, reason
    done = send(trainer, f"{made.headers['location']}/relancer", seen_on=made.headers["location"])
    assert done.status_code == 303
    shown = trainer.get(done.headers["location"]).text
    assert "e-mail est en cours" in shown
    assert "il y a moins de six jours" in shown
    with app.unit_of_work() as services:
        again = services.award_selection.remind(
            app.campus,
            [record.award.id for record in services.awards.list_in(app.campus)],
            by=Actor(app.trainer.id),
        )
        assert again == 0
        letters = services.stores.letters.of_awards(
            [record.award.id for record in services.awards.list_in(app.campus)]
        )
    reminders = [letter for letter in letters if "reminder" in letter.occasion]
    assert len(reminders) == 2
    assert len({letter.envelope for letter in reminders}) == 1, "one e-mail for both badges"
    admin = app.client(app.admin)
    assert admin.get("/gestion/itip/historique").text.count("Personne relancée") >= 2


def test_all_of_the_list_is_counted_by_the_server(app: App, trainer: TestClient, ids: dict[str, str]):
    made = choose(trainer, "remettre", tous="oui", requete="?etat=valable&recupere=non")
    asked = trainer.get(made.headers["location"]).text
    assert "3 bulletins à imprimer" in asked
    answer = form_with(trainer.get(made.headers["location"]), "fichier").press(
        trainer, trainer.get(made.headers["location"])
    )
    assert answer.headers["content-type"] == "application/pdf"
    refused = choose(trainer, "remettre", tous="oui", requete="?etat=ailleurs")
    assert refused.status_code == 422


def test_a_withdrawal_of_chosen_awards_reports_each_line(app: App, trainer: TestClient, ids: dict[str, str]):
    made = choose(trainer, "retirer", ids["bob"], ids["ola"])
    page = trainer.get(made.headers["location"])
    assert "badge sera retiré" in page.text
    assert "n’est plus valable" in page.text
    withdrawn = form_with(page, "motif").fill(motif="Mauvaise liste.").press(trainer, page)
    assert withdrawn.status_code == 303
    assert "Bob Azur" in trainer.get(withdrawn.headers["location"]).text
    with app.unit_of_work(reading=True) as services:
        states = {
            str(record.award.id): record.award.revoked_at for record in services.awards.list_in(app.campus)
        }
    assert states[ids["bob"]] is not None
    assert states[ids["zoe"]] is None


def test_nothing_chosen_unknown_actions_and_too_many_are_refused(
    app: App, trainer: TestClient, ids: dict[str, str]
):
    assert choose(trainer, "relancer").status_code == 422
    assert choose(trainer, "effacer", ids["zoe"]).status_code == 422
    with app.unit_of_work(reading=True) as services, pytest.raises(InvalidInput):
        services.award_selection.foresee(
            app.campus, AwardAction.REMIND, [uuid.UUID(int=number) for number in range(MOST_CHOSEN + 1)]
        )


def test_awards_of_another_campus_are_not_touched(app: App, ids: dict[str, str]):
    stranger = app.client(app.stranger)
    data = {"geste": "relancer", "choix": [ids["zoe"]]}
    made = send(stranger, "/gestion/agt/attributions/choix", data, seen_on="/gestion/agt/activites/nouvelle")
    shown = stranger.get(made.headers["location"]).text
    assert "n’existe pas dans ce campus" in shown
    assert "Zoé" not in shown
    mine = choose(app.client(app.trainer), "relancer", ids["zoe"]).headers["location"]
    assert app.client(app.admin).get(mine).status_code == 404, "the choice is its author's"


def test_who_wants_no_reminder_gets_none(app: App, ids: dict[str, str]):
    with app.unit_of_work() as services:
        record = services.awards.get(app.campus, uuid.UUID(ids["zoe"]))
        services.reminders.set_for_person(record.person, wanted=False)
        found = services.award_selection.foresee(app.campus, AwardAction.REMIND, [record.award.id])
    assert list(found.others) == [NotDone.STOPPED]
