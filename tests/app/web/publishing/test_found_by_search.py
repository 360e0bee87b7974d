"""Search engines: kept out of everything personal until the person lets them in, and shown the way only then."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from tests.support.house import BASE_URL, House, send


@pytest.fixture
def result(house: House):
    return house.award("Zoé N’Diaye; zoe@exemple.fr")


@pytest.fixture
def zoe(house: House, result) -> TestClient:
    client = house.client()
    client.get(house.private_link(result))
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


def test_an_open_badge_is_found_only_once_its_holder_wants_it(house: House, zoe: TestClient, result):
    choose(zoe, result, visibilite="ouvert")
    employer = house.client()
    shut = employer.get(public(result))
    assert "noindex" in shut.headers["x-robots-tag"]
    assert public(result) not in employer.get("/sitemap.xml").text
    choose(zoe, result, recherche="oui")
    found = employer.get(public(result))
    assert "x-robots-tag" not in found.headers
    assert "noindex" not in found.text
    assert f"<loc>{BASE_URL}{public(result)}</loc>" in employer.get("/sitemap.xml").text


@pytest.mark.parametrize("last", [{"visibilite": "ferme"}, {"recherche": "non"}])
def test_a_change_of_mind_holds_at_once(house: House, zoe: TestClient, result, last: dict[str, str]):
    choose(zoe, result, visibilite="ouvert", recherche="oui")
    choose(zoe, result, **last)
    employer = house.client()
    assert public(result) not in employer.get("/sitemap.xml").text
    assert "noindex" in employer.get(public(result)).headers["x-robots-tag"]


def test_a_portfolio_is_on_the_map_while_it_is_open_and_wants_to_be_found(house: House, result):
    with house.unit_of_work() as services:
        services.awards.set_visibility(result.lines[0].award_id, Visibility.OPEN, by=Actor.command("tests"))
        person = services.awards.record(result.lines[0].award_id).person
        portfolio = services.portfolios.start(person, [result.lines[0].award_id])
        portfolio.is_findable = True
    address = f"<loc>{BASE_URL}/portfolio/{portfolio.id}</loc>"
    assert address not in house.client().get("/sitemap.xml").text
    with house.unit_of_work() as services:
        services.portfolios.set_open(services.portfolios.get(portfolio.id), True)
    assert address in house.client().get("/sitemap.xml").text


def test_robots_are_told_where_the_map_is_and_may_read_what_says_noindex(house: House):
    answered = house.client().get("/robots.txt").text
    assert f"Sitemap: {BASE_URL}/sitemap.xml" in answered
    assert "Disallow: /mes-badges" in answered
    assert "/attributions" not in answered
