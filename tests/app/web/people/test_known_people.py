"""People whom the campus knows are picked, not typed again, and are not duplicated."""

from __future__ import annotations

import re

from app.services.campus.dashboard import Start
from tests.app.web.activities.test_activity_planning import made
from tests.support.app import App, send
from tests.support.forms import form_with


def ids_of(text: str) -> list[str]:
    return re.findall(r'name="personne" value="([^"]+)"', text)


def test_all_participants_of_an_earlier_activity_are_copied_in_one_step(app: App):
    app.record("MARTIN Zoé; zoe@exemple.fr", "KEÏTA Moussa", "KEÏTA Moussa (2)")
    trainer = app.client(app.trainer)
    path = made(app, trainer)
    asked = send(trainer, f"{path}/connues", {"source": str(app.activity.id)})
    form = form_with(asked, "personne")
    assert len(form.fields["personne"]) == 3
    for added in ("3 personnes ajoutées", "0 personne ajoutée"):
        done = form.press(trainer, asked, ("geste", "ajouter"))
        assert added in trainer.get(done.headers["location"]).text.replace("\u00a0", " ")
    shown = trainer.get(path).text
    assert shown.count("Moussa Keïta") == 2
    with app.unit_of_work(reading=True) as services:
        # The same people, not others of the same names.
        assert len(services.directory.find_people(app.campus, "", Start(limit=50))) == 3


def test_a_person_is_found_by_name_and_not_from_another_campus(app: App):
    app.record("MARTIN Zoé; zoe@exemple.fr")
    trainer, stranger = app.client(app.trainer), app.client(app.stranger)
    path = made(app, trainer)
    asked = send(trainer, f"{path}/connues", {"mots": "martin"})
    assert "Zoé Martin" in asked.text
    person = ids_of(asked.text)[0]
    page = stranger.get("/gestion/agt/activites/nouvelle")
    form = form_with(page, "titre").fill(titre="Ailleurs", debut="2026-11-24")
    theirs = form.press(stranger, page).headers["location"]
    assert "Zoé Martin" not in send(stranger, f"{theirs}/connues", {"mots": "martin"}).text
    assert send(stranger, f"{theirs}/connues", {"geste": "ajouter", "personne": person}).status_code == 404
