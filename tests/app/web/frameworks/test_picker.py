"""The picker on its page and in the badge editor; synonyms; badges with a framework that has changed."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.domain.frameworks import public_alignment
from app.services.badges import BadgePage
from app.services.badges.wording import Wording
from tests.support.app import COMMAND, App, send
from tests.support.content.registers import ROME_CODES, import_occupations, rome, rome_archive

HERE = "/gestion/itip/competences/chercher"


@pytest.fixture
def registers(app: App, tmp_path: Path) -> App:
    import_occupations(app, tmp_path)
    return app


@pytest.fixture
def designer(registers: App) -> TestClient:
    return registers.client(registers.admin)


def test_search_shows_code_path_state_and_successor(designer: TestClient):
    page = designer.get(HERE, params={"q": "stratif"}).text
    assert "H3203" in page
    assert "ROME 4.0, v460 › Industrie › Plastique, caoutchouc" in page
    assert "Fiche éteinte le 23/02/2026, remplacée par RNCP41000" in page
    assert page.index("H3203") < page.index("RNCP35229"), "what has ended comes last"
    assert "RNCP35229" not in designer.get(HERE, params={"q": "stratif", "dans": "rome"}).text


def test_a_slip_and_nothing_found_are_named(designer: TestClient):
    assert "Résultats pour «\u00a0soudeur\u00a0»" in designer.get(HERE, params={"q": "souderu"}).text
    assert "Rien pour «\u00a0zzzz\u00a0»" in designer.get(HERE, params={"q": "zzzz"}).text


def item_address(app: App, query: str) -> str:
    with app.unit_of_work(reading=True) as services:
        return f"{HERE}/{services.framework_search.search(query).items[0].item.id}"


def test_a_synonym_is_added_found_and_removed(registers: App, designer: TestClient):
    here = item_address(registers, "H2913")
    assert send(designer, f"{here}/synonymes", {"synonyme": "chalumeau"}, seen_on=here).status_code == 303
    assert "Soudeur / Soudeuse" in designer.get(HERE, params={"q": "chalumeaux"}).text
    send(designer, f"{here}/synonymes", {"retirer": "chalumeau"}, seen_on=here)
    assert "Soudeur / Soudeuse" not in designer.get(HERE, params={"q": "chalumeaux"}).text
    refused = send(designer, f"{here}/synonymes", {"synonyme": "…"}, seen_on=here)
    assert refused.status_code == 422
    assert 'id="synonyme-erreur"' in refused.text
    assert 'value="…"' in refused.text


def test_an_item_of_another_campus_is_not_there(registers: App):
    with registers.unit_of_work() as services:
        framework = services.competencies.framework(registers.campus, code="ca", name="Accès", by=COMMAND)
        made = services.competencies.create(
            registers.campus, framework, code="CA-1", statement="Poser", levels=[], by=COMMAND
        )
    stranger = registers.client(registers.stranger)
    assert stranger.get(f"/gestion/agt/competences/chercher/{made.id}").status_code == 404
    assert "Poser" not in stranger.get("/gestion/agt/competences/chercher", params={"q": "poser"}).text


def badge_citing(app: App, *cited: tuple[str, str, str]) -> BadgePage:
    wording = Wording(
        kind=BadgeKind.PARTICIPATION,
        name="Journée cyber",
        description="Une journée.",
        criteria="Être présent du début à la fin de la journée.",
        alignments=[public_alignment(*each) for each in cited],
    )
    with app.unit_of_work() as services:
        return services.badges.create(app.campus, wording, by=Actor(app.admin.id))


def test_the_page_of_a_badge_names_release_present_label_and_end(
    registers: App, designer: TestClient, tmp_path: Path
):
    made = badge_citing(
        registers,
        ("rome", "M1819", "Ingénieur / Ingénieure sécurité informatique"),
        ("rncp", "RNCP35229", "TP Stratifieur multiprocédés en matériaux composites"),
    )
    registers.award("Zoé Martin;zoe@exemple.fr", badge=made)
    assert "Un badge cite un code" in designer.get("/gestion/itip/competences").text
    codes = [
        (code, "Technicien en cybersécurité" if code == "M1819" else label) for code, label in ROME_CODES
    ]
    with registers.unit_of_work() as services:
        services.framework_imports.write(rome(rome_archive(tmp_path, codes, version="461")), by=COMMAND)
    public = (
        registers.client().get(f"/badges/{made.badge.id}").text.replace("\u00a0", " ").replace("\u202f", " ")
    )
    assert "ROME 4.0, v460 du 24 novembre 2025" in public
    assert "Libellé actuel : « Technicien en cybersécurité »." in public
    assert "Fiche éteinte le 23/02/2026, remplacée par RNCP41000." in public
    listed = designer.get("/gestion/itip/competences/correspondances").text
    assert "Journée cyber" in listed
    assert "Relier la version suivante à ce qui remplace la fiche" in listed
    assert f"/gestion/itip/badges/{made.badge.id}/modifier/competences" in listed


def test_the_editor_adds_an_item_with_its_label_and_release(registers: App, designer: TestClient):
    made = badge_citing(registers)
    here = f"/gestion/itip/badges/{made.badge.id}/modifier/competences"
    found = send(designer, here, {"geste": "chercher", "mot": "soudeuse"})
    assert 'value="ajouter rome H2913"' in found.text
    added = send(designer, here, {"geste": "ajouter rome H2913", "mot": "soudeuse"})
    assert 'value="Soudeur / Soudeuse"' in added.text
    assert "Déjà dans le badge" in added.text
    rows = {"ref-0": "rome", "code-0": "H2913", "intitule-0": "Soudeur / Soudeuse"}
    for _ in range(2):
        assert send(designer, here, {"geste": "garder", **rows}).status_code == 303
    with registers.unit_of_work(reading=True) as services:
        page = services.badges.manuscript(registers.campus, made.badge.id).page
    assert [(each["code"], each["version"]) for each in page.version.alignments] == [("H2913", "460")]
    assert len(page.versions) == 1
    assert send(designer, here, {"geste": "ajouter rome <b>"}).status_code == 200


def test_the_api_searches_public_frameworks(registers: App):
    client = registers.client()
    found = client.get("/api/v1/frameworks/search", params={"q": "stratifieur"}).json()
    assert [each["code"] for each in found["items"]][:1] == ["H3203"]
    assert {each["code"]: each["replaced_by"] for each in found["items"]}["RNCP35229"] == ["RNCP41000"]
    assert client.get("/api/v1/frameworks/search", params={"q": "s"}).json()["items"] == []


ACTIVITY = {"titre": "Souder en public", "debut": "2026-11-17", "description": "Un chantier ouvert."}


def item_id(app: App, code: str) -> str:
    with app.unit_of_work(reading=True) as services:
        return str(services.framework_search.search(code).items[0].item.id)


def planned(app: App, path: str) -> list[str]:
    with app.unit_of_work(reading=True) as services:
        return [
            one.code
            for one in services.activity_plans.planned(app.campus, uuid.UUID(path[-36:])).competencies
        ]


@pytest.mark.parametrize("gesture", ["chercher", "entree"])
def test_an_activity_s_trade_is_chosen_with_the_picker_and_nothing_typed_is_lost(
    registers: App, designer: TestClient, gesture: str
):
    new = "/gestion/itip/activites/nouvelle"
    number = item_id(registers, "H2913")
    found = send(designer, new, {**ACTIVITY, "geste": gesture, "mot": "soudeuse"})
    assert found.status_code == 200
    assert f'value="ajouter {number}"' in found.text
    assert 'value="Souder en public"' in found.text
    assert "Un chantier ouvert." in found.text
    added = send(designer, new, {**ACTIVITY, "geste": f"ajouter {number}", "mot": "soudeuse"})
    assert f'name="competence" value="{number}" checked' in added.text
    assert "Déjà choisi" in added.text
    done = send(designer, new, {**ACTIVITY, "geste": "entree", "competence": number})
    path = done.headers["location"]
    assert planned(registers, path) == ["H2913"]
    assert "Soudeur / Soudeuse" in designer.get(path).text
    edited = designer.get(f"{path}/modifier").text
    assert f'name="competence" value="{number}" checked' in edited


def test_an_activity_practises_no_certification_and_nothing_of_another_campus(
    registers: App, designer: TestClient
):
    new = "/gestion/itip/activites/nouvelle"
    with registers.unit_of_work() as services:
        framework = services.competencies.framework(
            registers.other_campus, code="ca", name="Accès", by=COMMAND
        )
        theirs = services.competencies.create(
            registers.other_campus, framework, code="CA-1", statement="Poser", levels=[], by=COMMAND
        )
    for number in (item_id(registers, "RNCP35229"), str(theirs.id)):
        assert send(designer, new, {**ACTIVITY, "competence": number}).status_code == 422
    page = designer.get(HERE, params={"q": "stratif", "choix": "pratiquer"}).text
    assert page.count('name="geste" value="ajouter ') == 1, "the trade, not the certification"


def test_a_copy_of_an_activity_practises_the_same_trades(registers: App, designer: TestClient):
    number = item_id(registers, "H2913")
    path = send(designer, "/gestion/itip/activites/nouvelle", {**ACTIVITY, "competence": number}).headers[
        "location"
    ]
    copy = send(designer, f"{path}/dupliquer", seen_on=path).headers["location"]
    assert planned(registers, copy.partition("?")[0]) == ["H2913"]


def test_a_trade_practised_is_an_occupation_of_its_register_in_the_credential(
    registers: App, designer: TestClient
):
    number = item_id(registers, "H2913")
    path = send(designer, "/gestion/itip/activites/nouvelle", {**ACTIVITY, "competence": number}).headers[
        "location"
    ]
    made = badge_citing(registers)
    with registers.unit_of_work(reading=True) as services:
        activity = services.activities.get(registers.campus, uuid.UUID(path[-36:]))
        [practised] = services.badges.practice_of(made.version, activity).alignments
    assert practised.target_framework == "ROME 4.0"
    assert practised.target_url.endswith("/H2913#version=460")


def test_the_competency_editor_adds_a_trade_to_its_lines(registers: App, designer: TestClient):
    new = "/gestion/itip/competences/nouvelle"
    typed = {"referentiel": "ca", "nom": "Accès", "code": "CA-3", "enonce": "Souder un cadre", "niveaux": ""}
    found = send(designer, new, {**typed, "geste": "chercher", "mot": "soudeuse"})
    assert 'value="ajouter rome H2913"' in found.text
    assert "Souder un cadre" in found.text
    added = send(designer, new, {**typed, "geste": "ajouter rome H2913", "mot": "soudeuse"})
    assert "H2913 Soudeur / Soudeuse</textarea>" in added.text
    assert "Déjà choisi" in added.text
    done = send(designer, new, {**typed, "liens": "H2913 Soudeur / Soudeuse", "geste": "entree"})
    assert done.status_code == 303
