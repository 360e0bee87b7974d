"""The badge editor: previewed, saved as a draft, opened, frozen and compared; nothing typed is lost."""

from __future__ import annotations

import base64
import re
import uuid

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.domain.campus.audit_log import Actor
from tests.support.forms import Form, form_with
from tests.support.house import House, send

HERE = "/gestion/itip/badges"
ROLE = {
    "type": "engagement",
    "nom": "Tuteur de l’atelier",
    "description": "A tenu le rôle de tuteur.",
    "criteres": "- A accompagné un petit groupe pendant deux séances",
    "jugement": "Une formatrice observe et note.",
    "langue": "fr",
    "repetition": "once",
    "couleurs": "campus",
    "teinte": "208",
    "vivacite": "9",
    "geste": "garder",
}


@pytest.fixture
def designer(house: House) -> TestClient:
    return house.client(house.admin)


def made(client: TestClient, **changes: str) -> str:
    """The address of a new badge."""
    answer = send(client, f"{HERE}/nouveau", ROLE | changes)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("/modifier")[0]


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def test_a_badge_goes_from_draft_to_open_on_its_pages(designer: TestClient):
    here = made(designer)
    assert "Ce brouillon est prêt" in designer.get(here).text
    assert "Brouillon" in designer.get(HERE).text
    assert send(designer, f"{here}/ouvrir", seen_on=here).status_code == 303
    assert "En service" in designer.get(HERE).text


def test_saving_and_opening_is_one_press_of_a_button(designer: TestClient):
    here = made(designer, geste="ouvrir")
    assert "Ce brouillon est prêt" not in designer.get(here).text


def test_a_draft_that_lacks_something_is_kept_and_told_what(designer: TestClient):
    here = made(designer, jugement="", geste="ouvrir")
    page = plain(designer.get(here).text)
    assert "Avant de publier ce brouillon" in page
    assert "Dites qui juge" in page
    answer = send(designer, f"{here}/ouvrir", seen_on="/verifier")
    assert answer.status_code == 422


def test_a_badge_that_was_saved_but_may_not_be_opened_says_both(designer: TestClient):
    answer = send(designer, f"{HERE}/nouveau", ROLE | {"jugement": "", "geste": "ouvrir"})
    page = plain(designer.get(answer.headers["location"]).text)
    note = page[page.index("Le badge est enregistré, mais pas publié") :][:400]
    assert "Dites qui juge, et sur quoi" in note


def edited(client: TestClient, here: str) -> tuple[Response, Form]:
    page = client.get(f"{here}/modifier")
    return page, form_with(page, "etat")


def test_two_windows_do_not_undo_each_other_without_a_word(designer: TestClient):
    here = made(designer)
    page, first = edited(designer, here)
    _, second = edited(designer, here)
    assert first.fill(nom="Tutrice de l’atelier", geste="garder").press(designer, page).status_code == 303
    refused = second.fill(description="A tenu le rôle jusqu’au bout.", geste="garder").press(designer, page)
    assert refused.status_code == 409
    assert "Rien de ce que vous avez tapé n’est perdu" in plain(refused.text)
    assert "A tenu le rôle jusqu’au bout." in refused.text
    assert "Tutrice de l’atelier" in designer.get(here).text
    knowing = form_with(refused, "etat").fill(geste="garder")
    assert knowing.press(designer, refused).status_code == 303
    assert "A tenu le rôle jusqu’au bout." in designer.get(here).text


def test_the_same_form_sent_twice_is_saved_once_and_is_no_conflict(designer: TestClient):
    page, form = edited(designer, made(designer))
    form.fill(nom="Tutrice de l’atelier", geste="garder")
    assert [form.press(designer, page).status_code for _ in range(2)] == [303, 303]


def test_the_kinds_are_shown_in_the_letters_and_colours_of_the_campus_that_chooses(
    house: House, designer: TestClient
):
    shown = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)"', designer.get(f"{HERE}/nouveau").text)
    drawn = [base64.b64decode(each).decode() for each in shown]
    with house.unit_of_work(reading=True) as services:
        ours, theirs = (services.badges.marks(campus) for campus in (house.campus, house.other_campus))
    for kind, mark in ours.items():
        assert mark in drawn
        assert mark != theirs[kind]


def test_the_preview_draws_the_badge_and_keeps_nothing(house: House, designer: TestClient):
    answer = send(designer, f"{HERE}/apercu", ROLE, seen_on=f"{HERE}/nouveau")
    assert answer.status_code == 200
    assert "data:image/svg+xml;base64," in answer.text
    assert "Badge d’engagement" in answer.text
    assert "A accompagné un petit groupe" in answer.text
    assert "<html" not in answer.text
    with house.unit_of_work(reading=True) as services:
        assert ROLE["nom"] not in [v.name for _, v in services.badges.list_newest(house.campus)]


def test_without_scripts_a_button_shows_the_preview_and_keeps_what_was_typed(designer: TestClient):
    answer = send(designer, f"{HERE}/nouveau", ROLE | {"geste": "apercu"})
    assert answer.status_code == 200
    assert 'value="Tuteur de l’atelier"' in answer.text
    assert "data:image/svg+xml;base64," in answer.text


def test_one_more_line_of_alignments_is_one_press_away(designer: TestClient):
    first = send(designer, f"{HERE}/nouveau", ROLE | {"geste": "ligne", "code-0": "I1307", "ref-0": "rome"})
    assert 'name="code-1"' in first.text
    assert 'value="I1307"' in first.text


def test_a_code_that_cannot_be_read_comes_back_beside_its_field(designer: TestClient):
    answer = send(designer, f"{HERE}/nouveau", ROLE | {"code-0": "13", "intitule-0": "X", "ref-0": "rome"})
    assert answer.status_code == 422
    assert re.search(r'id="code-0"[^>]*aria-invalid="true"', answer.text)
    assert "Un code ROME est une lettre et quatre chiffres" in plain(answer.text)
    assert 'value="Tuteur de l’atelier"' in answer.text


@pytest.mark.parametrize(
    ("field", "typed"),
    [("heures", "beaucoup"), ("jours", "0"), ("nom", ""), ("nom", "x" * 121), ("teinte", "400")],
)
def test_a_field_that_cannot_be_read_is_named_and_nothing_is_lost(
    designer: TestClient, field: str, typed: str
):
    changes = {field: typed, "validite": "autre" if field == "jours" else "", "couleurs": "propres"}
    answer = send(designer, f"{HERE}/nouveau", ROLE | {"description": "Gardée."} | changes)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert "Gardée." in answer.text


def test_what_was_saved_is_what_the_form_shows_again(designer: TestClient):
    typed = {"validite": "autre", "jours": "90", "heures": "2,5", "mots": "tutorat, atelier", "sigle": "TUT",
             "couleurs": "propres", "teinte": "120", "vivacite": "10", "alternative": "Un bouclier.",
             "demandes": "oui", "repetition": "once_per_activity",
             "ref-0": "rncp", "code-0": "RNCP35316BC02", "intitule-0": "Installer un réseau"}  # fmt: skip
    page = designer.get(made(designer, **typed) + "/modifier").text
    for name, value in typed.items():
        if name in ("couleurs", "demandes"):
            assert re.search(rf'name="{name}" value="{value}" checked', page), name
        elif name in ("repetition", "validite", "ref-0"):
            assert re.search(rf'<option value="{value}" selected', page), name
        elif name == "alternative":
            assert value in page
        else:
            assert re.search(rf'name="{name}"[^>]* value="{re.escape(value)}"', page), name


def test_changing_what_somebody_holds_writes_the_next_version_and_says_what_changed(
    house: House, designer: TestClient
):
    here = made(designer, geste="ouvrir")
    with house.unit_of_work(reading=True) as services:
        page = services.badges.manuscript(house.campus, _id_in(here)).page
    house.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé trois groupes.")
    changed = ROLE | {"description": "A tenu le rôle de tutrice.", "validite": "730", "mots": "tutorat"}
    send(designer, f"{here}/modifier", changed)
    shown = plain(designer.get(here).text)
    assert "En service, version suivante en brouillon" in shown
    assert "La version 1 reste en service tant qu’il n’est pas publié" in shown
    assert "En service, version suivante en brouillon" in plain(designer.get(HERE).text)
    told = plain(designer.get(f"{here}/differences?de=1&a=2").text)
    assert re.search(r"<del>.*?tuteur", told)
    assert re.search(r"<ins>.*?tutrice", told)
    assert "Sans date de fin" in told or "2 ans" in told
    assert "tutorat" in told
    assert "Critères" not in told.partition("<main")[2]
    assert "tutorat" in plain(designer.get(f"{here}/differences").text), "the newest and the one before it"
    assert "disent la même chose" in designer.get(f"{here}/differences?de=1&a=1").text


def test_an_archived_badge_leaves_the_list_and_comes_back(designer: TestClient):
    here = made(designer)
    send(designer, f"{here}/archiver", seen_on=here)
    assert "Tuteur de l’atelier" not in designer.get(HERE).text
    assert "Tuteur de l’atelier" in designer.get(f"{HERE}?archives=oui").text
    send(designer, f"{here}/reprendre", seen_on=here)
    assert "Tuteur de l’atelier" in designer.get(HERE).text


def test_a_near_name_is_pointed_out_before_there_are_two_badges(designer: TestClient):
    made(designer)
    answer = send(
        designer, f"{HERE}/apercu", ROLE | {"nom": "Tuteurs de l'atelier"}, seen_on=f"{HERE}/nouveau"
    )
    assert "Un badge proche existe déjà" in plain(answer.text)


def test_a_competency_badge_names_its_competency_with_a_level(house: House, designer: TestClient):
    with house.unit_of_work() as services:
        by = Actor(house.admin.id)
        framework = services.competencies.framework(house.campus, code="ca", name="Contrôle d’accès", by=by)
        competency = services.competencies.create(
            house.campus,
            framework,
            code="CA-1",
            statement="Mesurer",
            levels=["Accompagné", "Autonome"],
            by=by,
        )
    three = "- Lit le plan\n- Raccorde la centrale\n- Remet en service"
    here = made(
        designer, type="competence", criteres=three, geste="ouvrir", **{f"niveau-{competency.id}": "2"}
    )
    page = designer.get(here).text
    assert "Autonome" in page
    assert "niveau 2 sur 2" in plain(page)


def test_the_list_sorts_and_leaves_as_a_table(designer: TestClient):
    made(designer, nom="=Tuteur")
    for order in ("nom", "type", "recent", "autre"):
        assert designer.get(f"{HERE}?tri={order}").status_code == 200
    table = designer.get(f"{HERE}/badges.csv").content.decode("utf-8-sig")
    assert "'=Tuteur" in table


def test_other_campuses_badges_are_as_good_as_absent(house: House, designer: TestClient):
    here = made(designer)
    stranger = house.client(house.stranger)
    assert stranger.get(here).status_code == 404
    assert stranger.get(here.replace("/itip/", "/agt/")).status_code == 404
    assert stranger.get(here.replace("/itip/", "/agt/") + "/differences").status_code == 404


def _id_in(here: str) -> uuid.UUID:
    return uuid.UUID(here.rpartition("/")[2])


def test_a_badge_written_for_programs_is_edited_here_too(house: House, designer: TestClient):
    page = designer.get(f"{HERE}/{house.role.badge.id}/modifier").text
    assert "Acteur du dispositif" in page
