"""The badge editor: previewed, saved as a draft, opened, frozen and compared; nothing typed is lost."""

from __future__ import annotations

import base64
import re
import uuid
from html import unescape

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.domain.campus.audit_log import Actor
from tests.support.app import App, send
from tests.support.forms import Form, form_with

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
def designer(app: App) -> TestClient:
    return app.client(app.admin)


def made(client: TestClient, **changes: str) -> str:
    """The address of a new badge; its steps are saved one after the other."""
    wanted = ROLE | changes
    answer = send(client, f"{HERE}/nouveau", wanted | {"geste": "garder"})
    assert answer.status_code == 303, answer.text
    here = answer.headers["location"].partition("/modifier")[0]
    for step in ("competences", "attribution", "image"):
        answer = send(client, f"{here}/modifier/{step}", wanted | {"geste": "garder"})
        assert answer.status_code == 303, answer.text
    if wanted["geste"] == "ouvrir":
        assert send(client, f"{here}/modifier/publier", {"geste": "ouvrir"}).status_code == 303
    return here


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def test_a_badge_goes_from_draft_to_open_on_its_pages(designer: TestClient):
    here = made(designer)
    assert "Ce brouillon est prêt" in designer.get(here).text
    assert "Brouillon" in designer.get(HERE).text
    assert send(designer, f"{here}/ouvrir", seen_on=here).status_code == 303
    assert "En service" in designer.get(HERE).text


def test_saving_and_publishing_takes_one_button(designer: TestClient):
    here = made(designer, geste="ouvrir")
    assert "Ce brouillon est prêt" not in designer.get(here).text


def test_an_incomplete_draft_is_stored_and_its_gaps_are_listed(designer: TestClient):
    here = made(designer, jugement="", geste="ouvrir")
    page = plain(designer.get(here).text)
    assert "Avant de publier ce brouillon" in page
    assert "Dites qui juge" in page
    answer = send(designer, f"{here}/ouvrir", seen_on="/verifier")
    assert answer.status_code == 422


def test_a_badge_saved_but_not_publishable_reports_both(designer: TestClient):
    answer = send(designer, f"{HERE}/nouveau", ROLE | {"jugement": "", "geste": "ouvrir"})
    page = plain(designer.get(answer.headers["location"]).text)
    note = page[page.index("Le brouillon est enregistré, mais pas publié") :][:400]
    assert "Dites qui juge, et sur quoi" in note


def edited(client: TestClient, here: str, step: str = "") -> tuple[Response, Form]:
    page = client.get(f"{here}/modifier{step}")
    return page, form_with(page, "etat")


def test_two_people_on_one_field_see_the_difference_and_lose_nothing(designer: TestClient):
    here = made(designer)
    page, first = edited(designer, here)
    _, second = edited(designer, here)
    assert first.fill(nom="Tutrice de l’atelier", geste="garder").press(designer, page).status_code == 303
    typed = {"nom": "Tuteur des ateliers", "description": "A tenu le rôle jusqu’au bout.", "geste": "garder"}
    refused = second.fill(**typed).press(designer, page)
    assert refused.status_code == 409
    result = plain(refused.text)
    assert "Rien n’est perdu" in result
    assert re.search(r"<del>.*?Tutrice", result)
    assert re.search(r"<ins>.*?Tuteur", result)
    assert re.search(r"<ins>.*?jusqu’au bout", result)
    assert "Tutrice de l’atelier" in designer.get(here).text
    knowing = form_with(refused, "etat").fill(geste="garder")
    assert knowing.press(designer, refused).status_code == 303
    assert "A tenu le rôle jusqu’au bout." in designer.get(here).text
    assert "Tuteur des ateliers" in designer.get(here).text


@pytest.mark.parametrize("gesture", ["garder", "seul"])
def test_two_people_on_two_fields_of_one_step_keep_both(designer: TestClient, gesture: str):
    here = made(designer)
    page, first = edited(designer, here)
    _, second = edited(designer, here)
    assert first.fill(nom="Tutrice de l’atelier", geste="garder").press(designer, page).status_code == 303
    answer = second.fill(description="A tenu le rôle jusqu’au bout.", geste=gesture).press(designer, page)
    assert answer.status_code in (200, 303)
    shown = designer.get(here).text
    assert "Tutrice de l’atelier" in shown
    assert "A tenu le rôle jusqu’au bout." in shown
    if gesture == "seul":
        found = re.search(r'data-state="([^"]*)" data-base="([^"]*)"', answer.text)
        assert found
        second.fill(
            etat=found[1], avant=unescape(found[2]), criteres="- A accompagné un groupe", geste="garder"
        )
        assert second.press(designer, page).status_code == 303
        shown = designer.get(here).text
        assert "Tutrice de l’atelier" in shown
        assert "A accompagné un groupe" in shown


def test_texts_of_the_picture_follow_a_title_that_changed_meanwhile(designer: TestClient):
    here = made(designer)
    image, words = edited(designer, here, "/image")
    content, title = edited(designer, here)
    title.fill(nom="Tutrice", geste="garder").press(designer, content)
    assert words.fill(sigle="TUT", geste="garder").press(designer, image).status_code == 303
    assert "« Tutrice »" in plain(edited(designer, here, "/image")[1].fields["alternative"][0])


def test_two_people_on_two_steps_cause_no_conflict(designer: TestClient):
    here = made(designer)
    content, first = edited(designer, here)
    awarding, second = edited(designer, here, "/attribution")
    assert first.fill(nom="Tutrice de l’atelier", geste="garder").press(designer, content).status_code == 303
    assert second.fill(validite="730", geste="garder").press(designer, awarding).status_code == 303
    page = designer.get(here).text
    assert "Tutrice de l’atelier" in page
    assert "2 ans" in plain(page)


def test_the_same_form_sent_twice_is_saved_once_and_is_no_conflict(designer: TestClient):
    page, form = edited(designer, made(designer))
    form.fill(nom="Tutrice de l’atelier", geste="garder")
    assert [form.press(designer, page).status_code for _ in range(2)] == [303, 303]


@pytest.mark.parametrize("saves_itself", [False, True])
def test_publishing_what_one_step_takes_from_another_is_no_conflict(designer: TestClient, saves_itself: bool):
    """A badge of belonging has no duration: choosing this kind empties a field of another step."""
    here = made(designer, heures="10")
    page, form = edited(designer, here)
    form.fill(type="appartenance")
    if saves_itself:
        drawn = form.fill(geste="seul").press(designer, page).text
        state, others, base = (
            re.findall(rf'data-{each}="([^"]*)"', drawn)[0] for each in ("state", "others", "base")
        )
        form.fill(etat=state, autres=others, avant=unescape(base))
    answer = form.press(designer, page, ("geste", "ouvrir"))
    assert answer.headers["location"] == here


@pytest.mark.parametrize("step", ["", "/competences", "/attribution", "/image", "/publier"])
def test_each_step_leads_to_every_other_and_saves_on_the_way(designer: TestClient, step: str):
    here = made(designer)
    page, form = edited(designer, here, step)
    for wanted in ("contenu", "competences", "attribution", "image", "publier"):
        answer = form.press(designer, page, ("vers", wanted))
        assert answer.headers["location"] == f"{here}/modifier" + (
            "" if wanted == "contenu" else f"/{wanted}"
        )
    assert page.text.count('aria-current="step"') == 1


def test_changing_the_step_keeps_what_was_typed(designer: TestClient):
    here = made(designer)
    page, form = edited(designer, here, "/image")
    form.fill(sigle="TUT").press(designer, page, ("vers", "contenu"))
    assert 'value="TUT"' in designer.get(f"{here}/modifier/image").text


def test_a_step_that_lacks_something_has_no_tick(designer: TestClient):
    here = made(designer, jugement="")
    steps = (
        designer.get(f"{here}/modifier/publier").text.partition('class="step-links"')[2].partition("</ol>")[0]
    )
    done = [", complet" in each for each in steps.split("</li>")[:-1]]
    assert done == [False, True, True, True, False]


def test_an_unknown_step_is_absent(designer: TestClient):
    assert designer.get(made(designer) + "/modifier/couleur").status_code == 404


def test_a_draft_saves_itself_and_a_published_badge_does_not(designer: TestClient):
    here = made(designer)
    page, form = edited(designer, here)
    answer = form.fill(nom="Tutrice de l’atelier", geste="seul").press(designer, page)
    assert "Brouillon enregistré à" in plain(answer.text)
    assert "<html" not in answer.text
    assert "Tutrice de l’atelier" in designer.get(here).text
    state = re.search(r'data-state="([^"]+)"', answer.text)
    assert state
    assert form.fill(etat=state[1], nom="Tutrice", geste="garder").press(designer, page).status_code == 303
    send(designer, f"{here}/ouvrir", seen_on=here)
    page, form = edited(designer, here)
    form.fill(nom="Tutrice des ateliers", geste="seul").press(designer, page)
    assert "Tutrice des ateliers" not in designer.get(here).text


def test_a_published_badge_that_becomes_incomplete_goes_on_as_a_draft(designer: TestClient):
    here = made(designer, geste="ouvrir")
    page, form = edited(designer, here)
    assert form.fill(type="competence", geste="garder").press(designer, page).status_code == 303
    assert "En service, version suivante en brouillon" in plain(designer.get(here).text)


def test_what_is_marked_optional_is_not_asked_for_later(designer: TestClient):
    here = made(designer, description="", criteres="", jugement="")
    page = designer.get(f"{here}/modifier").text
    for field in ("description", "criteres", "jugement"):
        label = re.search(rf'<label for="{field}">(.*?)</label>', page)
        assert label
        assert "facultatif" not in label[1]
        assert "pour publier" in plain(label[1])


def test_folded_parts_are_open_when_they_are_used(designer: TestClient):
    folded = designer.get(made(designer) + "/modifier/attribution").text
    used = designer.get(
        made(designer, nom="Trois", **{"regle-nombre-0": "3", "regle-mesure-0": "activites"})
        + "/modifier/attribution"
    ).text
    assert '<details class="more"><summary>Compter' in folded
    assert '<details class="more" open><summary>Compter' in used


def test_the_texts_of_the_picture_are_prefilled_and_follow_the_title(designer: TestClient):
    here = made(designer)
    page, form = edited(designer, here, "/image")
    assert "« Tuteur de l’atelier »" in plain(form.fields["alternative"][0])
    form.press(designer, page, ("vers", "contenu"))
    page, form = edited(designer, here)
    form.fill(nom="Tutrice").press(designer, page, ("vers", "image"))
    assert "« Tutrice »" in plain(edited(designer, here, "/image")[1].fields["alternative"][0])


def test_the_kinds_are_shown_in_the_letters_and_colours_of_the_campus_that_chooses(
    app: App, designer: TestClient
):
    shown = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)"', designer.get(f"{HERE}/nouveau").text)
    drawn = [base64.b64decode(each).decode() for each in shown]
    with app.unit_of_work(reading=True) as services:
        ours, theirs = (services.badges.marks(campus) for campus in (app.campus, app.other_campus))
    for kind, mark in ours.items():
        assert mark in drawn
        assert mark != theirs[kind]


def test_the_preview_draws_the_badge_and_keeps_nothing(app: App, designer: TestClient):
    answer = send(designer, f"{HERE}/nouveau", ROLE | {"geste": "seul"})
    assert answer.status_code == 200
    assert "data:image/svg+xml;base64," in answer.text
    assert "Badge d’engagement" in answer.text
    assert "<html" not in answer.text
    with app.unit_of_work(reading=True) as services:
        assert ROLE["nom"] not in [v.name for _, v in services.badges.list_newest(app.campus)]


def test_without_scripts_a_button_shows_the_preview_and_keeps_what_was_typed(designer: TestClient):
    answer = send(designer, f"{HERE}/nouveau", ROLE | {"geste": "apercu"})
    assert answer.status_code == 200
    assert 'value="Tuteur de l’atelier"' in answer.text
    assert "data:image/svg+xml;base64," in answer.text


def test_a_button_adds_a_line_of_alignments(designer: TestClient):
    here = f"{made(designer)}/modifier/competences"
    first = send(designer, here, {"geste": "ligne", "code-0": "I1307", "ref-0": "rome"})
    assert 'name="code-1"' in first.text
    assert 'value="I1307"' in first.text


def test_a_code_that_cannot_be_read_comes_back_beside_its_field(designer: TestClient):
    here = f"{made(designer)}/modifier/competences"
    answer = send(designer, here, {"code-0": "13", "intitule-0": "X", "ref-0": "rome", "geste": "garder"})
    assert answer.status_code == 422
    assert re.search(r'id="code-0"[^>]*aria-invalid="true"', answer.text)
    assert "Un code ROME est une lettre et quatre chiffres" in plain(answer.text)
    assert 'value="13"' in answer.text


@pytest.mark.parametrize(
    ("step", "field", "typed"),
    [
        ("attribution", "heures", "beaucoup"),
        ("attribution", "jours", "0"),
        ("contenu", "nom", ""),
        ("contenu", "nom", "x" * 121),
        ("image", "teinte", "400"),
    ],
)
def test_a_field_that_cannot_be_read_is_named_and_nothing_is_lost(
    designer: TestClient, step: str, field: str, typed: str
):
    here = f"{made(designer)}/modifier" + ("" if step == "contenu" else f"/{step}")
    kept = {"description": "Gardée.", "heures": "2", "sigle": "GAR", "validite": "autre", "jours": "40"}
    answer = send(designer, here, ROLE | kept | {"couleurs": "propres", field: typed})
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert any(each in answer.text for each in ("Gardée.", 'value="GAR"', 'value="40"', 'value="2"'))


def test_what_was_saved_is_what_the_form_shows_again(designer: TestClient):
    typed = {"validite": "autre", "jours": "90", "heures": "2,5", "mots": "tutorat, atelier", "sigle": "TUT",
             "couleurs": "propres", "teinte": "120", "vivacite": "10", "alternative": "Un bouclier.",
             "demandes": "oui", "repetition": "once_per_activity",
             "ref-0": "rncp", "code-0": "RNCP35316BC02", "intitule-0": "Installer un réseau"}  # fmt: skip
    here = made(designer, **typed)
    steps = ("", "/competences", "/attribution", "/image")
    page = "".join(designer.get(f"{here}/modifier{step}").text for step in steps)
    for name, value in typed.items():
        if name in ("couleurs", "demandes"):
            assert re.search(rf'name="{name}" value="{value}" checked', page), name
        elif name in ("repetition", "validite", "ref-0"):
            assert re.search(rf'<option value="{value}" selected', page), name
        elif name == "alternative":
            assert value in page
        else:
            assert re.search(rf'name="{name}"[^>]* value="{re.escape(value)}"', page), name


def test_changing_an_awarded_badge_writes_the_next_version_and_lists_the_differences(
    app: App, designer: TestClient
):
    here = made(designer, geste="ouvrir")
    with app.unit_of_work(reading=True) as services:
        page = services.badges.manuscript(app.campus, _id_in(here)).page
    app.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé trois groupes.")
    changed = ROLE | {"description": "A tenu le rôle de tutrice.", "validite": "730", "mots": "tutorat"}
    send(designer, f"{here}/modifier", changed)
    send(designer, f"{here}/modifier/attribution", changed)
    shown = plain(designer.get(here).text)
    assert "En service, version suivante en brouillon" in shown
    assert "La version 1 reste en service tant qu’il n’est pas publié" in shown
    assert "En service, version suivante en brouillon" in plain(designer.get(HERE).text)
    result = plain(designer.get(f"{here}/differences?de=1&a=2").text)
    assert re.search(r"<del>.*?tuteur", result)
    assert re.search(r"<ins>.*?tutrice", result)
    assert "Sans date de fin" in result or "2 ans" in result
    assert "tutorat" in result
    assert "Critères" not in result.partition("<main")[2]
    assert "tutorat" in plain(designer.get(f"{here}/differences").text), "the newest and the one before it"
    assert "disent la même chose" in designer.get(f"{here}/differences?de=1&a=1").text


def test_an_archived_badge_leaves_the_list_and_comes_back(designer: TestClient):
    here = made(designer)
    send(designer, f"{here}/archiver", seen_on=here)
    assert "Tuteur de l’atelier" not in designer.get(HERE).text
    assert "Tuteur de l’atelier" in designer.get(f"{HERE}?archives=oui").text
    send(designer, f"{here}/reprendre", seen_on=here)
    assert "Tuteur de l’atelier" in designer.get(HERE).text


def test_a_model_fills_every_step_and_is_published_after_one_change(app: App, designer: TestClient):
    page = designer.get(f"{HERE}/nouveau")
    assert "Partir d’un modèle" in page.text
    page = designer.get(f"{HERE}/nouveau?modele=parcours-de-decouverte")
    form = form_with(page, "nom").fill(nom="Parcours bois")
    answer = form.press(designer, page, ("geste", "ouvrir"))
    here = answer.headers["location"]
    assert "/modifier" not in here
    shown = plain(designer.get(here).text)
    assert "Parcours bois" in shown
    assert "En service" in shown
    assert "3 activités et 6 h" in shown
    with app.unit_of_work(reading=True) as services:
        version = services.badges.manuscript(app.campus, _id_in(here)).page.version
    assert version.criteria


def test_after_a_refused_field_the_model_is_still_named_by_its_own_title(designer: TestClient):
    page = designer.get(f"{HERE}/nouveau?modele=parcours-de-decouverte")
    named = re.search(r"Le modèle «.(.+?).» remplit les étapes", page.text.replace("\u202f", "\u00a0"))
    assert named is not None
    refused = send(
        designer,
        f"{HERE}/nouveau",
        {"modele": "parcours-de-decouverte", "nom": "Mon titre", "langue": "fr", "description": "x" * 9000},
    )
    assert refused.status_code == 422
    assert named[0] in refused.text.replace("\u202f", "\u00a0")


def test_an_unknown_model_is_a_blank_form(designer: TestClient):
    page = designer.get(f"{HERE}/nouveau?modele=inconnu")
    assert form_with(page, "nom").fields["nom"] == [""]


def test_ideas_of_competencies_lead_to_a_new_one_with_its_statement(designer: TestClient):
    here = made(designer)
    link = re.search(r'href="([^"]+enonce=[^"]+)"', designer.get(f"{here}/modifier/competences").text)
    assert link
    assert "Transmettre un savoir-faire à un groupe" in designer.get(link[1]).text


def test_a_near_name_is_pointed_out_before_there_are_two_badges(designer: TestClient):
    made(designer)
    answer = send(designer, f"{HERE}/nouveau", ROLE | {"nom": "Tuteurs de l'atelier", "geste": "seul"})
    assert "Un badge proche existe déjà" in plain(answer.text)


def test_a_competency_badge_names_its_competency_with_a_level(app: App, designer: TestClient):
    with app.unit_of_work() as services:
        by = Actor(app.admin.id)
        framework = services.competencies.framework(app.campus, code="ca", name="Contrôle d’accès", by=by)
        competency = services.competencies.create(
            app.campus,
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


def test_other_campuses_badges_are_not_found(app: App, designer: TestClient):
    here = made(designer)
    stranger = app.client(app.stranger)
    assert stranger.get(here).status_code == 404
    assert stranger.get(here.replace("/itip/", "/agt/")).status_code == 404
    assert stranger.get(here.replace("/itip/", "/agt/") + "/differences").status_code == 404


def _id_in(here: str) -> uuid.UUID:
    return uuid.UUID(here.rpartition("/")[2])


def test_a_badge_written_for_programs_is_edited_here_too(app: App, designer: TestClient):
    page = designer.get(f"{HERE}/{app.role.badge.id}/modifier").text
    assert "Acteur du dispositif" in page
