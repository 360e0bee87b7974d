"""Search engines: excluded from all personal pages, and listed in the sitemap only once the person agrees."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from tests.support.app import BASE_URL, App, send


@pytest.fixture
def result(app: App):
    return app.award("Zoé N’Diaye; zoe@exemple.fr")


@pytest.fixture
def zoe(app: App, result) -> TestClient:
    client = app.client()
    client.get(app.private_link(result))
    return client


def mine(result) -> str:
    return f"/mes-badges/{result.lines[0].award_id}"


def public(result) -> str:
    return f"/attributions/{result.lines[0].award_id}"


def choose(client: TestClient, result, **wishes: str) -> None:
    for path, field in (("visibilite", "vue"), ("recherche", "recherche")):
        if path in wishes:
            answer = send(client, f"{mine(result)}/{path}", {field: wishes[path]}, seen_on=mine(result))
            assert answer.status_code == 303


def test_an_open_badge_is_found_only_once_its_holder_wants_it(app: App, zoe: TestClient, result):
    choose(zoe, result, visibilite="ouvert")
    employer = app.client()
    shut = employer.get(public(result))
    assert "noindex" in shut.headers["x-robots-tag"]
    assert public(result) not in employer.get("/sitemap.xml").text
    choose(zoe, result, recherche="oui")
    found = employer.get(public(result))
    assert "x-robots-tag" not in found.headers
    assert "noindex" not in found.text
    assert f"<loc>{BASE_URL}{public(result)}</loc>" in employer.get("/sitemap.xml").text


@pytest.mark.parametrize("last", [{"visibilite": "ferme"}, {"recherche": "non"}])
def test_a_changed_choice_applies_at_once(app: App, zoe: TestClient, result, last: dict[str, str]):
    choose(zoe, result, visibilite="ouvert", recherche="oui")
    choose(zoe, result, **last)
    employer = app.client()
    assert public(result) not in employer.get("/sitemap.xml").text
    assert "noindex" in employer.get(public(result)).headers["x-robots-tag"]


def test_a_portfolio_is_in_the_sitemap_while_it_is_open_and_indexable(app: App, result):
    with app.unit_of_work() as services:
        services.awards.set_visibility(result.lines[0].award_id, Visibility.OPEN, by=Actor.command("tests"))
        person = services.awards.record(result.lines[0].award_id).person
        portfolio = services.portfolios.start(person, [result.lines[0].award_id])
        portfolio.is_findable = True
    address = f"<loc>{BASE_URL}/portfolio/{portfolio.id}</loc>"
    assert address not in app.client().get("/sitemap.xml").text
    with app.unit_of_work() as services:
        services.portfolios.set_open(services.portfolios.get(portfolio.id), True)
    assert address in app.client().get("/sitemap.xml").text


def test_robots_txt_names_the_sitemap_and_allows_pages_marked_noindex(app: App):
    answered = app.client().get("/robots.txt").text
    assert f"Sitemap: {BASE_URL}/sitemap.xml" in answered
    assert "Disallow: /mes-badges" in answered
    assert "/attributions" not in answered
