"""Link previews of public pages: titles, a drawn picture at a content-addressed URL, and schema.org."""

from __future__ import annotations

import json
import re
import struct
from datetime import date

import pytest
from fastapi.testclient import TestClient
from lxml import html

from app.domain.activities import Activity, ActivityKind, Plan
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import CampusSettings
from app.http.pages.render import environment
from tests.support.app import BASE_URL, COMMAND, App

_JSON = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.S)
_PICTURE = re.compile(r'<meta property="og:image" content="([^"]+)"')


@pytest.fixture
def pages(app: App) -> dict[str, str]:
    """Addresses of public pages by the schema.org type expected on them."""
    app.award("Zoé N’Diaye; zoe@exemple.fr")
    by = Actor(app.trainer.id)
    with app.unit_of_work() as services:
        found = {}
        for kind, expected in ((ActivityKind.WORKSHOP, "Course"), (ActivityKind.EVENT, "Event")):
            row = Activity(
                kind=kind,
                title="Soudure ouverte à tous",
                starts_on=date(2026, 12, 3),
                ends_on=date(2026, 12, 3),
                place="Le Creusot",
                created_at=app.clock(),
            )
            activity = services.activity_plans.create(
                app.campus, row, Plan(badges=[app.presence.badge.id]), by=by
            )
            services.catalogue.announce(app.campus, activity, enrolment="", by=by)
            found[expected] = f"/activites/{activity.id}"
        framework = services.competencies.framework(
            app.campus, code="vrai", name="Apprendre au VRAI", description="", by=by
        )
        competency = services.competencies.create(
            app.campus, framework, code="V-1", statement="Programmer un robot", levels=[], by=by
        )
        services.catalogue.refresh(app.campus.id)
    return found | {
        "EducationalOccupationalCredential": f"/badges/{app.presence.badge.id}",
        "DefinedTerm": f"/competences/{competency.id}",
        "EducationalOrganization": "/campus/itip",
        "WebSite": "/",
    }


def data_of(page: str) -> dict:
    found = _JSON.search(page)
    assert found
    return json.loads(found[1])


def test_public_pages_have_a_title_a_picture_and_their_type(app: App, pages: dict[str, str]):
    visitor = app.client()
    seen = {}
    for kind, path in pages.items():
        page = visitor.get(path).text
        assert data_of(page)["@type"] == kind
        assert page.count('rel="canonical"') == 1
        assert 'name="twitter:card" content="summary_large_image"' in page
        picture = _PICTURE.search(page)
        assert picture
        assert picture[1].startswith(f"{BASE_URL}/cartes/")
        assert "Diaye" not in page
        seen[kind] = picture[1].removeprefix(BASE_URL)
    assert len({*seen.values()}) == len(seen) - (seen["Course"] == seen["Event"])
    for kind in ("EducationalOccupationalCredential", "EducationalOrganization"):
        answer = visitor.get(seen[kind])
        assert answer.headers["content-type"] == "image/png"
        assert struct.unpack(">II", answer.content[16:24]) == (1200, 630)
        assert "immutable" in answer.headers["cache-control"]


def test_an_older_picture_leads_to_the_one_of_today(app: App, pages: dict[str, str]):
    visitor = app.client()
    before = picture_of(visitor, "/campus/itip")
    with app.unit_of_work() as services:
        settings = CampusSettings.of(services.campuses.get("itip"))
        services.campuses.change_settings(
            "itip", CampusSettings(**{**vars(settings), "hue": 20.0}), by=COMMAND
        )
    after = picture_of(visitor, "/campus/itip")
    assert before != after
    answer = visitor.get(before)
    assert answer.status_code == 303
    assert answer.headers["location"] == after


def picture_of(visitor: TestClient, path: str) -> str:
    found = _PICTURE.search(visitor.get(path).text)
    assert found
    return found[1].removeprefix(BASE_URL)


@pytest.mark.parametrize(
    "path", ["fiche/nulle-part", "fiche/00000000-0000-0000-0000-000000000000", "award/x", "reseau/x"]
)
def test_there_is_no_picture_of_anything_else(app: App, path: str):
    assert app.client().get(f"/cartes/{path}/0.png").status_code == 404


def test_no_text_ends_the_script_element():
    written = (
        environment()
        .from_string("<script>{{ data|tojson }}</script>")
        .render(data={"name": "</script><script>alert(1)</script><!--"})
    )
    assert written.count("</script>") == 1
    assert "<!--" not in written


@pytest.mark.parametrize(
    "path", ["/verifier", "/aide", "/lire-un-badge", "/accessibilite", "/campus/itip/journal"]
)
def test_a_public_page_about_nothing_in_particular_has_a_preview_too(app: App, path: str) -> None:
    client = app.client()
    page = html.fromstring(client.get(path).text)

    def of(name: str) -> str:
        (found,) = page.xpath(f"//meta[@property='{name}' or @name='{name}']/@content")
        return str(found)

    assert of("og:title") == page.findtext(".//title").removesuffix(" – Sceau")
    assert (of("og:url"), of("twitter:card")) == (f"{BASE_URL}{path}", "summary_large_image")
    assert of("og:description") == of("description")
    assert client.get(of("og:image").removeprefix(BASE_URL)).headers["content-type"] == "image/png"
    (data,) = page.xpath("//script[@type='application/ld+json']/text()")
    assert json.loads(data)["publisher"]["@type"] == "Organization"


@pytest.mark.parametrize(
    "path", ["/mes-badges", "/connexion", "/presence", "/verifier/demander", "/n-existe-pas"]
)
def test_pages_for_one_person_and_errors_have_no_preview(app: App, path: str) -> None:
    assert "og:title" not in app.client().get(path).text
    assert "og:title" not in app.client(app.admin).get("/gestion/itip").text
