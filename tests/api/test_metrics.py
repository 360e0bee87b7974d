"""The operator's figures: who may read them, and what they say."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from tests.api.doors import open_award, stored
from tests.support.house import House

TOKEN = "k3Wm9vX2pQ7tLz5rB8nC"


def asked(house: House, *, address: str = "127.0.0.1", token: str = "", **settings: Any) -> Any:
    """/metrics of this house under other settings, asked by this address."""
    house.process.settings = house.process.settings.model_copy(update=settings)
    client = TestClient(create_app(process=house.process), client=(address, 50000))
    return client.get("/metrics", headers={"Authorization": f"Bearer {token}"} if token else {})


PRODUCTION = {"base_url": "https://badges.exemple.fr"}


@pytest.mark.parametrize(
    ("asker", "status"),
    [
        ({"address": "127.0.0.1"}, 200),
        ({"address": "::1"}, 200),
        ({"address": "192.0.2.7"}, 404),
        ({"address": "127.0.0.1", **PRODUCTION}, 404),
        ({"address": "127.0.0.1", "metrics_token": TOKEN}, 404),
        ({"address": "192.0.2.7", "metrics_token": TOKEN, "token": TOKEN, **PRODUCTION}, 200),
        ({"address": "192.0.2.7", "metrics_token": TOKEN, "token": TOKEN[:-1], **PRODUCTION}, 404),
        ({"address": "192.0.2.7", "metrics_token": TOKEN, "token": "x" * 20, **PRODUCTION}, 404),
    ],
    ids=[
        "this machine in development",
        "this machine by its newer address",
        "another machine",
        "a proxy beside the server",
        "no token where there is one",
        "the token",
        "most of the token",
        "another token",
    ],
)
def test_only_the_operator_reads_them(house: House, asker: dict[str, Any], status: int) -> None:
    before = house.process.settings
    try:
        assert asked(house, **asker).status_code == status
    finally:
        house.process.settings = before


def figures(house: House) -> dict[str, float]:
    lines = re.findall(r"^(sceau_\S+?(?:\{.*\})?) (\S+)$", asked(house).text, re.MULTILINE)
    return {name: float(value) for name, value in lines}


def test_requests_are_counted_by_the_template_of_their_route(house: House, world: TestClient) -> None:
    name = 'sceau_requests_total{method="GET",route="/campus/{slug}/did.json",status="200"}'
    before = figures(house).get(name, 0)
    assert world.get(f"/campus/{house.campus.slug}/did.json").status_code == 200
    after = figures(house)
    assert after[name] == before + 1
    assert after['sceau_request_seconds_count{route="/campus/{slug}/did.json"}'] >= 1
    assert not any(house.campus.slug in each for each in after)


def test_addresses_that_lead_nowhere_and_invented_methods_are_one_line_each(
    house: House, world: TestClient
) -> None:
    for path in ("/rien/zoe@exemple.fr", "/rien/2"):
        world.get(path)
        world.request("INVENTED", path)
    after = figures(house)
    assert after['sceau_requests_total{method="GET",route="none",status="404"}'] >= 2
    assert after['sceau_requests_total{method="other",route="none",status="404"}'] >= 2
    assert not any("zoe" in each or "INVENTED" in each for each in after)


def test_verdicts_and_ways_to_the_canonical_form_are_counted(house: House, world: TestClient) -> None:
    badge = stored(house, open_award(house), "json")
    valid = 'sceau_verdicts_total{form="data_integrity",verdict="valid"}'
    unread = 'sceau_verdicts_total{form="unread",verdict="undetermined"}'
    altered = badge.replace(b'"name":"', b'"name":"M', 1)
    assert altered != badge
    before = figures(house)
    world.post("/api/v1/verify", content=badge)
    world.post("/api/v1/verify", content=altered)
    world.post("/api/v1/verify", content=b"no badge at all")
    after = figures(house)
    assert after[valid] == before.get(valid, 0) + 1
    assert after[unread] == before.get(unread, 0) + 1
    way = 'sceau_canonical_ways_total{way="%s"}'
    assert after['sceau_requests_total{method="POST",route="/api/v1/verify",status="200"}'] >= 2
    assert after[way % "compiled"] > before[way % "compiled"]
    assert way % "general" in after
