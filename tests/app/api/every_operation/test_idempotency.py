"""Every operation that writes: one key has one effect and one answer, also for two requests at once."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from app.db.campus import integration
from app.domain.activities import ActivitySession
from app.domain.campus.audit_log import HistoryEntry
from app.domain.campus.integration import ANSWER_LIFE, ApiAnswer
from app.domain.people import Person
from tests.app.api.clients import V1, closed_award
from tests.app.api.clients import program as another_program
from tests.app.api.every_operation.test_openapi import _examples, of_the_api
from tests.support.app import COMMAND, App
from tests.support.running.every import for_each
from tests.support.servers.webhooks import receiver_of, work

CAMPUS = "/api/v1/campuses/{slug}"
CHANGES_NOTHING = {"/api/v1/lists/read", "/api/v1/verify", "/api/v1/verify/batch"}
BY_WITNESSES = {f"{CAMPUS}/log/cosignatures"}
"""Without a token; a signature that is there already is the same signature."""
_AWARD = f"{CAMPUS}/awards/{{award_id}}"
_LAST = [f"POST {_AWARD}/suspension", f"DELETE {_AWARD}/suspension", f"POST {_AWARD}/revocation"]


def writes() -> list[Any]:
    """What other operations need is removed after them, and the award last."""
    found = [
        (name, operation)
        for name, operation in of_the_api()
        if not name.startswith("GET ") and name.partition(" ")[2] not in CHANGES_NOTHING | BY_WITNESSES
    ]
    found.sort(key=lambda case: case[0].startswith("DELETE "))
    found.sort(key=lambda case: _LAST.index(case[0]) + 1 if case[0] in _LAST else 0)
    return [pytest.param(case, id=case[0]) for case in found]


OWN = {
    f"PUT {CAMPUS}/activities/{{activity_id}}/sessions/{{session_id}}": {"held_on": "2026-12-15"},
    f"PUT {CAMPUS}/activities/{{activity_id}}/report": {"objectives": []},
    f"PUT {CAMPUS}/external-ids/people/{{external}}": {
        "given_name": "Inès",
        "family_name": "Caradec",
        "address": "ines.caradec@exemple.fr",
    },
}
"""Example values that are unique to one resource."""
_PLAIN = (
    "place",
    "statement",
    "description",
    "title",
    "label",
    "reason",
    "contribution",
    "evidence",
    "given_name",
    "timestamp",
    "source",
)
_number = count()


@pytest.fixture(scope="module")
def things(app: App) -> Iterator[dict[str, str]]:
    usual = app.process.webhook_client
    receiver_of(app)
    client = another_program(app)
    award_id = closed_award(app)
    taken = client.get(f"{V1}/activities/{app.activity.id}/participations").json()["items"]
    with app.unit_of_work() as services:
        session = ActivitySession(activity_id=app.activity.id, held_on=app.activity.starts_on)
        services.activity_plans.plans.save(session)
    hook = client.post(
        f"{V1}/webhooks", json={"url": "https://si.exemple.fr/", "label": "SI", "kinds": ["award"]}
    ).json()
    sent = client.post(f"{V1}/webhooks/{hook['id']}/test").json()
    agenda = {"source": "Agenda suivi", "url": "https://agenda.exemple.fr/a.ics"}
    work(app)
    yield {
        "slug": "itip",
        "badge_id": str(app.presence.badge.id),
        "activity_id": str(app.activity.id),
        "award_id": str(award_id),
        "participation_id": taken[0]["id"],
        "person_id": taken[0]["person"],
        "session_id": str(session.id),
        "external": "E-77",
        "webhook_id": hook["id"],
        "delivery_id": sent["id"],
        "calendar_id": client.post(f"{V1}/calendars", json=agenda).json()["id"],
    }
    app.process.webhook_client = usual


def _body(name: str, operation: dict[str, Any], app: App) -> Any:
    if "requestBody" not in operation:
        return None
    (media,) = operation["requestBody"]["content"].values()
    body = deepcopy(_examples(media["schema"], media)[0])
    if isinstance(body, dict):
        known = {"badge": str(app.presence.badge.id), "activity": str(app.activity.id)}
        body |= {name: value for name, value in known.items() if isinstance(body.get(name), str)}
        if "external_id" in body:
            body["external_id"] = f"E-{next(_number)}"
        body |= OWN.get(name, {})
    return body


def _other(body: Any) -> bool:
    """Changes one plain value in it; returns whether there was one."""
    if isinstance(body, list):
        return any(_other(each) for each in body)
    if not isinstance(body, dict):
        return False
    for name, value in body.items():
        if name in _PLAIN and isinstance(value, str):
            body[name] = value + " encore"
            return True
        if name in ("external_id", "declared_size", "open"):
            body[name] = (
                not value if isinstance(value, bool) else value + (1 if isinstance(value, int) else "2")
            )
            return True
    return any(_other(each) for each in body.values())


def _without_secret(answer: Any) -> tuple[int, Any]:
    result = answer.json()
    if isinstance(result, dict):
        result = {name: value for name, value in result.items() if name != "secret"}
    return answer.status_code, result


def _secret_in(answer: Any) -> Any:
    result = answer.json()
    return result.get("secret") if isinstance(result, dict) else None


def _done(app: App) -> int:
    with app.unit_of_work(reading=True) as services:
        return services.stores.session.exec(select(func.count()).select_from(HistoryEntry)).scalar_one()  # type: ignore[call-overload]


@for_each("case", writes)
def test_one_key_has_one_effect_and_one_answer(
    case: tuple[str, dict[str, Any]], app: App, program: TestClient, things: dict[str, str]
):
    name, operation = case
    method, _, path = name.partition(" ")
    named = [each["name"].lower() for each in operation["parameters"]]
    assert "idempotency-key" in named
    url = re.sub(r"{(\w+)}", lambda place: things[place[1]], path)
    body, headers = _body(name, operation, app), {"idempotency-key": str(uuid.uuid4())}

    def ask(given: Any = body) -> Any:
        if isinstance(given, str):
            of_text = headers | {"content-type": next(iter(operation["requestBody"]["content"]))}
            return program.request(method, url, headers=of_text, content=given.encode())
        return program.request(method, url, headers=headers, **({} if given is None else {"json": given}))

    with ThreadPoolExecutor(2) as both:
        first, second = both.map(lambda _: ask(), range(2))
    assert first.is_success, first.text
    shown = [each for each in (first, second) if _secret_in(each)]
    assert len(shown) == (1 if "secret" in first.json() else 0), "a secret is shown once, and never stored"
    assert _without_secret(first) == _without_secret(second)
    before = _done(app)
    third = ask()
    assert _without_secret(third) == _without_secret(first)
    if not shown:
        assert first.content == second.content == third.content
    assert _secret_in(third) is None
    assert _done(app) == before
    if body is not None:
        assert isinstance(body, str) or _other(body), "no value to change"
        refused = ask(f"{body}\r\n" if isinstance(body, str) else body)
        assert refused.status_code == 422
        assert "idempotence" in refused.json()["detail"]


def test_key_belongs_to_its_token_and_its_day(app: App, program: TestClient):
    body = {"kind": "workshop", "title": "Atelier", "starts_on": "2026-11-24", "ends_on": "2026-11-24"}
    headers = {"idempotency-key": "the-same"}

    def made(client: TestClient) -> str:
        return client.post(f"{V1}/activities", json=body, headers=headers).json()["id"]

    first = made(program)
    assert made(program) == first
    assert made(another_program(app)) != first
    app.clock.now += ANSWER_LIFE
    assert made(program) != first
    app.clock.now += ANSWER_LIFE + timedelta(hours=1)
    with app.unit_of_work() as services:
        services.retention.delete_some()
        assert services.stores.session.exec(select(ApiAnswer)).all() == []  # type: ignore[call-overload]
    app.clock.now -= 2 * ANSWER_LIFE + timedelta(hours=1)


def test_a_failed_request_or_a_dry_run_stores_no_key(app: App, program: TestClient):
    headers = {"idempotency-key": "tried"}
    gone = f"{V1}/awards/{uuid.uuid4()}/revocation"
    assert program.post(gone, json={"reason": "Attribué par erreur."}, headers=headers).status_code == 404
    people = {"people": [{"family_name": "Petit", "given_name": "Léa", "external_id": "E-9000"}]}
    tried = program.post(f"{V1}/people/bulk?dry_run=true", json=people, headers=headers)
    assert tried.status_code == 200
    done = program.post(f"{V1}/people/bulk", json=people, headers=headers)
    assert (done.status_code, done.json()["created"]) == (200, 1)
    assert program.post(f"{V1}/people/bulk", json=people, headers=headers).json() == done.json()


def test_the_stored_answer_is_encrypted(app: App, program: TestClient):
    people = {"people": [{"family_name": "Quémeneur", "given_name": "Ysé", "external_id": "E-9001"}]}
    program.post(f"{V1}/people/bulk", json=people, headers={"idempotency-key": "sealed"})
    with app.unit_of_work() as services:
        kept = services.stores.session.exec(select(ApiAnswer)).scalars().all()  # type: ignore[call-overload]
        assert kept
        assert all(b"E-9001" not in each.sealed for each in kept)


def test_answer_that_names_an_erased_person_is_emptied_and_no_request_is_done_again(
    app: App, program: TestClient
):
    def ask(number: int, family: str) -> Any:
        people = {"people": [{"family_name": family, "given_name": "Maëlig", "external_id": f"E-95{number}"}]}
        return program.post(f"{V1}/people/bulk", json=people, headers={"idempotency-key": f"erased-{number}"})

    theirs, other = ask(1, "Le Dantec"), ask(2, "Guéguen")
    shown = f"{V1}/people/{theirs.json()['lines'][0]['id']}"
    with app.unit_of_work() as services:
        services.erasures.process_chunk(
            app.campus, uuid.UUID(shown.rpartition("/")[2]), "À sa demande.", by=COMMAND
        )
    again = ask(1, "Le Dantec")
    assert again.status_code == 410
    assert "réponse a été effacée" in again.json()["detail"]
    assert program.get(shown).status_code == 404, "the request was not done again"
    assert ask(2, "Guéguen").json() == other.json()


def test_erasing_a_person_without_a_name_empties_no_other_s_answers(
    app: App, program: TestClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(integration, "ANSWERS_AT_ONCE", 2)

    def ask(number: int) -> Any:
        people = {
            "people": [{"family_name": "Corre", "given_name": "Nolwenn", "external_id": f"E-96{number}"}]
        }
        return program.post(
            f"{V1}/people/bulk", json=people, headers={"idempotency-key": f"nameless-{number}"}
        )

    first = [ask(number).json() for number in range(5)]
    with app.unit_of_work() as services:
        nameless = Person(given_name="", family_name="—")
        services.api_answers.forget_person(nameless, ["", "nobody@exemple.fr"], [app.campus.id])
    assert [ask(number).json() for number in range(5)] == first
    with app.unit_of_work() as services:
        named = Person(given_name="Nolwenn", family_name="Corre")
        services.api_answers.forget_person(named, [str(first[4]["lines"][0]["id"])], [app.campus.id])
    assert ask(4).status_code == 410, "of every chunk"
