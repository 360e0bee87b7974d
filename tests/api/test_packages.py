"""A package to verify an award without a network, from its page and from its holder's."""

from __future__ import annotations

from fastapi.testclient import TestClient

from app.credentials import Verdict, verify
from app.credentials.package import open_package
from tests.api.doors import closed_award, open_award, stored
from tests.support.house import House


def test_the_package_of_an_open_award_verifies_on_its_own(house: House, world: TestClient):
    award_id = open_award(house)
    answer = world.get(f"/attributions/{award_id}.zip")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    package = open_package(answer.content)
    assert package.badge == stored(house, award_id, "json")
    report = verify(package.badge, documents=package.documents, at=package.made_at)
    assert report.verdict is Verdict.VALID


def test_a_closed_award_gives_no_package(house: House, world: TestClient):
    assert world.get(f"/attributions/{closed_award(house)}.zip").status_code == 403
