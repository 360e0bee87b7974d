"""What other sites show of an award: opened and closed with its page, and no name that the page does not show."""

from __future__ import annotations

import json
import re
import struct
from html import unescape

import pytest
from fastapi.testclient import TestClient

from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from tests.support.app import BASE_URL, App

HOLDER = "N’DIAYE;Zoé;zoe@exemple.fr"


def set_visibility(app: App, award_id, wanted: Visibility) -> None:
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, wanted, by=Actor.command("tests"))


@pytest.fixture
def award_id(app: App):
    award_id = app.award(HOLDER).lines[0].award_id
    set_visibility(app, award_id, Visibility.OPEN)
    return award_id


@pytest.fixture
def stranger(app: App) -> TestClient:
    return app.client()


def paths(award_id) -> dict[str, str]:
    page = f"/attributions/{award_id}"
    return {
        "page": page,
        "card": f"{page}/carte.png",
        "frame": f"{page}/integrer",
        "code": f"{page}/code.svg",
        "oembed": f"/oembed?url={BASE_URL}{page}",
        "picture": f"{page}.png",
        "drawing": f"{page}.svg",
        "json": f"{page}.json",
        "token": f"{page}.jwt",
        "package": f"{page}.zip",
        "older": f"/ob2/attributions/{award_id}",
    }


def test_the_card_has_the_size_that_sites_expect(stranger: TestClient, award_id):
    card = stranger.get(paths(award_id)["card"])
    assert card.headers["content-type"] == "image/png"
    assert struct.unpack(">II", card.content[16:24]) == (1200, 630)


def test_the_page_names_its_card_and_its_oembed(stranger: TestClient, award_id):
    page = stranger.get(paths(award_id)["page"]).text
    assert f'property="og:image" content="{BASE_URL}{paths(award_id)["card"]}"' in page
    link = unescape(re.search(r'type="application/json\+oembed" href="([^"]+)"', page)[1])
    answer = stranger.get(link.removeprefix(BASE_URL)).json()
    assert (answer["version"], answer["type"]) == ("1.0", "rich")
    assert answer["thumbnail_url"].endswith("/carte.png")
    assert f'src="{BASE_URL}{paths(award_id)["frame"]}"' in answer["html"]
    assert "<script" not in answer["html"]


def test_structured_data_describe_the_badge_without_a_name(stranger: TestClient, app: App, award_id):
    page = stranger.get(paths(award_id)["page"]).text
    result = json.loads(re.search(r'<script type="application/ld\+json">(.+?)</script>', page)[1])
    assert result["@type"] == "EducationalOccupationalCredential"
    assert result["name"] == app.presence.version.name
    assert "Diaye" not in json.dumps(result, ensure_ascii=False)


def test_only_the_frame_may_be_framed_and_it_holds_no_form(stranger: TestClient, award_id):
    frame, page = (stranger.get(paths(award_id)[name]) for name in ("frame", "page"))
    assert "frame-ancestors *" in frame.headers["content-security-policy"]
    assert "x-frame-options" not in frame.headers
    assert "<form" not in frame.text
    assert "Authentique" in frame.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"


def test_the_page_shows_a_code_that_leads_to_it(app: App, stranger: TestClient, award_id):
    page = stranger.get(paths(award_id)["page"]).text
    assert f'src="{paths(award_id)["code"]}"' in page
    code = stranger.get(paths(award_id)["code"])
    assert code.headers["content-type"] == "image/svg+xml"
    with app.unit_of_work(reading=True) as services:
        assert services.addresses.short_in_print(award_id) in page


def test_the_frame_shows_the_holder_and_where_it_was_verified(app: App, stranger: TestClient, award_id):
    frame = stranger.get(paths(award_id)["frame"]).text
    assert "Zoé N’Diaye" in unescape(frame)
    assert "Vérifié sur localhost:8000" in frame
    assert f'href="{BASE_URL}{paths(award_id)["page"]}"' in frame


def test_closing_the_page_closes_everything_that_shows_the_award(stranger: TestClient, app: App, award_id):
    for path in paths(award_id).values():
        assert stranger.get(path).status_code == 200, path
    set_visibility(app, award_id, Visibility.CLOSED)
    for path in paths(award_id).values():
        answer = stranger.get(path)
        assert answer.status_code == 403, path
        assert "Diaye" not in answer.text


@pytest.mark.parametrize("url", ["", "https://ailleurs.example/x", f"{BASE_URL}/campus/itip"])
def test_oembed_knows_awards_alone(stranger: TestClient, url: str):
    assert stranger.get("/oembed", params={"url": url}).status_code == 404


def test_the_verifier_form_is_embedded_on_other_sites_without_a_script_and_answers_here(stranger: TestClient):
    frame = stranger.get("/verifier/integrer")
    assert "frame-ancestors *" in frame.headers["content-security-policy"]
    assert "<script" not in frame.text
    assert 'action="/verifier" target="_blank"' in frame.text
    result = unescape(stranger.get("/aide").text)
    assert f'<iframe src="{BASE_URL}/verifier/integrer"' in result
    script = re.search(rf'<script src="{BASE_URL}(/static/[^"]+)"', result)[1]
    assert stranger.get(script).headers["content-type"].startswith("text/javascript")
