"""The renewal file of a label: when it opens, what fills it, what is missing, and its files."""

from __future__ import annotations

import io
import re
import uuid
import zipfile
from datetime import date, timedelta

import pytest
from pypdf import PdfReader

from app.domain.campus.campus import Label, LabelCategory, Network
from app.domain.reports.editions import TEXTS, document_of
from app.domain.reports.ledger import Period, PeriodKind, period_of
from app.domain.reports.renewal import THEMES, carried, is_due, opens_on, renewal_key, years_of
from app.errors import InvalidInput
from tests.support.app import COMMAND, App, send

HERE = "/gestion/itip/rapport/label"
TODAY = date(2026, 6, 1)


def label_until(ends_on: date | None, starts_on: date | None = date(2024, 4, 1), **more) -> Label:
    return Label(
        issuer="did:web:x", network_id=more.pop("network_id", NETWORK), category=LabelCategory.EXCELLENCE,
        starts_on=starts_on, ends_on=ends_on, **more,
    )  # fmt: skip


NETWORK = uuid.UUID(int=7)


def given(app: App, *, ends_in: int, starts_on: date = date(2024, 4, 1)) -> Label:
    with app.unit_of_work() as services:
        network = services.campuses.create_network(
            Network(slug="region", name="Région des Tilleuls", created_at=app.clock()),
            [app.campus],
            by=COMMAND,
        )
        label = label_until(app.clock().date() + timedelta(days=ends_in), starts_on, network_id=network.id)
        label.issuer = app.campus.did
        services.campuses.campuses.add(label)
    return label


def test_a_file_opens_twelve_months_before_the_end_and_stays_open_until_another_label_follows() -> None:
    due = label_until(date(2027, 5, 31))
    assert is_due(due, [due], on=TODAY)
    assert not is_due(label_until(date(2027, 6, 2)), [], on=TODAY)
    assert is_due(label_until(date(2025, 4, 1)), [], on=TODAY)
    assert not is_due(label_until(None), [], on=TODAY)
    follows = label_until(date(2032, 5, 31), date(2027, 6, 1))
    assert not is_due(due, [due, follows], on=TODAY)
    assert is_due(
        due, [label_until(date(2032, 5, 31), date(2027, 6, 1), network_id=uuid.UUID(int=8))], on=TODAY
    )
    assert opens_on(label_until(date(2028, 2, 29))) == date(2027, 2, 28)


def test_years_run_from_the_label_to_today_five_at_most() -> None:
    assert [each.key for each in years_of(label_until(date(2027, 1, 1)), PeriodKind.CIVIL, on=TODAY)] == [
        "2024", "2025", "2026",
    ]  # fmt: skip
    old = label_until(date(2027, 1, 1), date(2015, 1, 1))
    assert [each.key for each in years_of(old, PeriodKind.SCHOOL, on=TODAY)][::4] == [
        "2021-2022",
        "2025-2026",
    ]
    assert len(years_of(label_until(date(2027, 1, 1), None), PeriodKind.CIVIL, on=TODAY)) == 3


def test_the_draft_of_a_file_is_never_that_of_a_report() -> None:
    key = renewal_key(uuid.uuid4())
    assert len(key) <= 21
    with pytest.raises(InvalidInput):
        period_of(key)


def test_every_carried_text_of_the_report_has_one_theme() -> None:
    assert sorted(number for theme in THEMES for number in theme.texts) == sorted(TEXTS)


def test_a_single_text_is_carried_as_it_is_and_several_with_their_names() -> None:
    theme = next(each for each in THEMES if each.id == "enjeux")
    lines = {"1.3": ("Problématiques", "Peu de soudeurs."), "1.6": ("Mutations", " ")}
    assert carried(theme, lines, "2025").text == "Peu de soudeurs."
    both = carried(theme, lines | {"1.6": ("Mutations", "La robotique.")}, "2025")
    assert (
        both.text
        == "Problématiques\N{NO-BREAK SPACE}: Peu de soudeurs.\n\nMutations\N{NO-BREAK SPACE}: La robotique."
    )
    assert both.carried == "2025"
    assert not carried(theme, {}, "2025").carried


def plain(html: str) -> str:
    return html.replace("\u00a0", " ").replace("\u202f", " ")


def signed(app: App, year: int) -> dict:
    director = app.client(app.admin)
    texts = {f"texte-{number}": f"Texte {number} signé." for number in TEXTS}
    texts |= {f"relu-{number}": "oui" for number in TEXTS}
    assert send(director, f"/gestion/itip/rapport/annuel/{year}", texts).status_code == 303
    assert (
        send(director, f"/gestion/itip/rapport/annuel/{year}/publier").headers["location"].endswith("publie")
    )
    with app.unit_of_work() as services:
        return document_of(services.report_editions.edition(app.campus, Period.civil(year), 1).token)


def test_figures_are_those_of_the_signed_report_and_texts_are_carried_and_edited(app: App) -> None:
    year = app.clock().year - 1
    label = given(app, ends_in=200, starts_on=date(year, 1, 1))
    document = signed(app, year)
    director = app.client(app.admin)
    shown = plain(director.get(f"{HERE}/{label.id}").text)
    assert f"Repris du rapport {year}" in shown
    assert "Texte 1.3 signé." in shown
    assert "Texte à relire : Réseau et gouvernance." in shown
    assert "Texte à écrire : Moyens et budget." in shown
    assert f"Le rapport {year} n’est pas signé." not in shown
    with app.unit_of_work() as services:
        page = services.report_renewals.page(app.campus, label.id)
    assert [each.edition for each in page.years] == [1, 0]
    assert page.years[0].document == document
    sent = {"texte-moyens": "Deux postes.", "relu-moyens": "oui"}
    assert send(director, f"{HERE}/{label.id}", sent).status_code == 303
    again = plain(director.get(f"{HERE}/{label.id}").text)
    assert "Deux postes." in again
    assert "Texte à écrire : Moyens et budget." not in again
    assert "Texte à écrire : Résultats et satisfaction." in again
    assert "Texte 1.3 signé." in again
    too_long = send(director, f"{HERE}/{label.id}", {"texte-moyens": "a" * 8001})
    assert too_long.status_code == 422
    assert "a" * 8001 in too_long.text
    assert re.findall(r'id="([^"]+)-erreur"', too_long.text) == ["texte-moyens"]
    assert 'aria-describedby="texte-moyens-aide texte-moyens-erreur"' in too_long.text


def test_missing_items_link_to_where_they_are_completed(app: App) -> None:
    year = app.clock().year - 1
    label = given(app, ends_in=200, starts_on=date(year, 1, 1))
    shown = plain(app.client(app.admin).get(f"{HERE}/{label.id}").text)
    assert re.search(
        rf'<a href="/gestion/itip/rapport/annuel/{year}">Le rapport {year} n’est pas signé', shown
    )
    assert "Aucun établissement n’est noté" in shown
    assert "Aucune organisation n’est notée" in shown


def test_a_small_count_stays_hidden_in_the_file(app: App) -> None:
    year = app.activity.starts_on.year
    label = given(app, ends_in=200, starts_on=date(year, 1, 1))
    app.record("Zoé Martin", "Ali Benali")
    with app.unit_of_work() as services:
        cells = {"organisations": "Usinages de la Brenne [usinages.exemple.fr] (mobilisée, entreprise)"}
        services.report_facts.correct(app.campus, app.activity.id, cells, by=COMMAND)
        page = services.report_renewals.page(app.campus, label.id)
        known = {each["id"]: each["value"] for each in page.years[0].document["figures"]}
        same = services.report_editions.page(app.campus, Period.civil(year))
        report = services.report_editions.document(app.campus, same)
    assert known == {each["id"]: each["value"] for each in report["figures"]}
    assert known["apprenants"] is None
    text = app.client(app.admin).get(f"{HERE}/{label.id}").text
    assert "Usinages de la Brenne (1)" in text
    assert "Martin" not in text


def test_the_file_is_a_tagged_pdf_and_a_docx_document(app: App) -> None:
    label = given(app, ends_in=200)
    director = app.client(app.admin)
    send(
        director,
        f"{HERE}/{label.id}",
        {"texte-projet": "Ouvrir un plateau <hydrogène>.", "relu-projet": "oui"},
    )
    pdf = director.get(f"{HERE}/{label.id}/dossier.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.headers["cache-control"] == "no-store"
    paper = PdfReader(io.BytesIO(pdf.content))
    assert paper.trailer["/Root"]["/Lang"].startswith("fr")
    assert paper.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert "StructTreeRoot" in str(paper.trailer["/Root"].keys())
    assert [round(float(side)) for side in paper.pages[0].mediabox[2:]] == [595, 842]
    text = " ".join(each.extract_text() for each in paper.pages)
    for words in (
        "Renouveler le label",
        "Région des Tilleuls",
        "Ouvrir un plateau",
        "Texte à écrire",
        app.activity.title,
    ):
        assert words in text
    word = director.get(f"{HERE}/{label.id}/dossier.docx")
    body = zipfile.ZipFile(io.BytesIO(word.content)).read("word/document.xml").decode()
    assert "Ouvrir un plateau &lt;hydrogène&gt;." in body
    assert body.count('w:val="Heading2"') == len(THEMES) + 2


def test_the_dashboard_proposes_the_file_to_those_who_manage_the_campus(app: App) -> None:
    label = given(app, ends_in=200)
    href = f"{HERE}/{label.id}"
    assert href in app.client(app.admin).get("/gestion/itip/rapport").text
    assert href in app.client(app.admin).get(HERE).text
    assert href not in app.client(app.trainer).get("/gestion/itip/rapport").text
    assert app.client(app.trainer).get(href).status_code == 403


def test_a_label_far_from_its_end_shows_when_its_file_opens(app: App) -> None:
    label = given(app, ends_in=500)
    director = app.client(app.admin)
    assert "Le dossier s’ouvre le" in director.get(HERE).text
    assert director.get(f"{HERE}/{label.id}").status_code == 404
    assert send(director, f"{HERE}/{label.id}", {"texte-projet": "a"}).status_code == 404
