"""The survey from the trainer's page to a phone without an account, and back."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from app.adapters.accounts import limits_in
from app.domain.accounts.rate_limits import LIMITS, network_of
from tests.support.app import App, build_app, send

ANSWER = {"avis": "4", "conseil": "oui"}


def open_survey(app: App) -> tuple[str, str]:
    here = f"/gestion/itip/activites/{app.activity.id}/enquete"
    day = (app.clock().date() + timedelta(days=7)).isoformat()
    trainer = app.client(app.trainer)
    refused = send(trainer, here, {"jusqu-au": "demain", "geste": "ouvrir"})
    assert (refused.status_code, 'id="jusqu-au-erreur"' in refused.text) == (422, True)
    assert send(trainer, here, {"jusqu-au": day, "geste": "ouvrir"}).status_code == 303
    shown = trainer.get(f"{here}/ecran").text
    found = re.search(r'class="turning">([0-9A-Z]{3}-[0-9A-Z]{3})<', shown)
    assert found
    return here, found[1]


def test_a_phone_answers_once_and_the_trainer_reads_it_at_once(app: App) -> None:
    here, code = open_survey(app)
    phone, trainer = app.client(), app.client(app.trainer)
    shown = phone.get(f"/avis/{code.lower()}")
    assert shown.status_code == 200
    for words in ("Oui, tout à fait", "Plutôt oui", "Plutôt non", "Non, pas du tout"):
        assert words in shown.text
    assert not re.search(r'name="(nom|prenom|adresse)"', shown.text)
    refused = send(phone, f"/avis/{code}", {"phrase": "On a vu le robot bouger."})
    assert refused.status_code == 422
    assert "On a vu le robot bouger." in refused.text
    typed = {"avis": "4", "conseil": "oui", "phrase": "On a vu le robot bouger."}
    answered = send(phone, f"/avis/{code}", typed)
    assert answered.status_code == 303
    assert "Votre avis est compté" in phone.get(answered.headers["location"]).text
    assert "déjà répondu" in phone.get(f"/avis/{code}").text
    page = trainer.get(here).text
    assert re.search(r"Réponses\W+1 sur 0", page)
    assert "à partir de 5 réponses" in page.replace("\xa0", " ")
    assert "La recommandent" not in page
    screen = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", trainer.get(f"{here}/ecran").text))
    assert "1 réponse sur 0 personne présente" in screen
    assert "plus de réponses que de présents" in page.replace("\xa0", " ")
    assert "À relire" in page
    answer_id = re.search(r'name="phrase" value="([^"]+)"', page)
    assert answer_id
    moderated = send(trainer, f"{here}/phrases", {"phrase": answer_id[1], "geste": "citer"})
    assert moderated.status_code == 303
    assert "Peuvent être citées" in trainer.get(here).text
    assert re.search(r"Avis\W+1 sur", trainer.get(here.removesuffix("/enquete")).text)


def test_answers_from_one_network_are_limited(sqlite_url: str, tmp_path: Path) -> None:
    app = build_app(sqlite_url, tmp_path, limiter=limits_in("memory://", b"key"))
    _, code = open_survey(app)
    phone = app.client()
    assert send(phone, f"/avis/{code}").status_code == 422
    for _ in range(LIMITS["survey answer"].amount - 1):
        app.process.limiter.hit("survey answer", network_of("testclient"))
    assert send(phone, f"/avis/{code}", ANSWER).status_code == 429
    assert phone.get(f"/avis/{code}").status_code == 200
    assert LIMITS["survey answer"].amount <= 100
    app.close()


def test_sentences_of_another_campus_activity_are_not_found(app: App) -> None:
    stranger = app.client(app.stranger)
    path = f"/gestion/agt/activites/{app.activity.id}/enquete/phrases"
    for typed in ({}, {"phrase": str(app.activity.id), "geste": "citer"}):
        assert send(stranger, path, typed, seen_on="/gestion/agt/activites").status_code == 404


def test_a_closed_survey_thanks_and_takes_nothing(app: App) -> None:
    here, code = open_survey(app)
    phone = app.client()
    assert phone.get(f"/avis/{code}").status_code == 200
    assert send(app.client(app.trainer), here, {"geste": "fermer"}).status_code == 303
    assert "L’enquête est fermée" in phone.get(f"/avis/{code}").text
    assert send(phone, f"/avis/{code}", ANSWER, seen_on="/connexion").status_code == 409
    assert phone.get("/avis/ZZZZZZ").status_code == 404


def test_a_phone_without_its_cookie_is_not_counted(app: App) -> None:
    here, code = open_survey(app)
    phone = app.client()
    phone.get(f"/avis/{code}")
    phone.cookies.clear()
    assert send(phone, f"/avis/{code}", ANSWER, seen_on="/connexion").status_code == 409
    assert re.search(r"Réponses\W+0 sur", app.client(app.trainer).get(here).text)
