"""What is said of each person, and the badge as it will be received, before the button is pressed."""

from __future__ import annotations

import uuid

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.domain.awards import LineOutcome
from tests.support.forms import Form, form_with
from tests.support.house import House
from tests.web.awarding_steps import GIVE, awards_given, counts, outcomes, preview, rows_of

TWO = "MARTIN Zoé; zoe@exemple.fr\nDURAND Paul; paul@exemple.fr"


@pytest.fixture
def trainer(house: House) -> TestClient:
    return house.client(house.trainer)


@pytest.fixture
def award(house: House) -> str:
    return f"/gestion/itip/activites/{house.activity.id}/attribuer"


def notes(form: Form) -> list[str]:
    return [name for name in form.fields if name.startswith("contribution-")]


def evidence_in(house: House, done: Response) -> dict[str, str]:
    """By given name: what the badge says of them, as it was signed."""
    with house.unit_of_work(reading=True) as services:
        result = services.awards.batch(house.campus, uuid.UUID(done.headers["location"].rpartition("/")[2]))
        records = [services.awards.record(line.award_id) for line in result.lines if line.award_id]
        return {
            record.person.given_name: services.publication.award_file(record, "json").body.decode()
            for record in records
        }


@pytest.mark.parametrize("recorded", [False, True])
def test_what_is_noted_of_each_person_is_in_their_badge_and_one_press_gives_it(
    house: House, trainer: TestClient, award: str, recorded: bool
):
    if recorded:
        house.record(*TWO.split("\n"))
    page = preview(
        trainer,
        award,
        house.presence,
        **({"qui": "tous"} if recorded else {"liste": TWO}),
        preuve="Atelier complet.",
    )
    form = form_with(page, "cle")
    first, second = notes(form)
    done = form.fill(**{first: "A monté le bras.", second: "A tenu le journal."}).press(trainer, page, GIVE)
    said = evidence_in(house, done)
    assert len(said) == 2
    for text in said.values():
        assert ("A monté le bras." in text) != ("A tenu le journal." in text)
        assert "Atelier complet." in text


def test_a_note_taken_away_where_it_is_needed_holds_everything_back(
    house: House, trainer: TestClient, award: str
):
    table = "Nom;Prénom;Courriel;Contribution\nMARTIN;Zoé;zoe@exemple.fr;Guide des nouveaux\n"
    page = preview(trainer, award, house.role, liste=table)
    form = form_with(page, "cle")
    (note,) = notes(form)
    again = form.fill(**{note: ""}).press(trainer, page, GIVE)
    assert "Rien n’a encore été attribué" in again.text
    assert awards_given(house) == 0


def test_the_preview_shows_the_badge_as_it_will_be_received(house: House, trainer: TestClient, award: str):
    page = preview(trainer, award, house.presence, liste=TWO, preuve="Chaque robot a suivi la ligne.")
    shown = page.text.partition("Voir le badge tel qu’il sera reçu")[2].partition("</details>")[0]
    for words in (
        "Zoé Martin",
        house.presence.version.description,
        "a pris sa part de l’activité",
        "Atelier robotique",
        "3 h",
        "Chaque robot a suivi la ligne.",
    ):
        assert words in shown
    assert awards_given(house) == 0


def test_who_has_the_badge_already_is_told_how_often_it_is_given(
    house: House, trainer: TestClient, award: str
):
    house.award(*TWO.split("\n"))
    page = preview(trainer, award, house.presence, liste=TWO)
    assert "qui est donné une seule fois par personne" in page.text
    form = form_with(page, "cle")
    done = trainer.post(award, data={**form.fields, "geste": "attribuer"})
    assert {outcome for _, outcome in outcomes(house, done)} == {LineOutcome.ALREADY_HELD}


def test_a_note_too_long_keeps_back_its_own_line_and_not_those_that_are_ready(
    house: House, trainer: TestClient, award: str
):
    house.record(*TWO.split("\n"))
    page = preview(trainer, award, house.role, qui="tous")
    paul, zoe = notes(form_with(page, "cle"))
    filled = form_with(page, "cle").fill(**{paul: "x" * 1200, zoe: "A tenu le journal."})
    shown = filled.press(trainer, page, ("geste", "apercu"))
    assert "tient en 1" in shown.text

    done = form_with(shown, "cle").press(trainer, shown, GIVE)

    assert sorted(outcomes(house, done)) == [
        ("Paul Durand", LineOutcome.MISSING_EVIDENCE),
        ("Zoé Martin", LineOutcome.AWARDED),
    ]


def test_a_note_too_long_is_shown_before_anything_is_given(house: House, trainer: TestClient, award: str):
    house.record(*TWO.split("\n"))
    page = preview(trainer, award, house.presence, qui="tous")
    form = form_with(page, "cle")
    form.fill(**{notes(form)[0]: "x" * 1200})
    for _ in range(2):
        page = form.press(trainer, page, GIVE)
        assert "tient en 1" in page.text
        form = form_with(page, "cle")
    assert awards_given(house) == 0


def test_two_of_one_name_stay_two_when_their_lines_are_corrected_on_screen_or_in_the_file(
    house: House, trainer: TestClient, award: str
):
    house.record("MOREAU Camille", "MOREAU Camille (2)", "DURAND Paul; paul@exemple.fr")
    page = preview(trainer, award, house.role, qui="tous")
    form = form_with(page, "cle")
    form.fill(**{notes(form)[0]: "A tenu le journal."})
    checked = form.press(trainer, page, ("geste", "apercu"))
    done = form_with(checked, "cle").press(trainer, checked, GIVE)
    result = trainer.get(done.headers["location"])
    assert "Camille Moreau (2)" in result.text

    answer = trainer.get(f"{done.headers['location']}/refus.csv")
    table = answer.content
    assert [row[:2] for row in rows_of(answer)[1:]] == [["Moreau (1)", "Camille"], ["Moreau (2)", "Camille"]]
    table = table.replace(b";apprenant;;", ";apprenant;A réglé la machine.;".encode())
    dropped = preview(trainer, award, house.role, table=table)
    assert counts(dropped)["Prêtes"] == 2

    again = form_with(result, "personne")
    shown = again.press(trainer, result)
    first, second = notes(form_with(shown, "cle"))
    filled = form_with(shown, "cle").fill(**{first: "A réglé la machine.", second: "A dessiné."})
    judged = filled.press(trainer, shown, ("geste", "apercu"))
    assert counts(judged)["Prêtes"] == 2
