"""The yearly report: texts copied from last year, contradictions settled, a signed version and its files."""

from __future__ import annotations

import io
import json
import re
import uuid
import zipfile
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from app.domain.activities import Activity, ActivityKind, Plan
from app.domain.reports.editions import CAMPUS, PLAN, TEXTS, Claim, Contradiction, document_of, verified
from app.domain.reports.facts import Declared
from app.domain.reports.indicators import INDICATORS
from app.domain.reports.ledger import Period
from app.domain.reports.surveys import Answer
from app.errors import InvalidInput
from app.services.reports.editions import EditionService, ReportDraftPage
from app.web.reports.annual import ABOUT, pdf_words
from tests.support.app import COMMAND, App, send
from tests.support.forms import form_with

HERE = "/gestion/itip/rapport/annuel"


def with_facts(app: App, **cells: str) -> None:
    with app.unit_of_work() as services:
        services.report_facts.correct(app.campus, app.activity.id, cells, by=COMMAND)


def reviewed(text: str = "") -> dict[str, str]:
    return {f"texte-{number}": text or f"Texte {number}" for number in TEXTS} | {
        f"relu-{number}": "oui" for number in TEXTS
    }


def test_the_plan_has_51_lines_of_which_14_are_texts():
    assert (len(PLAN), len(TEXTS)) == (51, 14)


def test_texts_are_carried_over_to_the_next_year_and_reviewed_again(app: App):
    trainer = app.client(app.trainer)
    assert (
        send(
            trainer, f"{HERE}/2025", reviewed("Manque de soudeurs.") | {"paroles": "J’ai compris."}
        ).status_code
        == 303
    )
    shown = trainer.get(f"{HERE}/2026").text
    assert shown.count("Manque de soudeurs.") == len(TEXTS)
    assert shown.count("Repris du rapport 2025") == len(TEXTS)
    too_long = send(trainer, f"{HERE}/2026", reviewed() | {"texte-1.3": "a" * 8001})
    assert too_long.status_code == 422
    assert "8" in too_long.text
    assert "a" * 8001 in too_long.text
    assert trainer.get(f"{HERE}/2026-01-01%2F2026-02-01").status_code in (404, 422)


def test_a_contradiction_is_shown_settled_and_noted_before_a_version_is_signed(app: App):
    app.clock.move(days=60)
    app.record("MARTIN Zoé", "LEROY Ada")
    with_facts(app, effectif="120", publics="120 lycéens dont 70 femmes", departement="71")
    admin = app.client(app.admin)
    key = str(app.activity.id)
    declared = {
        "geste": "declarer",
        "activite": key,
        "sujet": "size",
        "valeur": "150",
        "mots": "Bilan, page 2",
    }
    assert send(admin, f"{HERE}/2026/contradictions", declared, seen_on=f"{HERE}/2026").status_code == 303
    shown = admin.get(f"{HERE}/2026").text
    assert "Bilan, page 2" in shown
    assert send(admin, f"{HERE}/2026", reviewed()).status_code == 303
    early = send(admin, f"{HERE}/2026/publier", {}, seen_on=f"{HERE}/2026")
    assert early.status_code == 409
    settled = {
        "geste": "trancher",
        "activite": key,
        "sujet": "size",
        "valeur": "150",
        "mots": "Seul chiffre avec une liste.",
    }
    assert send(admin, f"{HERE}/2026/contradictions", settled, seen_on=f"{HERE}/2026").status_code == 303
    with app.unit_of_work(reading=True) as services:
        assert services.activities.get(app.campus, app.activity.id).declared_size == 150
    assert send(admin, f"{HERE}/2026/publier", {}, seen_on=f"{HERE}/2026").status_code == 303
    with app.unit_of_work(reading=True) as services:
        (edition,) = services.report_editions.page(app.campus, Period.civil(2026)).editions
        document = document_of(edition.token)
        assert services.report_editions.check(app.campus, edition.token) == []
    (note,) = document["notes"]
    assert (note["held"], [other["value"] for other in note["others"]]) == ("150", ["120"])
    figures = {each["id"]: each["value"] for each in document["figures"]}
    assert (figures["participations"], figures["actions"]) == (150, 1)
    assert figures["apprenants"] is None, "two people are too few to leave the campus"


@pytest.fixture
def signed(app: App) -> str:
    app.clock.move(days=60)
    with_facts(app, effectif="30", publics="3 chercheurs, 20 lycéens, 7 enseignants", departement="71")
    with app.unit_of_work() as services:
        typed = {number: (f"Texte {number}", True) for number in TEXTS}
        services.report_editions.save(app.campus, Period.civil(2026), typed, ["Une parole."], by=COMMAND)
        return services.report_editions.publish(app.campus, Period.civil(2026), by=COMMAND).token


def test_a_signed_version_is_recomputed_and_a_changed_copy_is_refused(app: App, signed: str):
    with app.unit_of_work(reading=True) as services:
        keys = {each.id: each.key for each in services.signing.published_keys(app.campus)}
        assert verified(signed, keys)["edition"] == 1
        head, body, signature = signed.split(".")
        for wrong in (f"{head}.{body[:-4]}AAAA.{signature}", f"{head}.{body}", "", "a.b.c"):
            with pytest.raises(InvalidInput):
                services.report_editions.check(app.campus, wrong)
        assert services.report_editions.check(app.campus, signed) == []
    with_facts(app, effectif="40")
    with app.unit_of_work(reading=True) as services:
        changed = services.report_editions.check(app.campus, signed)
    assert ("participations Participations", 30, 40) in changed


def test_the_report_is_a_page_a_tagged_pdf_a_workbook_a_text_and_json(app: App, signed: str):
    trainer = app.client(app.trainer)
    files = {
        kind: trainer.get(f"{HERE}/2026/rapport.{kind}?version=1") for kind in ("pdf", "xlsx", "docx", "json")
    }
    assert {answer.status_code for answer in files.values()} == {200}
    assert json.loads(files["json"].content)["token"] == signed
    reader = PdfReader(io.BytesIO(files["pdf"].content))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert "edition.jws" in reader.attachments
    text = re.sub(r"\s+", " ", " ".join(sheet.extract_text() for sheet in reader.pages))
    for each in ("L’année 2026", "Texte 1.3", "Une parole.", "B.6 Gouverner", "masqué"):
        assert each in text, each
    sheets = CalamineWorkbook.from_filelike(io.BytesIO(files["xlsx"].content))
    assert len(sheets.get_sheet_by_name("Annexe B").to_python()) == 52
    written = zipfile.ZipFile(io.BytesIO(files["docx"].content)).read("word/document.xml").decode()
    assert "Texte 6.4" in written
    assert "Atelier" in str(sheets.get_sheet_by_name("Actions").to_python())
    assert trainer.get(f"{HERE}/2026/rapport.pdf?version=9").status_code == 404


def test_hidden_months_are_named_and_have_no_bar():
    document = {
        "period": {"key": "2026", "first": "2026-01-01", "last": "2026-12-31"},
        "campus": {"name": "Campus", "shortName": "C"},
        "log": {"entries": 12},
        "months": [
            {"month": "2026-03", "people": None, "previous": None},
            {"month": "2026-06", "people": 30, "previous": 4},
        ],
        "figures": [
            {"id": each.id, "unit": each.unit.value, "value": 1, "previous": 1} for each in INDICATORS
        ],
        **{key: [] for key in ("lines", "audiences", "departements", "actions", "notes")},
    }
    words = pdf_words(document, 0)
    assert re.sub(r"\s", " ", words["months-words"]) == "mars : masqué; juin : 30"
    assert "Les mois masqués n’ont pas de barre." in words["months-hint"]
    assert "modifiée" not in words["check"]
    assert "jointe" not in words["check"]
    assert "jointe" in pdf_words(document, 2)["check"]


def test_the_page_counts_in_the_singular_and_signs_when_the_year_is_over(app: App):
    admin = app.client(app.admin)
    shown = admin.get(f"{HERE}/2026").text
    assert "La période n’est pas finie." in shown
    assert "Signer cette version" not in shown
    one_left = reviewed()
    one_left.pop("relu-1.3")
    send(admin, f"{HERE}/2026", one_left)
    shown = re.sub(r"\s+", " ", admin.get(f"{HERE}/2026").text)
    assert "1 texte à relire" in shown
    assert "0 contradictions à trancher" in shown or "0 contradiction à trancher" in shown
    early = send(admin, f"{HERE}/2026/publier", {}, seen_on=f"{HERE}/2026")
    assert early.status_code == 409


def test_sentences_that_may_be_quoted_are_suggested(app: App):
    with app.unit_of_work() as services:
        day = app.campus.day_of(services.clock())
        code = services.surveys.open(app.campus, app.activity.id, closes_on=day, by=COMMAND).code
        for phone, words in (("a", "On a vu le robot bouger."), ("b", "Trop court.")):
            services.surveys.answer(code, Answer(4, True, words), phone=phone)
        for one in services.surveys.page(app.campus, app.activity.id).sentences:
            services.surveys.moderate(
                app.campus, app.activity.id, one.id, approved="robot" in one.sentence, by=COMMAND
            )
    shown = app.client(app.trainer).get(f"{HERE}/2026").text
    assert "On a vu le robot bouger." in shown
    assert "Trop court." not in shown


def test_a_campus_that_does_not_lead_reads_a_contradiction_and_settles_nothing(app: App):
    with app.unit_of_work() as services:
        row = Activity(
            kind=ActivityKind.EVENT,
            title="Forum commun",
            starts_on=date(2026, 3, 9),
            ends_on=date(2026, 3, 9),
            declared_size=40,
            created_at=services.clock(),
        )
        services.activity_plans.create(app.other_campus, row, Plan([app.campus.slug]), by=COMMAND)
        services.activity_plans.answer(app.campus, row.id, accepts=True, by=COMMAND)
        services.report_editions.declare(
            app.other_campus, row.id, Declared.SIZE, "1 200", "Bilan", by=COMMAND
        )
    shown = app.client(app.admin).get(f"{HERE}/2026").text
    assert "1\u202f200" in shown
    assert "Retenir ce chiffre" not in shown
    assert 'name="valeur" value="1200"' not in shown
    assert "En attente du campus pilote" in shown
    assert "0 contradiction à trancher" in shown.replace("\xa0", " ")
    settled = {"geste": "trancher", "activite": str(row.id), "sujet": "size", "valeur": "1200", "mots": ""}
    path = f"{HERE}/2026/contradictions"
    assert send(app.client(app.admin), path, settled, seen_on=f"{HERE}/2026").status_code == 403


def test_activities_of_a_large_report_are_found_by_title_or_day(app: App):
    with app.unit_of_work() as services:
        for n in range(60):
            title = "Soudure à l’arc" if n == 7 else f"Atelier {n}"
            day = date(2026, 1, 1 + n % 28)
            workshop = Activity(
                kind=ActivityKind.WORKSHOP, title=title, starts_on=day, ends_on=day, hours=3.0
            )
            services.activities.create(workshop, [app.campus], by=COMMAND)
    trainer = app.client(app.trainer)
    whole = trainer.get(f"{HERE}/2026").text
    assert 'name="cherche"' in whole
    assert 'name="activite"' not in whole
    found = trainer.get(f"{HERE}/2026", params={"cherche": "SOUDURE 8 janv"}).text
    assert found.count("<option") == 1 + len(ABOUT)
    assert re.search(r"Soudure à l’arc \(8\sjanvier\s2026\)", found)
    assert trainer.get(f"{HERE}/2026", params={"cherche": "soudure 08/01/2026"}).text.count(
        "<option"
    ) == found.count("<option")
    many = trainer.get(f"{HERE}/2026", params={"cherche": "atelier"}).text
    assert (many.count("<option"), "Les 50 premières sont montrées" in many) == (50 + len(ABOUT), True)
    none = trainer.get(f"{HERE}/2026", params={"cherche": "céramique"}).text
    assert "Aucune activité de ce rapport" in none
    key = re.findall(r'<option value="([0-9a-f-]{36})"', found)[0]
    form = {
        "geste": "declarer",
        "activite": key,
        "sujet": "size",
        "valeur": "douze",
        "mots": "",
        "cherche": "soudure",
    }
    again = send(trainer, f"{HERE}/2026/contradictions", form, seen_on=f"{HERE}/2026")
    assert (again.status_code, key in again.text) == (422, True)


def test_page_shows_fifty_contradictions_at_most_and_counts_all(app: App, monkeypatch: pytest.MonkeyPatch):
    app.clock.move(days=60)
    real = EditionService.page

    def page(self: EditionService, *given: Any) -> ReportDraftPage:
        claims = (Claim("120", CAMPUS), Claim("150", CAMPUS))
        ids = [uuid.UUID(int=number) for number in range(3_000)]
        settled = ["120" if number < 100 else "" for number in range(3_000)]
        return replace(
            real(self, *given),
            contradictions=[
                Contradiction(id_, "Robotique", Declared.SIZE, claims, "120", held)
                for id_, held in zip(ids, settled, strict=True)
            ],
        )

    monkeypatch.setattr(EditionService, "page", page)
    shown = app.client(app.admin).get(f"{HERE}/2026").text
    assert shown.count('value="trancher"') == 50
    assert "Tranché : " not in shown, "those to be settled come first"
    assert re.search(r"Contradictions montrées\s: 50 sur 3\s000", shown)


def test_refused_figure_comes_back_with_every_fault_at_its_field(app: App):
    admin, path = app.client(app.admin), f"{HERE}/2026/contradictions"
    declared = {"geste": "declarer", "activite": str(app.activity.id), "sujet": "establishments"}
    for wrong in ({"valeur": "beaucoup", "mots": ""}, {"valeur": "", "mots": "x" * 201}):
        answer = send(admin, path, declared | wrong, seen_on=f"{HERE}/2026")
        assert answer.status_code == 422
        assert re.findall(r'<li><a href="#([^"]+)">', answer.text) == ["valeur", "mots"]
        fields = form_with(answer, "geste").fields
        assert {name: fields[name][0] for name in ("sujet", "valeur", "mots")} == wrong | {
            "sujet": "establishments"
        }


def test_contradiction_that_is_badly_settled_comes_back_with_each_fault_at_its_field(app: App):
    with_facts(app, effectif="120", publics="120 lycéens dont 70 femmes", departement="71")
    with app.unit_of_work() as services:
        services.report_editions.declare(
            app.campus, app.activity.id, Declared.SIZE, "150", "Bilan", by=COMMAND
        )
    settled = {
        "geste": "trancher",
        "activite": str(app.activity.id),
        "sujet": "size",
        "mots": "Liste signée.",
    }
    admin = app.client(app.admin)
    for wrong, at in (
        ({}, ["retenir"]),
        ({"mots": "x" * 301}, ["retenir", "pourquoi"]),
        ({"valeur": "150", "mots": "x" * 301}, ["pourquoi"]),
        ({"valeur": "9000000"}, ["retenir"]),
    ):
        sent = settled | wrong
        answer = send(admin, f"{HERE}/2026/contradictions", sent, seen_on=f"{HERE}/2026")
        assert answer.status_code == 422
        assert re.findall(r'<li><a href="#([^"]+)">', answer.text) == at, wrong
        assert f'value="{sent["mots"]}"' in answer.text
