"""Campuses and badge definitions for people, at the URLs where programs find documents."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from app.container import Process
from app.domain.badges import BadgeKind
from app.domain.campus.campus import LabelCategory
from app.main import create_app
from app.services.badges import Wording
from tests.app.web.publishing.test_award_page import award
from tests.support.app import COMMAND, App
from tests.support.content.networks import label, network_of


@pytest.fixture
def reader(app: App) -> TestClient:
    return app.client()


@pytest.fixture
def competency_badge(app: App):
    with app.unit_of_work() as services:
        framework = services.competencies.framework(
            app.campus, code="vrai", name="Apprendre au VRAI", by=COMMAND
        )
        competency = services.competencies.create(
            app.campus,
            framework,
            code="VRAI-2",
            statement="Programmer un robot",
            levels=["accompagné", "autonome"],
            by=COMMAND,
        )
        wording = Wording(
            BadgeKind.COMPETENCY,
            "Programmer un robot",
            "La personne programme un robot.",
            "Elle programme un bras.\n\n**Comment c’est jugé.** Un essai complet est observé. Tout doit être tenu.",
            validity_days=730,
            competencies=[(competency.id, 2)],
        )
        return services.badges.create(app.campus, wording, slug="robot", by=COMMAND)


def test_a_definition_without_holders_is_not_published(reader: TestClient, competency_badge):
    assert reader.get(f"/badges/{competency_badge.badge.id}").status_code == 404


def test_a_definition_states_its_requirements_and_its_assessment(
    app: App, reader: TestClient, competency_badge
):
    app.award("Zoé N’Diaye; zoe@exemple.fr", badge=competency_badge, evidence="A tenu la grille.")
    page = reader.get(f"/badges/{competency_badge.badge.id}").text
    assert "Un essai complet est observé. Tout doit être tenu." in page
    assert "Badge de compétence, niveau" in page
    assert "autonome" in page
    assert "2 ans" in page
    assert "La plus récente" in page


def test_an_alignment_leads_to_the_competency_on_the_campus_s_page(
    app: App, reader: TestClient, competency_badge
):
    app.award("Zoé N’Diaye; zoe@exemple.fr", badge=competency_badge, evidence="A tenu la grille.")
    definition = reader.get(
        f"/badges/{competency_badge.badge.id}/v1", headers={"accept": "application/json"}
    ).json()
    (alignment,) = definition["alignment"]
    shown = reader.get(alignment["targetUrl"])
    assert (shown.status_code, alignment["targetName"] in shown.text) == (200, True)


def test_a_replaced_version_stays_public_with_a_notice(app: App, reader: TestClient):
    app.award("Zoé N’Diaye; zoe@exemple.fr")
    wording = Wording(
        BadgeKind.PARTICIPATION, "Robotique pour tous", "Mieux dit.", "La personne a pris part, longtemps."
    )
    with app.unit_of_work() as services:
        badge = services.badges.revise(app.campus, app.presence.badge.id, wording, by=COMMAND)
    base = f"/badges/{badge.badge.id}"
    assert "Cette définition a été remplacée" not in reader.get(f"{base}/v1").text, "a draft replaces nothing"
    assert reader.get(f"{base}/v2").status_code == 404
    app.award("Léo Martin; leo@exemple.fr", badge=badge)
    assert "Cette définition a été remplacée" in reader.get(f"{base}/v1").text
    assert "Mieux dit." in reader.get(base).text


def test_page_and_document_share_one_address(app: App, reader: TestClient):
    app.award("Zoé N’Diaye; zoe@exemple.fr")
    for path in (
        f"/badges/{app.presence.badge.id}",
        f"/badges/{app.presence.badge.id}/v1",
        "/campus/itip",
    ):
        page, document = reader.get(path), reader.get(path, headers={"accept": "application/ld+json"})
        assert page.headers["content-type"].startswith("text/html")
        assert document.headers["content-type"].startswith("application/ld+json")


def test_what_a_campus_wrote_names_its_language_for_readers_of_another_one(app: App, reader: TestClient):
    english = {"accept-language": "en"}
    with app.unit_of_work() as services:
        campus = services.campuses.get("itip")
        described = campus.description = "Un lieu où l’on apprend en faisant."
    campus_page = reader.get("/campus/itip", headers=english).text
    award_page = reader.get(f"/attributions/{award(app)}", headers=english).text
    for page in (campus_page, award_page):
        assert '<html lang="en"' in page
        assert re.search(rf'<p[^>]* lang="fr">{described}</p>', page)


def test_a_campus_shows_its_label_with_dates_its_networks_badges_and_keys(app: App, reader: TestClient):
    app.award("Zoé N’Diaye; zoe@exemple.fr")
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
        day = app.clock().date()
        label(services, network, app.campus, day.replace(year=2022), day.replace(year=2025))
        key = next(key for key, owner in services.campuses.keys() if owner.slug == "itip")  # noqa: SIM118
    page = reader.get("/campus/itip").text
    for said in (
        "Label d’excellence",
        "2022",
        "2025",
        "Terminé",
        "Réseau BFC",
        "Robotique pour tous",
        "En service",
    ):
        assert said in page
    assert key.method_id.partition("#")[2] in page
    assert "VRAIE semaine apprenante" not in page, "a definition without holders is not shown"


def test_a_campus_that_is_not_there_is_not_found(reader: TestClient):
    assert reader.get("/campus/nulle-part").status_code == 404


def test_the_first_page_shows_an_example_only_where_all_pages_are_public(app: App, reader: TestClient):
    """Learners open a page to people they give the link to; the first page of a real service does not list it."""
    address = f"/attributions/{award(app)}"
    assert address in reader.get("/").text
    local = app.process.settings
    settings = local.model_copy(
        update={
            "base_url": "https://badges.exemple.fr",
            "secret": "s" * 40,
            "kek": f"file:{local.development_dir}/kek",
        }
    )
    with TestClient(
        create_app(process=Process(settings, clock=app.clock)), base_url=settings.base_url
    ) as world:
        assert address not in world.get("/", headers={"accept": "text/html"}).text


@pytest.mark.parametrize(
    ("starts", "ends", "words"),
    [
        (-400, 400, "En cours"),
        (-400, -1, "Terminé"),
        (10, 400, "À venir"),
        (-400, None, "Date de fin non publiée"),
        (None, None, "Date de fin non publiée"),
    ],
)
def test_a_label_is_in_force_only_between_two_known_dates(
    app: App, reader: TestClient, starts: int | None, ends: int | None, words: str
):
    today = app.clock().date()
    first, last = (None if days is None else today + timedelta(days=days) for days in (starts, ends))
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
        label(services, network, app.campus, first, last, LabelCategory.STANDARD)
    campus, badge = reader.get("/campus/itip").text, reader.get(f"/attributions/{award(app)}").text
    assert words in campus
    assert (f"({words.lower()})" in badge) == (words != "En cours")
