"""A package to verify an award without a network, from its page and from its holder's."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from app.services.trust.network_register import Named
from sceau_credentials import Verdict, verify
from sceau_credentials.package import make_package, open_package
from sceau_credentials.transparency_log.notes import WitnessKey
from tests.app.api.clients import closed_award, open_award, stored
from tests.sceau_credentials.package.test_package_anchors import witnessed_package
from tests.support.app import COMMAND, App
from tests.support.badges.credentials import DID, LIST_URL, NOON, Campus, badge_document
from tests.support.content.networks import network_of


def test_the_package_of_an_open_award_verifies_on_its_own(app: App, world: TestClient):
    award_id = open_award(app)
    answer = world.get(f"/attributions/{award_id}.zip")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    package = open_package(answer.content)
    assert package.badge == stored(app, award_id, "json")
    report = verify(package.badge, documents=package.documents, at=package.made_at)
    assert report.verdict is Verdict.VALID


def test_a_closed_award_gives_no_package(app: App, world: TestClient):
    assert world.get(f"/attributions/{closed_award(app)}.zip").status_code == 403


@pytest.mark.parametrize("way", ["file", "body"])
def test_a_package_of_our_own_badge_verifies_fully_here(app: App, world: TestClient, way: str):
    body = world.get(f"/attributions/{open_award(app)}.zip").content
    sent = {"files": {"file": ("paquet.zip", body)}} if way == "file" else {"content": body}
    result = world.post("/api/v1/verify", **sent).json()
    assert (result["verdict"], result["issuer"]) == ("valid", app.campus.did)
    assert result["evidence"]["outcome"] == "proved"


def test_a_package_that_a_stranger_made_is_undetermined_here(world: TestClient):
    """Their key document is only in the package."""
    stranger = Campus()
    body = make_package(stranger.issue().embedded, documents=stranger.documents(), at=NOON)
    result = world.post("/api/v1/verify", content=body).json()
    assert (result["verdict"], result["document"]) == ("undetermined", None)


def test_a_package_of_an_issuer_on_a_list_verifies_when_its_site_is_gone(app: App, world: TestClient):
    """The list pins the key; the package contains the rest, as of the day it was made."""
    stranger, at = Campus(), app.clock()
    listed = stranger.documents().with_({LIST_URL: stranger.status_list(at=at)})
    body = make_package(stranger.issue().embedded, documents=listed, at=at)
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
        entry = Named(DID, "Industrie au registre", keys=(stranger.key.public.thumbprint(),))
        services.register.write(network, entry, by=COMMAND)
    result = world.post("/api/v1/verify", content=body).json()
    assert (result["verdict"], result["issuer_standing"]["kind"]) == ("valid", "recognised")
    assert result["packed_at"] == at.isoformat().replace("+00:00", "Z")


def test_a_package_confirmed_by_a_known_witness_verifies_when_its_site_is_gone(app: App, world: TestClient):
    """A witness named by a campus of this service saw the award in the log of another issuer, with its key."""
    issuer, at, witness = Campus(), app.clock(), WitnessKey("temoin.example", bytes(32))
    body = witnessed_package(
        witness, badge_document(), issuer, at=at, changed={LIST_URL: issuer.status_list(at=at)},
        signingKey=issuer.key.public.thumbprint(),
    )  # fmt: skip

    def verdict() -> str:
        return world.post("/api/v1/verify", content=body).json()["verdict"]

    assert verdict() == "undetermined"
    with app.unit_of_work() as services:
        services.log_watch.name_witness(app.campus, witness.public.to_vkey(), "Campus AGT", by=COMMAND)
    result = world.post("/api/v1/verify", content=body).json()
    assert (result["verdict"], result["evidence"]["outcome"]) == ("valid", "proved")
    assert {each["id"]: each["reason"] for each in result["checks"]}["key"] == "key_witnessed"
    assert result["packed_at"] == at.isoformat().replace("+00:00", "Z")
    with app.unit_of_work() as services:
        services.log_watch.retire_witness(app.campus, "temoin.example", by=COMMAND)
    assert verdict() == "undetermined"
