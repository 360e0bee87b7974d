"""An empty campus shows three steps, and an example that is thrown away with one button."""

from __future__ import annotations

from fastapi.testclient import TestClient

from app.domain.people import Role
from tests.support.forms import form_with
from tests.support.house import COMMAND, House


def new_campus(house: House) -> TestClient:
    """The administrator of a campus with no badge and no activity."""
    with house.unit_of_work() as services:
        admin = services.people.add_staff(
            house.other_campus,
            given_name="Noé",
            family_name="Garde",
            address="noe@exemple.fr",
            role=Role.CAMPUS_ADMIN,
            by=COMMAND,
        )
    return house.client(admin)


def test_empty_campus_shows_three_steps_and_an_example_to_throw_away(house: House) -> None:
    admin = new_campus(house)
    home = admin.get("/gestion/agt")
    assert "Pour commencer, trois étapes" in home.text.replace("\xa0", " ")
    assert 'href="/aide/administration"' in home.text
    made = form_with(home, "geste").press(admin, home, ("geste", "preparer"))
    assert made.status_code == 303
    assert "Léa Démo" in admin.get(made.headers["location"]).text

    home = admin.get("/gestion/agt")
    assert "Un exemple est prêt" in home.text
    assert "Exemple : atelier" in home.text.replace("\xa0", " ")
    assert form_with(home, "geste").press(admin, home, ("geste", "jeter")).status_code == 303
    home = admin.get("/gestion/agt")
    assert "Préparer un exemple" in home.text
    assert "Exemple : atelier" not in home.text.replace("\xa0", " ")
    assert admin.get(made.headers["location"]).status_code == 404


def test_campus_at_work_shows_no_steps(house: House) -> None:
    assert "trois étapes" not in house.client(house.trainer).get("/gestion/itip").text
