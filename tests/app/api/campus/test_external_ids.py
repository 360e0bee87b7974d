"""A school's own identifiers: lookup, upsert, receipts of many lines, dry runs, clashes, merges."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.domain.badges import Repeat
from tests.app.api import clients
from tests.app.api.clients import V1
from tests.support.app import COMMAND, App, build_app
from tests.support.running.every import for_each

ZOE = {"external_id": "E-1", "given_name": "Zoé", "family_name": "Martin", "address": "zoe@exemple.fr"}
PAUL = {"external_id": "E-2", "given_name": "Paul", "family_name": "Durand", "address": "paul@exemple.fr"}
WORKSHOP = {
    "kind": "workshop",
    "title": "Soudure",
    "starts_on": "2026-11-24",
    "ends_on": "2026-11-24",
    "hours": 3,
}


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[App]:
    built = build_app(database_url, tmp_path)
    yield built
    built.close()


@pytest.fixture
def program(app: App) -> TestClient:
    return clients.program(app)


def bulk(program: TestClient, *people: dict[str, Any], query: str = "") -> dict[str, Any]:
    answer = program.post(f"{V1}/people/bulk{query}", json={"people": people})
    assert answer.status_code == 200, answer.text
    return answer.json()


def outcomes(receipts: dict[str, Any]) -> list[str]:
    return [line["outcome"] for line in receipts["lines"]]


def rows(app: App) -> list[int]:
    """Number of rows by table: a dry run must not change it."""
    with app.owner.connect() as connection:
        tables = [
            table.name
            for table in __import__(
                "app.db.engine.row_level_security", fromlist=["METADATA"]
            ).METADATA.sorted_tables
        ]
        return [connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in tables]


# --- people


def test_people_are_registered_recognised_and_corrected(app: App, program: TestClient):
    app.record("Paul Durand paul@exemple.fr")
    first = bulk(program, ZOE, PAUL)
    # Paul is the person whom the campus knew by that name at that address.
    assert outcomes(first) == ["created", "changed"]
    assert outcomes(bulk(program, ZOE, PAUL)) == ["same", "same"]
    renamed = bulk(program, {**ZOE, "family_name": "Martin-Roy", "address": "zoe.roy@exemple.fr"})
    assert renamed["lines"][0]["changes"] == ["family_name", "address"]
    (found,) = program.get(f"{V1}/people", params={"external_id": "E-1"}).json()["items"]
    assert (found["family_name"], found["address"]) == ("Martin-Roy", "zoe.roy@exemple.fr")
    assert program.get(f"{V1}/people/{found['id']}").json() == found
    assert {each["id"] for each in program.get(f"{V1}/people").json()["items"]} == {
        line["id"] for line in first["lines"]
    }


def test_each_line_has_its_receipt_and_a_refused_one_changes_nothing(app: App, program: TestClient):
    app.record("Zoé Martin zoe.martin@exemple.fr")
    asked = ZOE | {"address": "zoe@exemple.org"}
    wrong = PAUL | {"external_id": "E-3", "address": "paul@exemple,fr"}
    receipts = bulk(program, asked, wrong, PAUL, PAUL)
    assert outcomes(receipts) == ["refused", "refused", "created", "refused"]
    kinds = [line["problem"] and line["problem"]["kind"] for line in receipts["lines"]]
    assert kinds == ["several_of_name", "InvalidInput", None, "ExternalIdTaken"]
    assert receipts["lines"][3]["problem"]["status"] == 409
    assert receipts["refused"] == 3
    assert outcomes(bulk(program, asked | {"same_person": True})) == ["changed"]
    assert program.get(f"{V1}/people", params={"external_id": "E-3"}).json()["items"] == []


def test_a_dry_run_answers_the_same_and_writes_nothing(app: App, program: TestClient):
    bulk(program, ZOE)
    before, covered = rows(app), _covered(app)
    lines = (
        ZOE | {"family_name": "Roy"},
        PAUL,
        PAUL | {"external_id": "E-4", "family_name": ""[:0] or "x" * 121},
    )
    result = program.post(f"{V1}/people/bulk?dry_run=true", json={"people": lines[:2]}).json()
    assert (result["dry_run"], rows(app), _covered(app)) == (True, before, covered)
    real = bulk(program, *lines[:2])
    assert outcomes(result) == outcomes(real) == ["changed", "created"]
    assert [line["id"] for line in result["lines"]] == [real["lines"][0]["id"], None]


def test_one_person_is_put_by_identifier(program: TestClient):
    here = f"{V1}/external-ids/people/2026%2FE%201"
    facts = {"given_name": "Zoé", "family_name": "Martin"}
    assert program.put(f"{here}?dry_run=true", json=facts).status_code == 200
    made = program.put(here, json=facts)
    assert (made.status_code, made.json()["outcome"], made.json()["external_id"]) == (
        201,
        "created",
        "2026/E 1",
    )
    assert made.json()["line"] is None
    again = program.put(here, json=facts)
    assert (again.status_code, again.json()["outcome"], again.json()["id"]) == (
        200,
        "same",
        made.json()["id"],
    )
    assert program.put(f"{V1}/external-ids/people/%20", json=facts).status_code == 422


def test_a_repeated_identifier_is_refused_and_its_owner_named(app: App, program: TestClient):
    first, second = (line["id"] for line in bulk(program, ZOE, PAUL)["lines"])
    clash = program.put(f"{V1}/people/{second}/external-id", json={"external_id": "E-1"})
    assert (clash.status_code, clash.json()["kind"]) == (409, "ExternalIdTaken")
    assert first in clash.json()["detail"]
    other = program.put(
        f"{V1}/external-ids/people/E-9", json={k: v for k, v in PAUL.items() if k != "external_id"}
    )
    assert (other.status_code, other.json()["kind"]) == (409, "ExternalIdTaken")
    assert "E-2" in other.json()["detail"]
    changed = program.put(f"{V1}/people/{second}/external-id", json={"external_id": "E-9"}).json()
    assert changed["external_ids"] == ["E-9"]
    # Another kind and another campus have identifiers of their own.
    activity = program.post(f"{V1}/activities", json=WORKSHOP | {"external_id": "E-1"})
    assert activity.status_code == 201
    neighbour = clients.program(app, campus=app.other_campus)
    elsewhere = "/api/v1/campuses/agt/people"
    assert neighbour.post(f"{elsewhere}/bulk", json={"people": [ZOE]}).json()["refused"] == 0
    assert len(neighbour.get(elsewhere).json()["items"]) == 1


def test_addresses_are_for_tokens_that_may_read_them(app: App, program: TestClient):
    bulk(program, ZOE)
    app.award("Zoé Martin; zoe@exemple.fr")
    reader = clients.program(app, "read")
    assert reader.get(f"{V1}/people").json()["items"][0]["address"] is None
    assert reader.get(f"{V1}/awards").json()["items"][0]["person_address"] is None
    assert reader.get(f"{V1}/people", params={"address": "zoe@exemple.fr"}).status_code == 403
    (award,) = program.get(f"{V1}/awards").json()["items"]
    (person,) = program.get(f"{V1}/people", params={"address": "Zoe@Exemple.fr"}).json()["items"]
    assert (award["person"], award["person_address"]) == (person["id"], "zoe@exemple.fr")


def test_both_identifiers_name_the_remaining_record_after_a_merge(app: App, program: TestClient):
    kept, gone = (line["id"] for line in bulk(program, ZOE, PAUL)["lines"])
    with app.unit_of_work() as services:
        services.merging.merge_in_campus(
            app.campus, uuid.UUID(kept), uuid.UUID(gone), "La même personne.", by=COMMAND
        )
    for external_id in ("E-1", "E-2"):
        (found,) = program.get(f"{V1}/people", params={"external_id": external_id}).json()["items"]
        assert (found["id"], found["external_ids"]) == (kept, ["E-1", "E-2"])
    assert outcomes(bulk(program, {**ZOE, "external_id": "E-2"})) == ["same"]


def test_an_erased_person_leaves_no_identifier(app: App, program: TestClient):
    (line,) = bulk(program, ZOE)["lines"]
    with app.unit_of_work() as services:
        services.erasures.process_chunk(app.campus, uuid.UUID(line["id"]), "Demandé.", by=COMMAND)
    assert program.get(f"{V1}/people", params={"external_id": "E-1"}).json()["items"] == []
    assert program.get(f"{V1}/people/{line['id']}").status_code == 404


# --- activities and participants


def test_activities_are_put_by_identifier_one_or_many(program: TestClient):
    here = f"{V1}/external-ids/activities/ROB-1"
    made = program.put(here, json=WORKSHOP)
    assert (made.status_code, made.json()["outcome"]) == (201, "created")
    assert program.put(here, json=WORKSHOP).json()["outcome"] == "same"
    moved = program.put(here, json=WORKSHOP | {"ends_on": "2026-11-25", "place": "Fablab"}).json()
    assert (moved["outcome"], moved["changes"]) == ("changed", ["ends_on", "place"])
    lines = [
        WORKSHOP | {"external_id": "ROB-1"},
        WORKSHOP | {"external_id": "ROB-2", "ends_on": "2026-11-01"},
    ]
    result = program.post(f"{V1}/activities/bulk?dry_run=true", json={"activities": lines}).json()
    real = program.post(f"{V1}/activities/bulk", json={"activities": lines}).json()
    assert outcomes(result) == outcomes(real) == ["changed", "refused"]
    (found,) = program.get(f"{V1}/activities", params={"external_id": "ROB-1"}).json()["items"]
    assert (found["external_ids"], found["place"]) == (["ROB-1"], "")
    assert program.post(f"{V1}/activities", json=WORKSHOP | {"external_id": "ROB-1"}).status_code == 409


def test_an_activity_written_by_number_is_corrected_in_the_log(app: App, program: TestClient):
    app.record("Zoé Martin zoe@exemple.fr")
    here = f"{V1}/activities/{app.activity.id}"
    before = _log(app)
    answer = program.put(here, json=WORKSHOP | {"title": "Robotique, deuxième"})
    assert answer.json()["title"] == "Robotique, deuxième"
    assert _log(app)[len(before) :] == ["correction"]
    assert program.put(here, json=WORKSHOP | {"title": "Robotique, deuxième"}).status_code == 200
    assert len(_log(app)) == len(before) + 1


def test_participants_are_resolved_by_identifier(app: App, program: TestClient):
    there = f"{V1}/activities/{app.activity.id}/participations"
    bulk(program, ZOE)
    lines = [
        {"external_id": "E-1", "family_name": "Nom de jeune fille", "hours": 2},
        {"external_id": "E-5", "given_name": "Lina", "family_name": "Petit", "address": "lina@exemple.fr"},
    ]
    result = program.post(f"{there}?dry_run=true", json=lines).json()
    real = program.post(there, json=lines).json()
    assert outcomes(result) == outcomes(real) == ["created", "created"]
    listed = {one["external_ids"][0]: one for one in program.get(there).json()["items"]}
    assert (listed["E-1"]["family_name"], listed["E-1"]["hours"]) == ("Martin", 2)
    assert listed["E-5"]["person"] == real["lines"][1]["person"]
    again = [lines[0] | {"hours": 2.5, "contribution": "A réglé les capteurs."}, lines[1]]
    changed = program.post(there, json=again).json()
    assert outcomes(changed) == ["changed", "same"]
    assert changed["lines"][0]["changes"] == ["hours", "contribution"]
    taken = program.post(there, json=[{**lines[1], "external_id": "E-6"}]).json()["lines"][0]
    assert (taken["outcome"], taken["problem"]["kind"]) == ("refused", "ExternalIdTaken")
    one = program.get(f"{V1}/participations/{listed['E-1']['id']}").json()
    assert (one["activity"], one["hours"]) == (str(app.activity.id), 2.5)


def test_two_people_of_one_name_without_address_are_distinguished_by_their_identifiers(
    app: App, program: TestClient
):
    twins = [
        {"external_id": f"E-{number}", "given_name": "Zoé", "family_name": "Martin"} for number in (1, 2)
    ]
    bulk(program, twins[0], twins[1] | {"same_person": False})
    there = f"{V1}/activities/{app.activity.id}/participations"
    result = program.post(there, json=twins).json()
    assert outcomes(result) == ["created", "created"]
    assert len({line["person"] for line in result["lines"]}) == 2
    assert outcomes(program.post(there, json=twins).json()) == ["same", "same"]


# --- awards


def test_an_award_is_made_once_for_its_identifier(app: App, program: TestClient):
    with app.unit_of_work() as services:
        badge = services.stores.badges.get(app.presence.badge.id)
        badge.repeat = Repeat.ALWAYS if hasattr(Repeat, "ALWAYS") else badge.repeat
    bulk(program, ZOE)
    line = {"external_id": "E-1", "family_name": "?", "award_external_id": "A-1"}
    body = {"badge": str(app.presence.badge.id), "activity": str(app.activity.id), "people": [line]}
    foreseen = program.post(f"{V1}/awards?dry_run=true", json=body).json()
    assert (foreseen["ready"], foreseen["awarded"], foreseen["id"]) == (1, 0, None)
    assert program.get(f"{V1}/awards").json()["items"] == []
    made = program.post(f"{V1}/awards", json=body).json()
    assert (made["awarded"], made["lines"][0]["external_id"], made["lines"][0]["family_name"]) == (
        1,
        "A-1",
        "Martin",
    )
    again = program.post(f"{V1}/awards", json=body).json()
    assert (again["awarded"], again["already_held"], again["lines"][0]["award"]) == (
        0,
        1,
        made["lines"][0]["award"],
    )
    (found,) = program.get(f"{V1}/awards", params={"external_id": "A-1"}).json()["items"]
    assert (found["id"], found["external_ids"]) == (made["lines"][0]["award"], ["A-1"])
    other = program.post(f"{V1}/awards", json=body | {"badge": str(app.long_haul.badge.id)}).json()
    assert (other["refused"], other["lines"][0]["outcome"]) == (1, "not_allowed")
    twice = body | {"people": [line, line | {"external_id": "E-2", "family_name": "Durand"}]}
    assert program.post(f"{V1}/awards", json=twice).status_code == 409
    assert program.get(f"{V1}/awards", params={"external_id": "A-9"}).json()["items"] == []


@pytest.mark.parametrize("is_known", [True, False])
def test_an_identifier_of_an_award_to_another_person_is_refused(
    app: App, program: TestClient, is_known: bool
):
    someone_else = {"external_id": "E-2", "given_name": "Lina", "family_name": "Petit"}
    bulk(program, ZOE, *([someone_else] if is_known else ()))
    body = {"badge": str(app.presence.badge.id), "activity": str(app.activity.id)}
    body["people"] = [{"external_id": "E-1", "family_name": "?", "award_external_id": "A-1"}]
    assert program.post(f"{V1}/awards", json=body).json()["awarded"] == 1
    body["people"] = [someone_else | {"award_external_id": "A-1"}]
    for address in (f"{V1}/awards?dry_run=true", f"{V1}/awards"):
        line = program.post(address, json=body).json()["lines"][0]
        assert (line["outcome"], line["award"]) == ("not_allowed", None)
        assert "autre personne" in line["message"]


# --- lists


@pytest.mark.parametrize("few", [0, 20_000])
@pytest.mark.parametrize("kind", ["people", "activities", "awards", "badges"])
def test_lists_are_filtered_by_last_change(
    app: App, program: TestClient, monkeypatch: pytest.MonkeyPatch, kind: str, few: int
):
    monkeypatch.setattr("app.db.engine.changes._FEW", few)
    app.award("Zoé Martin; zoe@exemple.fr")
    here = f"{V1}/{kind}"
    before = app.clock().isoformat()
    assert program.get(here, params={"updated_since": before}).json()["items"]
    app.clock.move(hours=1)
    later = app.clock().isoformat()
    assert program.get(here, params={"updated_since": later}).json()["items"] == []
    app.award("Lina Petit; lina@exemple.fr")
    bulk(program, ZOE | {"address": "zoe@exemple.fr"})
    program.put(f"{V1}/activities/{app.activity.id}", json=WORKSHOP)
    with app.unit_of_work() as services:
        services.badges.archive(app.campus, app.role.badge.id, by=COMMAND)
    found = program.get(here, params={"updated_since": later}).json()["items"]
    assert len(found) == {"people": 2, "activities": 1, "awards": 1, "badges": 1}[kind]


@for_each("path", ["people", "activities", "awards", "badges", "competencies", "changes"])
def test_every_list_is_paged_in_the_same_way(app: App, program: TestClient, path: str):
    for number in range(3):
        app.award(f"Zoé Martin{'abc'[number]}; zoe{number}@exemple.fr")
        program.post(f"{V1}/activities", json=WORKSHOP)
        program.post(
            f"{V1}/competencies", json={"framework": "ref", "code": f"C-{number}", "statement": "Mesurer"}
        )
        app.clock.move(seconds=1)
    whole = program.get(f"{V1}/{path}", params={"limit": 200}).json()["items"]
    assert len(whole) >= 3
    for follow in ("link", "cursor"):
        seen, url = list[Any](), f"{V1}/{path}?limit=2"
        for _ in range(len(whole)):
            answer = program.get(url)
            seen += answer.json()["items"]
            if "link" not in answer.headers:
                break
            cursor = answer.json()["next"]
            url = answer.links["next"]["url"] if follow == "link" else f"{V1}/{path}?limit=2&after={cursor}"
        assert seen == whole
    assert program.get(f"{V1}/{path}", params={"after": "AAAA"}).status_code == 422


def test_a_cursor_of_one_list_is_refused_by_every_other(app: App, program: TestClient):
    webhook = {"url": "https://si.exemple.fr/x", "label": "SI", "kinds": ["award"]}
    log = program.post(f"{V1}/webhooks", json=webhook).json()["id"]
    app.award("Zoé Martin; zoe@exemple.fr", "Léa Petit; lea@exemple.fr")
    people = [{"given_name": name, "family_name": "Martin"} for name in ("Ana", "Bo")]
    made = [program.post(f"{V1}/activities", json=WORKSHOP).json()["id"] for _ in range(2)]
    for activity in made:
        assert program.post(f"{V1}/activities/{activity}/participations", json=people).json()["created"] == 2
    names = ["people", "activities", "awards", "badges", "webhooks", "endorsements", "calendars", "changes"]
    names += [f"activities/{each}/participations" for each in made] + [f"webhooks/{log}/deliveries"]
    first = {name: program.get(f"{V1}/{name}", params={"limit": 1}).json()["next"] for name in names}
    cursors = {name: cursor for name, cursor in first.items() if cursor}
    assert len(cursors) >= 6
    for name, cursor in cursors.items():
        for other in names:
            answer = program.get(f"{V1}/{other}", params={"after": cursor})
            assert answer.status_code == (200 if other == name else 422), (name, other)
            if other != name:
                assert "curseur" in answer.json()["detail"]


def _covered(app: App) -> int:
    with app.unit_of_work(reading=True) as services:
        log = services.stores.activity_log.find(app.campus.id)
    return max(stop for _, stop in app.process.journal.covered(app.campus.id, log.origin))


def _log(app: App) -> list[str]:
    with app.unit_of_work(reading=True) as services:
        log = services.stores.activity_log.find(app.campus.id)
        return [each.kind.value for each in services.stores.activity_log.entries(log.id, 0, log.size)]


def test_former_paths_still_answer_with_a_deprecation_header(program: TestClient):
    facts = {"given_name": "Nolwenn", "family_name": "Kerleau"}
    made = program.put(f"{V1}/people/by-external-id/F%2F1", json=facts)
    assert (made.status_code, made.headers["deprecation"]) == (201, "@1795910400")
    now = program.put(f"{V1}/external-ids/people/F%2F1", json=facts)
    assert (now.json()["id"], now.json()["outcome"]) == (made.json()["id"], "same")
    assert "deprecation" not in now.headers
    activity = {
        "kind": "workshop",
        "title": "Ancienne adresse",
        "starts_on": "2026-11-24",
        "ends_on": "2026-11-24",
    }
    made = program.put(f"{V1}/activities/by-external-id/F-1", json=activity)
    now = program.put(f"{V1}/external-ids/activities/F-1", json=activity)
    assert (made.status_code, now.json()["outcome"]) == (201, "same")


@pytest.mark.parametrize("name", ["-", "..", "\u00ad"])
def test_line_without_a_name_is_refused_each_time_it_is_repeated(app: App, program: TestClient, name: str):
    line = {"family_name": name}
    answer = program.post(f"{V1}/activities/{app.activity.id}/participations", json=[line, line, line])
    assert answer.status_code == 200, answer.text
    assert [one["outcome"] for one in answer.json()["lines"]] == ["refused"] * 3


def test_receipts_warn_of_what_the_page_would_ask(program: TestClient, app: App):
    sent = ZOE | {"given_name": "Martin", "family_name": "Chloé", "address": "chloe@gmial.com"}
    name = {"given_name": "Chloé", "family_name": "Martin"}
    expected = [("name", name), ("address", {"address": "chloe@gmail.com"})]

    def warned(line: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
        return [(each["reason"], each["suggestion"]) for each in line["warnings"]]

    (line,) = bulk(program, sent, query="?dry_run=true")["lines"]
    assert (line["outcome"], warned(line)) == ("created", expected)
    (line,) = bulk(program, sent | {"given_name": "<b>"})["lines"]
    assert (line["outcome"], line["warnings"]) == ("refused", [])
    facts = {name: value for name, value in sent.items() if name != "external_id"}
    one = program.put(f"{V1}/external-ids/people/E-9?dry_run=true", json=facts)
    assert warned(one.json()) == expected
    where = f"{V1}/activities/{app.activity.id}/participations?dry_run=true"
    (line,) = program.post(where, json=[sent | {"hours": 180}]).json()["lines"]
    assert warned(line) == [*expected, ("improbable", {})]
    asked = {"badge": str(app.presence.badge.id), "activity": str(app.activity.id), "people": [facts]}
    (line,) = program.post(f"{V1}/awards?dry_run=true", json=asked).json()["lines"]
    assert (line["outcome"], warned(line)) == ("ready", expected)
    activity = {"title": "Soudure", "starts_on": "2026-11-24", "hours": 3}
    line = sent | {"activity": activity, "hours": 180}
    answer = program.post(f"{V1}/participations?dry_run=true", json={"participations": [line]})
    assert warned(answer.json()["lines"][0]) == [*expected, ("improbable", {})]
    (line,) = bulk(program, PAUL)["lines"]
    assert line["warnings"] == []
