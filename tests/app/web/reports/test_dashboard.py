"""The dashboard of the report: figures with their definition and rows, periods, small cells."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import event

from app.db.reports import counting, counts
from app.domain.activities import Activity, ActivityKind
from app.domain.reports.indicators import BY_ID, INDICATORS, Figure, Unit, hidden_counts, public_value
from app.web.reports import dashboard
from app.web.reports.dashboard import departement_map, departement_shares
from tests.support.app import COMMAND, App

HERE = "/gestion/itip/rapport"


def test_the_map_hides_what_the_table_hides():
    """Two equal numbers: the same one is hidden beside the small one."""
    counts = {"71": 9, "21": 9, "89": 3, "": 40}
    shown = departement_map(counts)
    assert shown is not None
    hidden = {each.place for each in shown.discs if each.count is None}
    assert hidden == {each.name for each in departement_shares(counts) if each.count is None}
    assert "Yonne" in hidden
    assert len(hidden) == 2


def with_facts(app: App, **cells: str) -> None:
    with app.unit_of_work() as services:
        services.report_facts.correct(app.campus, app.activity.id, cells, by=COMMAND)


def test_the_dashboard_shows_figures_of_the_year_and_hides_small_cells(app: App):
    app.record("MARTIN Zoé", "LEROY Ada")
    with_facts(
        app,
        effectif="40",
        publics="3 chercheurs, 20 lycéens dont 8 femmes, 9 enseignants",
        enquete="40 : 1 2 10 12 ; 20 2",
        organisations="Usinages de la Brenne (mobilisée)",
    )
    shown = app.client(app.trainer).get(f"{HERE}?periode=2026")
    assert shown.status_code == 200
    text = shown.text.replace("\u202f", " ").replace("\xa0", " ")
    assert text.count(">masqué<") == 2, "three researchers, and the smallest other audience with them"
    for each in ("22 sur 25", "88 %", "La barre la plus haute : novembre 2026, 40", "Atelier"):
        assert each in text, each
    assert ">3<" not in text
    assert ">9<" not in text


def test_a_report_states_paris_time_where_the_campus_has_another_time_zone(app: App):
    """At 20:00 on 31 December in Papeete, an award already counts for the next year of the report."""
    admin = app.client(app.admin)
    where = [f"/gestion/itip/rapport{end}" for end in ("", "/partenaires")]
    assert not any("heure de Paris" in admin.get(each).text for each in where)
    with app.unit_of_work() as services:
        services.campuses.get("itip").time_zone = "Pacific/Tahiti"
    assert all("heure de Paris" in admin.get(each).text for each in where)


def test_each_figure_opens_its_definition_its_rows_and_where_the_log_stood(app: App):
    app.record("MARTIN Zoé", "LEROY Ada")
    with_facts(app, organisations="Usinages de la Brenne (mobilisée)", etablissements="0710012C Les Tilleuls")
    admin, trainer = app.client(app.admin), app.client(app.trainer)
    for indicator in INDICATORS:
        shown = trainer.get(f"{HERE}/chiffres/{indicator.id}?periode=2026")
        assert shown.status_code == 200, indicator.id
        assert "sur le journal, entrée" in shown.text, indicator.id
    learners = f"{HERE}/chiffres/apprenants?periode=2026"
    assert "MARTIN" not in trainer.get(learners).text.upper()
    assert "MARTIN" in admin.get(learners).text.upper()
    assert app.activity.title in trainer.get(learners).text
    assert "Usinages de la Brenne" in trainer.get(f"{HERE}/chiffres/mobilisees?periode=2026").text
    assert "0710012C" in trainer.get(f"{HERE}/chiffres/etablissements?periode=2026").text
    assert trainer.get(f"{HERE}/chiffres/inconnu").status_code == 404


def test_no_figure_asks_who_else_organises_each_activity(app: App):
    """Only published figures need it, to know what to hide."""
    asked, admin = list[str](), app.client(app.admin)
    app.record("MARTIN Zoé", "LEROY Ada")
    event.listen(app.process.engine, "before_cursor_execute", lambda *result: asked.append(result[2]))
    for page in ("", "/chiffres/apprenants", "/annuel/2026"):
        assert admin.get(f"{HERE}{page}").status_code == 200
        assert asked, page
        assert not [each for each in asked if "ORDER BY activity_campus.position" in each], page
        asked.clear()
    assert admin.get(f"{HERE}/annuel/2026/rapport.json").status_code == 200
    assert [each for each in asked if "ORDER BY activity_campus.position" in each]


def test_figure_shows_its_first_names_and_its_actions_page_by_page(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "PEOPLE_SHOWN", 2)
    monkeypatch.setattr(dashboard, "ROWS_SHOWN", 1)
    app.record("MARTIN Zoé", "LEROY Ada", "ÉVRARD Léo", "ZOLA Max")
    day = app.activity.starts_on
    with app.unit_of_work() as services:
        forge = Activity(kind=ActivityKind.WORKSHOP, title="Visite de la forge", starts_on=day, ends_on=day)
        services.activities.create(forge, [app.campus], by=COMMAND)
    admin, here = app.client(app.admin), f"{HERE}/chiffres/apprenants?periode=2026"
    for few in (1, 5_000):
        monkeypatch.setattr(counting, "FEW_PEOPLE", few)
        shown = admin.get(here).text
        assert shown.index("Évrard") < shown.index("Leroy")
        assert "Martin" not in shown
        assert "Les 2 premiers noms sur 4." in shown
    assert "2 actions" in shown
    pages = [admin.get(f"{here}&debut={start}").text for start in (0, 1)]
    assert sorted(app.activity.title in page for page in pages) == [False, True]
    assert sorted("Visite de la forge" in page for page in pages) == [False, True]


def test_other_dates_and_a_period_that_cannot_be_read(app: App):
    trainer = app.client(app.trainer)
    assert "Aucune action" in trainer.get(f"{HERE}?du=2026-01-01&au=2026-01-31").text
    for wrong in ("periode=hier", "du=2026-02-01&au=2026-01-01", "periode=3000"):
        assert trainer.get(f"{HERE}?{wrong}").status_code == 422, wrong
    table = trainer.get(f"{HERE}/chiffres.csv?periode=2026")
    assert table.status_code == 200
    assert len(table.text.splitlines()) == len(INDICATORS) + 1


def test_a_hidden_cell_takes_a_second_one_with_it():
    assert hidden_counts({"a": 3, "b": 20, "c": 9}) == {"a": None, "b": 20, "c": None}
    assert hidden_counts({"a": 3, "b": 4, "c": 9}) == {"a": None, "b": None, "c": 9}
    assert hidden_counts({"a": 1, "b": 2, "c": 9, "d": 30}) == {"a": None, "b": None, "c": None, "d": 30}
    assert hidden_counts({"a": 0, "b": 20}) == {"a": 0, "b": 20}
    assert hidden_counts({"a": 3}) == {"a": None}


def test_months_name_the_highest_bar_and_the_highest_mark(app: App):
    before = Activity(
        kind=ActivityKind.WORKSHOP,
        title="Grande journée",
        starts_on=app.activity.starts_on.replace(year=2025, month=10),
        ends_on=app.activity.starts_on.replace(year=2025, month=10),
        declared_size=1820,
    )
    with app.unit_of_work() as services:
        services.activities.create(before, [app.campus], by=COMMAND)
    app.record("MARTIN Zoé", "LEROY Ada")
    shown = app.client(app.trainer).get(f"{HERE}?periode=2026").text
    text = shown.replace("\u202f", " ").replace("\xa0", " ")
    assert "La barre la plus haute : novembre 2026, 2." in text
    assert "Le trait le plus haut, un an avant octobre 2026 : 1 820." in text
    labels = re.findall(r'<text class="t"[^>]*>([^<]+)</text>', text.split('id="types"')[0])
    assert labels == ["2", "1 820"], "each is written on what is drawn"
    bar = re.search(r'<rect class="a"[^>]* height="86.0"/>', text.split('id="types"')[0])
    assert bar, "half as high as the picture, though last year’s mark is 910 times as much"


@pytest.mark.parametrize(
    ("now", "before", "most"),
    [((79, 9, None), (1989, 0), 158), ((79,), (90, None), 90), ((0, None), (40,), 40), ((), (), 1)],
)
def test_a_large_month_of_last_year_does_not_flatten_the_bars_of_this_year(now, before, most):
    assert dashboard.scale_of_months(now, before) == most


def test_percentages_of_the_page_are_those_of_the_table(app: App):
    assert dashboard.in_words(BY_ID["attestation"], Figure(62.5, 5, 8)) == "62,5\u202f%"
    assert dashboard.in_words(BY_ID["attestation"], Figure(64.0, 16, 25)) == "64\u202f%"
    assert public_value("x", Unit.PERCENT, Figure(62.5, 5, 8)) == 62.5


def test_definition_of_open_badges_names_its_delay():
    assert "30 derniers jours" in BY_ID["ouverture"].how
    assert "mêmes badges" not in BY_ID["ouverture"].how


SLOW = {
    "fr": "Les chiffres sont recalculés en ce moment",
    "en": "The figures are being counted again",
    "es": "Las cifras se están recalculando",
}
PAGES = ("", "/annuel/2026", "/chiffres/apprenants", "/partenaires", "/partenaires/page?cle=name:ferme")


def test_pages_and_readiness_tell_while_figures_are_recounted(app: App, monkeypatch: pytest.MonkeyPatch):
    app.record("MARTIN Zoé")
    with_facts(app, organisations="Ferme (mobilisée)")
    trainer, reader = app.client(app.trainer), app.client()
    assert all(SLOW["fr"] not in trainer.get(f"{HERE}{page}").text for page in PAGES)
    assert "notes" not in reader.get("/health/ready").json()
    monkeypatch.setattr(counts, "ACTIVITIES_AT_ONCE", 0)
    for page in PAGES:
        for language, sentence in SLOW.items():
            shown = trainer.get(f"{HERE}{page}", headers={"Accept-Language": language})
            assert (shown.status_code, sentence in shown.text) == (200, True), (page, language)
    answer = reader.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    (note,) = answer.json()["notes"]
    assert "chiffres des rapports" in note
