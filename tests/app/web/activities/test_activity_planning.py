"""An activity planned on one page, repeated a week later, and organised with a campus that accepted."""

from __future__ import annotations

import re
from datetime import date

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.domain.activities import Activity
from app.domain.people import Person, Role
from tests.support.app import COMMAND, App, send
from tests.support.forms import form_with, forms_of

NEW = "/gestion/itip/activites/nouvelle"


@pytest.fixture
def trainer(app: App) -> TestClient:
    return app.client(app.trainer)


@pytest.fixture
def their_admin(app: App) -> Person:
    with app.unit_of_work() as services:
        return services.people.add_staff(
            app.other_campus,
            given_name="Noé",
            family_name="Vidal",
            address="noe.vidal@exemple.fr",
            role=Role.CAMPUS_ADMIN,
            by=COMMAND,
        )


def made(app: App, trainer: TestClient, **typed: str | list[str]) -> str:
    page = trainer.get(NEW)
    form = form_with(page, "titre").fill(
        **{"titre": "Idéathon", "debut": "2026-11-17", "heures": "3", "lieu": "Le Creusot", **typed}
    )
    done = form.press(trainer, page)
    assert done.status_code == 303, done.text
    return done.headers["location"]


def duplicated(trainer: TestClient, path: str) -> Response:
    return trainer.get(send(trainer, f"{path}/dupliquer", seen_on=path).headers["location"])


def activity_at(app: App, path: str) -> Activity:
    with app.unit_of_work(reading=True) as services:
        return next(one for one, _ in services.activities.list_in(app.campus) if str(one.id) in path)


def test_one_page_creates_the_whole_activity_and_its_author_runs_it(app: App, trainer: TestClient):
    with app.unit_of_work() as services:
        framework = services.competencies.framework(app.campus, code="ref", name="Référentiel", by=COMMAND)
        competency = services.competencies.create(
            app.campus, framework, code="C-1", statement="Mesurer une pièce", levels=[], by=COMMAND
        )
    path = made(
        app,
        trainer,
        competence=[str(competency.id)],
        badge=[str(app.presence.badge.id)],
        public="Lycéens",
    )
    shown = trainer.get(path).text
    for words in ("Anaïs Le Goff", "Mesurer une pièce", "Robotique pour tous", "Le Creusot", "Lycéens"):
        assert words in shown, words


def test_the_activity_is_changed_on_the_same_page_and_awards_stay(app: App, trainer: TestClient):
    path = made(app, trainer, badge=[str(app.presence.badge.id)])
    page = trainer.get(f"{path}/modifier")
    assert 'value="Idéathon"' in page.text
    wrong = form_with(page, "titre").fill(titre="", heures="beaucoup").press(trainer, page)
    assert wrong.status_code == 422
    assert 'value="beaucoup"' in wrong.text
    done = form_with(wrong, "titre").fill(titre="Idéathon 2", heures="4").press(trainer, wrong)
    assert done.status_code == 303
    assert activity_at(app, path).title == "Idéathon 2"
    assert "Robotique pour tous" in trainer.get(path).text


def test_last_week_s_activity_is_duplicated_with_one_button(app: App, trainer: TestClient):
    path = made(app, trainer, badge=[str(app.presence.badge.id)])
    shown = duplicated(trainer, path)
    assert "C’est une nouvelle activité, datée du 24 novembre 2026." in shown.text.replace("\u00a0", " ")
    copy = activity_at(app, str(shown.url))
    assert (copy.starts_on, copy.title, copy.hours) == (date(2026, 11, 24), "Idéathon", 3)
    assert "Robotique pour tous" in shown.text
    assert "Personne n’est encore inscrit" in shown.text


def test_an_invited_campus_sees_no_participant_and_is_not_named_until_it_accepts(
    app: App, trainer: TestClient, their_admin: Person
):
    path = made(app, trainer, campus=["agt"])
    send(trainer, f"{path}/participants", {"liste": "MARTIN Zoé", "geste": "inscrire"}, seen_on=path)
    theirs = path.replace("/itip/", "/agt/")
    admin, colleague = app.client(their_admin), app.client(app.stranger)

    assert admin.get(theirs).status_code == 404
    assert "Alimentation, Goût, Tourisme" not in trainer.get(path).text
    assert "AGT" in trainer.get(path).text
    assert "ITIP vous propose d’organiser ensemble" in admin.get("/gestion/agt").text
    asked = admin.get("/gestion/agt/activites")
    assert "vous propose d’organiser ensemble" in asked.text
    assert "Zoé" not in asked.text
    assert (
        send(colleague, f"{theirs}/invitation", {"geste": "accepter"}, seen_on="/gestion/agt").status_code
        == 403
    )

    assert form_with(asked, "geste").press(admin, asked, ("geste", "accepter")).status_code == 303
    assert "Zoé Martin" in admin.get(theirs).text
    assert "Alimentation, Goût, Tourisme" in trainer.get(path).text
    assert send(admin, f"{theirs}/modifier", {"titre": "x", "debut": "2026-11-17"}).status_code == 403

    shown = admin.get(theirs)
    leave = next(part for part in re.findall(r"<form.*?</form>", shown.text, re.S) if "/invitation" in part)
    assert "Ne plus l’organiser" in leave
    assert send(admin, f"{theirs}/invitation", {"geste": "refuser"}, seen_on=theirs).status_code == 303
    assert admin.get(theirs).status_code == 404


def test_a_campus_that_refuses_is_removed_from_the_activity(
    app: App, trainer: TestClient, their_admin: Person
):
    path = made(app, trainer, campus=["agt"])
    admin = app.client(their_admin)
    asked = admin.get("/gestion/agt/activites")
    assert form_with(asked, "geste").press(admin, asked, ("geste", "refuser")).status_code == 303
    without_form_tokens = re.sub(r'value="[^"]*"', "", trainer.get(path).text)
    assert "AGT" not in without_form_tokens
    assert "vous propose" not in admin.get("/gestion/agt/activites").text


def test_a_choice_that_no_longer_exists_is_refused_and_nothing_is_stored(app: App, trainer: TestClient):
    page = trainer.get(NEW)
    form = form_with(page, "titre").fill(titre="Idéathon", debut="2026-11-17")
    for name in ("formateur", "competence", "badge", "campus"):
        back = form.fill(**{name: ["6f9619ff-8b86-4d01-b42d-00cf4fc964ff"]}).press(trainer, page)
        assert back.status_code == 422, name
        assert re.findall(r'id="([\w-]+)-erreur"', back.text) == [name]
        form.fill(**{name: []})
    with app.unit_of_work(reading=True) as services:
        assert len(services.activities.list_in(app.campus)) == 1


def test_every_fault_of_an_activity_stands_at_its_field(app: App, trainer: TestClient):
    page = trainer.get(NEW)
    form = form_with(page, "titre").fill(titre=" ", debut="2026-11-17", fin="2026-11-10", heures="12000")
    form.fill(**{"heure-fin": "12:00", "campus": ["parti"]})
    back = form.press(trainer, page)
    assert back.status_code == 422
    at_fields = re.findall(r'id="([\w-]+)-erreur"', back.text)
    assert at_fields == ["titre", "fin", "heure-debut", "heures", "campus"]


def test_the_hours_of_all_sessions_of_a_series_have_a_limit(app: App, trainer: TestClient):
    page = trainer.get(NEW)
    form = form_with(page, "titre").fill(titre="Éloquence", debut="2026-11-24", rythme="7", seances="60")
    asked = form.fill(heures="900").press(trainer, page)
    button = re.search(r'name="([^"]+)" value="(garder-[^"]+)"', asked.text)
    assert button
    back = form_with(asked, "titre").press(trainer, asked, (button[1], button[2]))
    assert back.status_code == 422
    assert re.findall(r'id="([\w-]+)-erreur"', back.text) == ["heures"]


def test_the_badge_it_can_lead_to_is_offered_first_and_chosen(app: App, trainer: TestClient):
    path = made(app, trainer, badge=[str(app.presence.badge.id)])
    offered = trainer.get(f"{path}/attribuer").text
    choice = offered[offered.index('name="badge"') :].partition("</select>")[0]
    values = re.findall(r'<option value="([^"]+)"( selected)?', choice)
    assert values[0] == (str(app.presence.badge.id), " selected")
    assert len(values) == 3


def titles(app: App) -> list[str]:
    with app.unit_of_work(reading=True) as services:
        return [activity.title for activity, _ in services.activities.list_in(app.campus)]


def test_two_clicks_create_one_activity_and_one_copy(app: App, trainer: TestClient):
    page = trainer.get(NEW)
    form = form_with(page, "titre").fill(titre="Éloquence", debut="2026-11-24", rythme="7", seances="3")
    first, second = (form.press(trainer, page) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]

    page = trainer.get(first.headers["location"])
    [again] = [form for form in forms_of(page) if form.action.endswith("/dupliquer")]
    assert len({again.press(trainer, page).headers["location"] for _ in range(2)}) == 1
    assert titles(app).count("Éloquence") == 2

    page = trainer.get(NEW)
    form = form_with(page, "titre").fill(titre="Éloquence", debut="2026-11-24", rythme="7", seances="3")
    form.press(trainer, page)
    assert titles(app).count("Éloquence") == 3, "on another day, from another page, it is another activity"


@pytest.mark.parametrize("day", ["24/11/2026", "24 novembre 2026", "2026-11-24"])
def test_a_day_may_be_typed_without_a_calendar_widget(app: App, trainer: TestClient, day: str):
    page = trainer.get(NEW)
    assert form_with(page, "titre").fill(titre="Éloquence", debut=day).press(trainer, page).status_code == 303
    assert "Éloquence" in titles(app)


FAR, UNREADABLE = "vérifiez l’année", "Le dernier jour n’est pas une date lisible"


@pytest.mark.parametrize(
    ("day", "why"),
    [
        *((day, FAR) for day in ("0026-11-24", "9999-12-31", "1900-01-01")),
        *((day, UNREADABLE) for day in ("31/11/2026", "hier", "🎈")),
    ],
)
def test_an_impossible_day_is_refused_beside_its_field(app: App, trainer: TestClient, day: str, why: str):
    page = trainer.get(NEW)
    back = form_with(page, "titre").fill(titre="Éloquence", debut="2026-11-24", fin=day).press(trainer, page)
    assert back.status_code == 422
    assert why in back.text.replace("\u00a0", " ")
    assert form_with(back, "titre").fields["titre"] == ["Éloquence"]
    assert "Éloquence" not in titles(app)


def test_the_page_does_not_claim_to_have_saved_a_form_that_it_could_not(app: App, trainer: TestClient):
    """The form names no owner, so it is not stored."""
    app.clock.move(days=2)
    back = trainer.post(NEW, data={"titre": "Éloquence", "debut": "2026-11-24", "jeton": "A" * 88})
    assert back.status_code == 401
    assert "Rien n’est perdu" not in back.text
    assert "copiez ce que vous aviez tapé" in back.text
