"""Programs of a campus read no address that a person added to their own account, and no age noted elsewhere."""

from __future__ import annotations

from app.domain.activities import Activity, ActivityKind
from app.domain.campus.audit_log import Actor
from tests.app.api.clients import program
from tests.support.app import App, listed


def test_program_reads_neither_a_private_address_nor_an_age_noted_elsewhere(app: App) -> None:
    award_id = app.award("Zoé Martin; zoe.au.lycee@exemple.fr; moins de 15 ans").lines[0].award_id
    assert award_id is not None
    with app.unit_of_work() as services:
        person, own = services.awards.record(award_id).person, services.sign_in.own_addresses
        services.stores.people.add_address(person, "zoe.prive@exemple.fr")
        own.verify(person, "zoe.prive@exemple.fr", at=app.clock())
        own.make_main(person.id, "zoe.prive@exemple.fr")
    client = program(app, "person:write", "person:read", "read", campus=app.other_campus)
    facts = {"given_name": "Zoé", "family_name": "Martin", "address": "zoe.au.lycee@exemple.fr"}
    assert client.put("/api/v1/campuses/agt/external-ids/people/X-1", json=facts).status_code in (200, 201)
    (read,) = client.get("/api/v1/campuses/agt/people", params={"external_id": "X-1"}).json()["items"]
    assert (read["address"], read["under_15"]) == ("zoe.au.lycee@exemple.fr", False)
    found = client.get("/api/v1/campuses/agt/people", params={"address": "zoe.prive@exemple.fr"}).json()
    assert found["items"] == []
    mine = program(app, "person:read", "read")
    (read,) = mine.get(f"/api/v1/campuses/{app.campus.slug}/people").json()["items"]
    assert (read["address"], read["under_15"]) == ("zoe.au.lycee@exemple.fr", True)


def test_program_does_not_learn_that_another_campus_knows_a_name_and_an_address(app: App) -> None:
    """Nor by a dry run, which leaves no trace."""
    app.award("Ida Berger; ida@exemple.fr")
    client = program(app, "person:write", "read", campus=app.other_campus)
    bulk = "/api/v1/campuses/agt/people/bulk"
    known, unknown = list[dict[str, object]](
        {"external_id": number, "given_name": "Ida", "family_name": "Berger", "address": address}
        for number, address in (("Y-1", "ida@exemple.fr"), ("Y-2", "autre@exemple.fr"))
    )

    def answers(dry_run: bool) -> list[dict[str, object]]:
        asked = client.post(bulk, json={"people": [known, unknown]}, params={"dry_run": dry_run})
        alike = ("id", "line", "external_id")
        return [
            {k: v for k, v in line.items() if k not in alike or v is None} for line in asked.json()["lines"]
        ]

    first, second = answers(dry_run=True)
    assert first == second
    assert (first["outcome"], first["id"]) == ("created", None)
    with app.unit_of_work() as services:
        day, campus, by = app.clock.now.date(), app.other_campus, Actor(app.stranger.id)
        result = Activity(
            kind=ActivityKind.WORKSHOP,
            title="Atelier",
            starts_on=day,
            ends_on=day,
            created_at=app.clock.now,
        )
        activity = services.activities.create(result, [campus], by=by)
        services.activities.record(campus, activity.id, listed("Ida Berger; ida@agt.exemple.fr"), by=by)
    first, second = answers(dry_run=True)
    assert first == second
    assert first["outcome"] == "refused", "the campus knows that name at another address"
    for line in (known, unknown):
        line["same_person"] = False
    first, second = answers(dry_run=True)
    assert first == second
    first, second = answers(dry_run=False)
    assert first == second
    assert first["outcome"] == "created"
