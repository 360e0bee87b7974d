"""From a competency to trades and back, and the booklet of a campus."""

from __future__ import annotations

import io
import re
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pypdf import PdfReader

from app.domain.frameworks.releases import Entry, Source
from app.services.frameworks.importing import FrameworkOwner
from tests.support.app import COMMAND, App, send
from tests.support.content.skills import levelled

LIST = (
    "Référentiel;Nom du référentiel;Code;Énoncé;Niveaux;Repères;Métiers\n"
    "se;Savoir-être;SE-1;Écouter;Accompagné | Autonome;Laisse parler. | Reformule.;F1602 | H3203\n"
    "se;;SE-2;Organiser;;;F1602\n"
    "se;;SE-3;Tenir parole;;;pas un code\n"
)


@pytest.fixture
def registers(app: App) -> None:
    entries = [
        Entry("F16", "Second œuvre", kind="domain"),
        Entry("F1602", "Électricien du bâtiment", kind="occupation", parent="F16"),
        Entry("H3203", "Mouleur", kind="occupation"),
    ]
    with app.unit_of_work() as services:
        services.framework_imports.write(
            Source("rome", "ROME 4.0", "460", None, entries), FrameworkOwner(), by=COMMAND
        )


@pytest.mark.usefixtures("registers")
def test_list_with_trades_makes_a_booklet_and_pages_of_trades(app: App) -> None:
    designer = app.client(app.admin)
    answer = send(designer, "/gestion/itip/competences/importer", {"liste": LIST})
    assert "Une ligne est à corriger" in answer.text
    world = app.client()
    trade = world.get("/metiers/F1602").text
    assert "Électricien du bâtiment</h1>" in trade
    assert "Second œuvre" in trade
    assert "Écouter" in trade
    assert "Organiser" in trade
    assert "Il manque un badge pour 2 compétences sur 2." in trade.replace("\xa0", " ")
    assert "Écouter" not in world.get("/metiers/F1602?campus=agt").text
    assert "Électricien du bâtiment" in world.get("/metiers").text
    assert world.get("/metiers/F9999").status_code == 404

    page = world.get("/campus/itip/livret")
    assert page.status_code == 200
    assert "Mouleur" in page.text
    pdf = world.get("/campus/itip/livret.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    reader = PdfReader(io.BytesIO(pdf.content))
    text = "\n".join(each.extract_text() for each in reader.pages)
    assert all(part in text for part in ("Écouter", "F1602", "Reformule", "Mouleur"))
    assert "Édité le" in text, "a sheet handed out has its day"
    assert "localhost:8000/campus/itip/livret" in text, "and where today's is"
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"], "tagged"
    width, height = reader.pages[0].mediabox[2:]
    assert (round(width), round(height)) == (595, 842), "A4"
    # The exported list has the codes: taking it in again changes nothing.
    exported = designer.get("/gestion/itip/competences/competences.csv").text.lstrip("\ufeff")
    assert "F1602 | H3203" in exported
    again = send(designer, "/gestion/itip/competences/importer", {"liste": exported})
    assert "Changées" not in again.text


@pytest.mark.usefixtures("registers")
def test_competency_page_has_trades_skills_and_certifications(app: App) -> None:
    given = levelled(app)
    app.award("Zoé N’Diaye;zoe@exemple.fr", badge=given.badge, evidence="Deux mesures justes.")
    designer = app.client(app.admin)
    here = f"/gestion/itip/competences/{given.competency.id}"
    typed = {
        "enonce": given.competency.statement,
        "niveaux": "\n".join(given.competency.levels),
        "liens": "F1602 Électricien\nRNCP35316\nhttp://data.europa.eu/esco/skill/7341904f-5913-470c-8c53-bc832df248ec",
    }
    assert send(designer, here, typed).status_code == 303
    assert "F1602 Électricien du bâtiment" in designer.get(here).text
    with app.unit_of_work() as services:
        services.catalogue.refresh(app.campus.id)
    text = app.client().get(f"/competences/{given.competency.id}").text
    assert "Métiers où elle sert" in text
    assert "/metiers/F1602" in text
    assert "/metiers/H3203" in text, "through the badge that attests it"
    assert "En lien avec ces certifications" in text
    assert "RNCP35316" in text
    assert "Compétences européennes proches" in text
    refused = send(designer, here, typed | {"liens": "soudeur"})
    assert refused.status_code == 422
    assert "soudeur" in refused.text


@pytest.mark.usefixtures("registers")
def test_booklet_names_certifications_and_the_campus_page_leads_to_it(app: App) -> None:
    designer, world = app.client(app.admin), app.client()
    certified = LIST.splitlines()[0] + "\nse;;SE-1;Écouter;;;RNCP35316\n"
    send(designer, "/gestion/itip/competences/importer", {"liste": certified})
    for page in ("/campus/itip", "/gestion/itip/competences"):
        assert "/campus/itip/livret" not in designer.get(page).text, "only a trade makes a booklet"
    certified += "se;;SE-2;Organiser;;;F1602\n"
    send(designer, "/gestion/itip/competences/importer", {"liste": certified})
    assert 'href="/campus/itip/livret"' in world.get("/campus/itip").text
    pdf = PdfReader(io.BytesIO(world.get("/campus/itip/livret.pdf").content))
    assert "RNCP35316" in "\n".join(page.extract_text() for page in pdf.pages)


def test_example_on_the_import_page_is_imported_whole(app: App) -> None:
    designer, here = app.client(app.admin), "/gestion/itip/competences/importer"
    example = re.search(r"<pre[^>]*><code>(.*?)</code>", designer.get(here).text, re.DOTALL)
    assert example
    done = send(designer, here, {"liste": unescape(example[1])})
    assert re.search(r"Ajoutées : <b[^>]*>2</b>", unescape(done.text).replace("\xa0", " "))
    assert "à corriger" not in done.text


def test_a_booklet_without_trades_explains_what_to_do(app: App) -> None:
    answer = app.client().get("/campus/itip/livret")
    assert answer.status_code == 409
    assert "reliez" in answer.text


def _followed(client: TestClient, page: str, words: str) -> str:
    """The page behind the link with this text, as a reader of the guide finds it."""
    for address, content in re.findall(
        r'<a\b[^>]*href="([^"]+)"[^>]*>(.*?)</a>', client.get(page).text, re.DOTALL
    ):
        if unescape(re.sub(r"<[^>]+>", "", content)).strip() == words:
            return unescape(address)
    raise AssertionError(f"no link « {words} » on {page}")


@pytest.mark.usefixtures("registers")
def test_booklet_is_made_by_the_steps_of_the_guide_alone(app: App) -> None:
    competency = levelled(app).competency
    guide = (Path(__file__).parents[4] / "docs" / "campus" / "administration.fr.md").read_text()
    section = re.search(r"## Faire le livret des métiers\n(.*?)\n## ", guide, re.DOTALL)
    assert section
    steps = re.findall(r"^\d\. (.*)$", section[1], re.MULTILINE)
    (competencies,), (field,), (importing, column), (_, booklet, printing) = (
        re.findall(r"« ([^»]+) »", step) for step in steps
    )
    designer = app.client(app.admin)
    listed = _followed(designer, "/gestion/itip", competencies)
    shown = designer.get(listed).text
    assert booklet not in shown, "not before a competency leads to a trade"
    (here,) = re.findall(rf'href="([^"]*{competency.id})"', shown)[:1]
    form = designer.get(here).text
    label = re.search(rf'<label for="(\w+)"[^>]*>\s*{re.escape(field)}', form)
    assert label
    typed = {
        "enonce": competency.statement,
        "niveaux": "\n".join(competency.levels),
        label[1]: "F1602\nH3203",
    }
    assert send(designer, here, typed).status_code == 303
    assert column in unescape(designer.get(_followed(designer, listed, importing)).text)
    paper = designer.get(_followed(designer, _followed(designer, listed, booklet), printing))
    assert paper.headers["content-type"] == "application/pdf"
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(paper.content)).pages)
    assert all(part in text for part in ("F1602", "H3203", "Mouleur"))
