"""Programs of a campus read no address that a person added to their own account, and no age noted elsewhere."""

from __future__ import annotations

from tests.app.api.clients import program
from tests.support.house import House


def test_program_reads_neither_a_private_address_nor_an_age_noted_elsewhere(house: House) -> None:
    award_id = house.award("Zoé Martin; zoe.au.lycee@exemple.fr; moins de 15 ans").lines[0].award_id
    assert award_id is not None
    with house.unit_of_work() as services:
        person, own = services.awards.record(award_id).person, services.sign_in.own_addresses
        services.stores.people.add_address(person, "zoe.prive@exemple.fr")
        own.verify(person, "zoe.prive@exemple.fr", at=house.clock())
        own.make_main(person.id, "zoe.prive@exemple.fr")
    client = program(house, "person:write", "person:read", "read", campus=house.other_campus)
    facts = {"given_name": "Zoé", "family_name": "Martin", "address": "zoe.au.lycee@exemple.fr"}
    assert client.put("/api/v1/campuses/agt/external-ids/people/X-1", json=facts).status_code in (200, 201)
    (read,) = client.get("/api/v1/campuses/agt/people", params={"external_id": "X-1"}).json()["items"]
    assert (read["address"], read["under_15"]) == ("zoe.au.lycee@exemple.fr", False)
    found = client.get("/api/v1/campuses/agt/people", params={"address": "zoe.prive@exemple.fr"}).json()
    assert found["items"] == []
    mine = program(house, "person:read", "read")
    (read,) = mine.get(f"/api/v1/campuses/{house.campus.slug}/people").json()["items"]
    assert (read["address"], read["under_15"]) == ("zoe.au.lycee@exemple.fr", True)
