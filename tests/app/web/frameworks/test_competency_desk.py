"""The competencies of a campus on their pages: written, changed, archived, imported from a spreadsheet."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.domain.frameworks import read_competencies
from app.domain.frameworks.releases import Entry, Source
from app.services.badges import Wording
from app.services.frameworks import Details
from app.services.frameworks.importing import FrameworkOwner
from app.services.frameworks.readers import text_of_table
from tests.support.app import COMMAND, App, send
from tests.support.forms import form_with, forms_of
from tests.support.running.every import for_each

HERE = "/gestion/itip/competences"
MEASURE = {
    "referentiel": "ca", "nom": "Contrôle d’accès", "code": "CA-3",
    "enonce": "Mesurer, analyser", "niveaux": "Accompagné\nAutonome",
}  # fmt: skip
LIST = (
    "Référentiel;Nom du référentiel;Code;Énoncé;Niveaux\n"
    "ca;Contrôle d’accès;CA-3;Mesurer, analyser;Accompagné | Autonome\n"
    ";;CA-4;Maintenir;\n"
    ";;;Sans code;\n"
)


@pytest.fixture
def designer(app: App) -> TestClient:
    return app.client(app.admin)


def known(app: App) -> dict[str, tuple[str, list[str], bool]]:
    with app.unit_of_work(reading=True) as services:
        return {
            competency.code: (competency.statement, competency.levels, competency.archived_at is not None)
            for competency, _ in services.competencies.list_of(app.campus)
        }


def address_of(app: App, code: str) -> str:
    with app.unit_of_work(reading=True) as services:
        found = services.competencies.list_of(app.campus)
        return f"{HERE}/{next(competency.id for competency, _ in found if competency.code == code)}"


def test_each_fault_of_a_competency_is_at_its_field(app: App, designer: TestClient):
    wrong = {
        "referentiel": "", "code": "", "enonce": " ", "niveaux": "\n".join(f"Niveau {n}" for n in range(11)),
        "description": "x" * 2001, "liens": "I130",
    }  # fmt: skip
    page = send(designer, f"{HERE}/nouvelle", wrong)
    assert page.status_code == 422
    assert known(app) == {}
    faults = re.findall(r'id="(\w+)-erreur"', page.text)
    assert faults == ["referentiel", "code", "enonce", "niveaux", "description", "liens"]
    send(designer, f"{HERE}/nouvelle", MEASURE)
    page = send(designer, address_of(app, "CA-3"), {"enonce": "", "niveaux": "", "reperes": "x" * 501})
    assert re.findall(r'id="(\w+)-erreur"', page.text) == ["enonce"]
    page = send(designer, address_of(app, "CA-3"), {"enonce": "", "niveaux": "A", "reperes": "x" * 501})
    assert re.findall(r'id="(\w+)-erreur"', page.text) == ["enonce", "reperes"]


def test_a_campus_without_competencies_may_import_a_framework_and_make_modules(designer: TestClient):
    page = designer.get(HERE).text
    assert page.count(f'href="{HERE}/referentiels/importer"') == 1
    assert page.count('href="/gestion/itip/modules"') == 1


def test_a_competency_is_written_changed_archived_and_taken_up_again(app: App, designer: TestClient):
    assert send(designer, f"{HERE}/nouvelle", MEASURE).status_code == 303
    here = address_of(app, "CA-3")
    send(designer, here, {"enonce": "Mesurer et caractériser", "niveaux": "Accompagné\nAutonome\nTransmet"})
    assert known(app)["CA-3"] == ("Mesurer et caractériser", ["Accompagné", "Autonome", "Transmet"], False)
    send(designer, f"{here}/archiver", seen_on=here)
    assert "CA-3" not in designer.get(HERE).text
    assert "CA-3" in designer.get(f"{HERE}?archives=oui").text
    send(designer, f"{here}/reprendre", seen_on=here)
    assert "CA-3" in designer.get(HERE).text


def test_levels_are_described_and_stay_as_they_were_typed(app: App, designer: TestClient):
    more = {
        "reperes": "Suit un plan.\nTravaille seul.",
        "description": "Sur un lecteur de badges.",
        "synonymes": "Métrologie",
    }
    assert send(designer, f"{HERE}/nouvelle", {**MEASURE, **more}).status_code == 303
    page = designer.get(address_of(app, "CA-3")).text
    assert all(line in page for value in more.values() for line in value.splitlines())
    with app.unit_of_work(reading=True) as services:
        found = services.framework_search.search("métrologie", app.campus.id)
    assert [each.item.rubric for each in found.items] == [["Suit un plan.", "Travaille seul."]]


def test_a_badge_that_people_have_tells_that_its_competency_changed_and_drafts_the_next(
    app: App, designer: TestClient
):
    send(designer, f"{HERE}/nouvelle", MEASURE)
    with app.unit_of_work() as services:
        (competency, _), *_rest = services.competencies.list_of(app.campus)
        page = services.badges.create(
            app.campus,
            Wording(BadgeKind.COMPETENCY, "Mesurer", "Sait mesurer.", "A mesuré trois fois devant nous.",
                    competencies=[(competency.id, 1)]),
            by=Actor(app.admin.id),
        )  # fmt: skip
    app.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé trois groupes.")
    badge = f"/gestion/itip/badges/{page.badge.id}"
    assert "Une compétence a changé depuis" not in designer.get(badge).text
    send(designer, address_of(app, "CA-3"), {"enonce": "Mesurer finement", "niveaux": "Débute\nAutonome"})
    before = designer.get(badge).text
    assert f"{MEASURE['enonce']}" in before
    assert "Une compétence a changé depuis" in before
    assert "Mesurer finement (Débute)" in " ".join(before.split())
    assert send(designer, f"{badge}/competences", seen_on=badge).status_code == 303
    after = designer.get(badge).text
    assert "brouillon de la version 2" in after
    assert "Mesurer finement" in after
    assert "Une compétence a changé depuis" not in after


@pytest.mark.parametrize(
    "changes", [{"code": ""}, {"enonce": ""}, {"referentiel": ""}, {"niveaux": "\n".join("abcdefghijk")}]
)
def test_invalid_values_are_refused_and_shown_again(app: App, designer: TestClient, changes: dict):
    answer = send(designer, f"{HERE}/nouvelle", MEASURE | {"nom": "Gardé"} | changes)
    assert answer.status_code == 422
    assert "Gardé" in answer.text
    assert known(app) == {}


def test_a_level_that_a_badge_attests_does_not_go_away_under_it(app: App, designer: TestClient):
    send(designer, f"{HERE}/nouvelle", MEASURE)
    here = address_of(app, "CA-3")
    with app.unit_of_work() as services:
        (competency, _), *_rest = services.competencies.list_of(app.campus)
        services.badges.create(
            app.campus,
            Wording(BadgeKind.COMPETENCY, "Mesurer", "Sait mesurer.", "A mesuré trois fois devant nous.",
                    competencies=[(competency.id, 2)]),
            by=Actor(app.admin.id),
        )  # fmt: skip
    answer = send(designer, here, {"enonce": "Mesurer", "niveaux": "Accompagné"})
    assert answer.status_code == 409
    assert known(app)["CA-3"][1] == ["Accompagné", "Autonome"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_a_dropped_list_keeps_good_lines_and_gives_back_the_others(
    app: App, designer: TestClient, encoding: str
):
    files = {"fichier": ("competences.csv", LIST.encode(encoding), "text/csv")}
    first = send(designer, f"{HERE}/importer", files=files)
    assert first.status_code == 422
    assert sorted(known(app)) == ["CA-3", "CA-4"]
    assert "Sans code" in first.text
    assert "CA-4;Maintenir" not in first.text
    assert known(app)["CA-3"][1] == ["Accompagné", "Autonome"]
    before = known(app)
    again = send(designer, f"{HERE}/importer", files=files)
    assert "Déjà là" in again.text
    assert known(app) == before


def test_the_table_can_be_dropped_again(app: App, designer: TestClient):
    send(designer, f"{HERE}/importer", {"liste": LIST.rpartition(";;;")[0]})
    table = designer.get(f"{HERE}/competences.csv").content
    before = known(app)
    answer = send(designer, f"{HERE}/importer", files={"fichier": ("c.csv", table, "text/csv")})
    assert answer.status_code == 200
    assert known(app) == before


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_exported_table_loses_nothing_on_its_way_to_another_campus(app: App, form: str):
    with app.unit_of_work() as services:
        framework = services.competencies.framework(app.campus, code="ca", name="Accès", by=COMMAND)
        details = Details("Sur une porte.\nHors tension.", ["Avec un autre.", "Seul."], ["Verrou", "Gâche"])
        made = services.competencies.create(
            app.campus, framework, code="CA-1", statement="Poser", levels=["Un", "Deux"], details=details, by=COMMAND
        )  # fmt: skip
        services.trades.relate(app.campus, made, ["I1307"], by=COMMAND)
    table = app.client(app.admin).get(f"{HERE}/competences.{form}").content
    for campus in (app.campus, app.other_campus):
        for outcome in ("same", "same") if campus is app.campus else ("added", "same"):
            with app.unit_of_work() as services:
                lines = read_competencies(text_of_table(table))
                taken = services.competencies.take_in(campus, lines, by=COMMAND)
                assert (dict(taken.outcomes), taken.refused) == ({outcome: 1}, [])
    with app.unit_of_work(reading=True) as services:
        [(found, _)] = services.competencies.list_of(app.other_campus)
        codes = services.trades.codes_of([found.id])[found.id]
    assert (found.levels, found.rubric, found.other_labels) == (["Un", "Deux"], list(details.rubric), list(details.other_labels))  # fmt: skip
    assert (found.description, list(codes)) == ("Sur une porte. Hors tension.", ["I1307"])


def test_another_campus_s_competency_is_not_found(app: App, designer: TestClient):
    send(designer, f"{HERE}/nouvelle", MEASURE)
    here = address_of(app, "CA-3").replace("/itip/", "/agt/")
    assert app.client(app.stranger).get(here).status_code in (403, 404)


def test_rubric_travels_in_the_list_and_a_list_without_it_leaves_it(app: App, designer: TestClient):
    listed = (
        "Référentiel;Code;Énoncé;Niveaux;Repères\n"
        "ca;CA-3;Mesurer;Accompagné | Autonome;Suit un plan. | Mesure seul.\n"
    )
    send(designer, f"{HERE}/importer", {"liste": listed})
    exported = designer.get(f"{HERE}/competences.csv").text
    assert "Suit un plan. | Mesure seul." in exported
    send(designer, f"{HERE}/importer", {"liste": "Référentiel;Code;Énoncé\nca;CA-3;Mesurer, analyser\n"})
    with app.unit_of_work(reading=True) as services:
        [(competency, _)] = services.competencies.list_of(app.campus)
    assert competency.statement == "Mesurer, analyser"
    assert competency.levels == ["Accompagné", "Autonome"]
    assert competency.rubric == ["Suit un plan.", "Mesure seul."]
    again = send(designer, f"{HERE}/importer", {"liste": exported.lstrip("\ufeff")})
    assert "Changées" in again.text


def test_scale_of_a_framework_is_where_new_competencies_begin(app: App, designer: TestClient):
    assert "Accompagné\nAutonome\nTransmet" in designer.get(f"{HERE}/nouvelle").text
    send(designer, f"{HERE}/nouvelle", MEASURE)
    with app.unit_of_work(reading=True) as services:
        [(_, framework)] = services.competencies.list_of(app.campus)
    here = f"{HERE}/referentiels/{framework.id}"
    typed = {"nom": "Contrôle d’accès", "niveaux": "Découvre\nPratique"}
    assert send(designer, here, typed).status_code == 303
    assert "Découvre\nPratique" in designer.get(f"{HERE}/nouvelle?referentiel=ca").text
    assert known(app)["CA-3"][1] == ["Accompagné", "Autonome"], "what is written keeps its levels"
    refused = send(designer, here, {"nom": "", "niveaux": "Découvre"})
    assert refused.status_code == 422
    assert "Découvre" in refused.text


def test_framework_from_a_file_shows_its_difference_before_it_is_stored(app: App, designer: TestClient):
    upload = f"{HERE}/referentiels/importer"
    table = "Code;Intitulé;Niveaux\nC1;Préparer un moule;Accompagné | Autonome\nC2;Contrôler;\n"

    def sent(text: str, file: str = "composites.csv"):
        page = designer.get(upload)
        form = form_with(page, "code").fill(code="composites", nom="Composites")
        return form.press(designer, page, files={"fichier": (file, text.encode(), "text/csv")})

    answer = sent(table)
    assert answer.status_code == 303, answer.text
    shown = designer.get(answer.headers["location"])
    assert "Préparer un moule" in shown.text
    assert known(app) == {}, "nothing before the agreement"
    confirm = next(each for each in forms_of(shown) if each.action == "")
    assert confirm.press(designer, shown).status_code == 303
    assert known(app)["C1"][:2] == ("Préparer un moule", ["Accompagné", "Autonome"])
    again = designer.get(sent(table).headers["location"])
    assert "Rien ne change" in again.text
    refused = sent("{", "paquet.json")
    assert refused.status_code == 422
    assert "paquet.json" in refused.text
    assert 'value="composites"' in refused.text


@for_each(
    "name, data",
    [
        ("vide.csv", b""),
        ("seul.csv", b"Code\nC1\n"),
        ("faux.xlsx", b"\x07\x01\x02" * 400),
        ("vide.json", b""),
    ],
)
def test_a_file_without_a_table_is_refused_with_a_sentence(designer: TestClient, name: str, data: bytes):
    upload = f"{HERE}/referentiels/importer"
    page = designer.get(upload)
    form = form_with(page, "code").fill(code="essai", nom="Essai")
    answer = form.press(designer, page, files={"fichier": (name, data, "text/csv")})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_a_long_framework_is_stored_in_parts_with_a_bar_and_continues_after_an_interruption(
    app: App, designer: TestClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.services.frameworks.importing.CHUNK_SIZE", 20)
    upload = f"{HERE}/referentiels/importer"
    table = "Code;Intitulé\n" + "".join(f"C{number};Geste {number}\n" for number in range(100))

    def sent() -> Response:
        page = designer.get(upload)
        form = form_with(page, "code").fill(code="gestes", nom="Gestes")
        return form.press(designer, page, files={"fichier": ("gestes.csv", table.encode(), "text/csv")})

    def part_stored(shown: Response) -> str:
        confirm = next(each for each in forms_of(shown) if each.action == "")
        return confirm.press(designer, shown).headers["location"]

    begun = designer.get(part_stored(designer.get(sent().headers["location"])))
    assert "enregistrés\u00a0: 40 sur 100" in begun.text
    assert '<progress max="100" value="40"' in begun.text
    assert len(known(app)) == 40
    again = designer.get(sent().headers["location"])
    assert '<span class="num">60</span>' in again.text, "after a closed page the file shows what is left"
    going_on = designer.get(part_stored(again))
    assert "enregistrés\u00a0: 80 sur 100" in going_on.text
    done = part_stored(going_on)
    assert done == f"{HERE}?fait=importe"
    assert "Le référentiel est importé" in designer.get(done).text
    assert len(known(app)) == 100
    with app.unit_of_work(reading=True) as services:
        _, framework = services.competencies.list_of(app.campus)[0]
        releases = services.frameworks.frameworks.releases_of(framework.id)
        assert [each.changes for each in releases] == [{"new": 100}]


def test_a_long_framework_is_listed_in_pages(app: App, designer: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("app.web.frameworks._ON_A_PAGE", 2)
    for number in range(5):
        send(designer, f"{HERE}/nouvelle", {**MEASURE, "code": f"CA-{number}"})
    send(designer, f"{HERE}/nouvelle", {**MEASURE, "referentiel": "autre", "nom": "Autre", "code": "A-1"})
    first = designer.get(HERE).text
    assert [f">{code}<" in first for code in ("CA-0", "CA-1", "CA-2", "A-1")] == [True, True, False, True]
    assert "Et 3 autres compétences" in first
    assert 'href="?referentiel=ca&amp;page=2"' in first
    second, last = (designer.get(f"{HERE}?referentiel=ca&page={number}").text for number in (2, 3))
    assert [f">{code}<" in second for code in ("CA-1", "CA-2", "CA-3", "A-1")] == [False, True, True, False]
    assert 'href="?referentiel=ca&amp;page=3" rel="next"' in second
    assert [f">{code}<" in last for code in ("CA-3", "CA-4")] == [False, True]
    assert 'rel="next"' not in last


def test_no_document_of_a_package_is_stored_where_another_has_a_fault(app: App, designer: TestClient):
    documents = [
        {
            "CFDocument": {"identifier": str(uuid.uuid4()), "title": title, "version": "1"},
            "CFItems": [
                {"identifier": str(uuid.uuid4()), "humanCodingScheme": f"{title}-1", "fullStatement": "Faire"}
            ],
        }
        for title in ("Un", "Deux")
    ]
    page = designer.get(f"{HERE}/referentiels/importer")
    data = json.dumps({"CFPackages": documents}).encode()
    sent = form_with(page, "code").press(
        designer, page, files={"fichier": ("deux.json", data, "application/json")}
    )
    shown = designer.get(sent.headers["location"])
    assert ("Un" in shown.text, "Deux" in shown.text) == (True, True)
    with app.unit_of_work() as services:
        newer = Source("deux", "Deux", "9", None, [Entry("D-1", "Défaire")])
        owner = FrameworkOwner(campus_id=app.campus.id)
        services.framework_imports.write(newer, owner, by=COMMAND)
    answer = next(each for each in forms_of(shown) if each.action == "").press(designer, shown)
    assert "plus ancienne que celle en place" in answer.text
    assert set(known(app)) == {"D-1"}


def test_unknown_columns_are_chosen_on_the_page(app: App, designer: TestClient):
    upload = f"{HERE}/referentiels/importer"
    page = designer.get(upload)
    form = form_with(page, "code").fill(code="composites", nom="Composites")
    # As a spreadsheet in Western Europe writes it.
    table = "Réf;Ce qu’on sait faire;Détail\nC1;Préparer un moule;À la cire\n".encode("cp1252")
    sent = form.press(designer, page, files={"fichier": ("composites.csv", table, "text/csv")})
    asked = designer.get(sent.headers["location"])
    assert asked.status_code == 200
    unchosen = form_with(asked, "colonne-code").press(designer, asked, ("geste", "colonnes"))
    assert "composites.csv" in designer.get(unchosen.headers["location"]).text, "code and label are needed"
    columns = {"colonne-code": "Réf", "colonne-label": "Ce qu’on sait faire", "colonne-description": "Détail"}
    chosen = form_with(asked, "colonne-code").fill(**columns).press(designer, asked, ("geste", "colonnes"))
    shown = designer.get(chosen.headers["location"])
    assert "Préparer un moule" in shown.text
    for name, heading in columns.items():
        assert form_with(shown, name).fields[name] == [heading], "they can be chosen again"
    confirm = next(each for each in forms_of(shown) if each.action == "" and not each.buttons[0][0])
    assert confirm.press(designer, shown).status_code == 303
    assert known(app)["C1"][0] == "Préparer un moule"
    with app.unit_of_work(reading=True) as services:
        [(item, _)] = services.competencies.list_of(app.campus)
    assert item.description == "À la cire"
