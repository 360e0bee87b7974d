"""Authorisation: every endpoint of the API without a token, with another scope, and with another campus's token."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import timedelta

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from app.api import router
from app.domain.activities import ActivityKind, ActivitySession
from tests.app.api.clients import EVERY_SCOPE, anybody, closed_award, program, token
from tests.support.app import COMMAND, App
from tests.support.running.every import for_each

OPEN_TO_ALL = {
    "/api/v1/verify",
    "/api/v1/verify/batch",
    "/api/v1/frameworks/search",
    "/api/v1/pathways",
    "/api/v1/pathways/{pathway_id}",
    "/api/v1/campuses/{slug}/log/cosignatures",
    "/api/v1/campuses/{slug}/lrs/about",
}
OF_NO_CAMPUS = {"/api/v1/lists/read", "/api/v1/people/{person_id}/competencies"}
"""Their scopes: tests/app/api/imports/test_list_reading.py, tests/app/api/people/test_people.py."""
# The scope of each endpoint; an endpoint that is not listed fails the test that follows.
POLICY = {
    ("GET", "/changes"): "read",
    ("GET", "/competencies"): "read",
    ("GET", "/competencies/{competency_id}"): "read",
    ("POST", "/competencies"): "badge:write",
    ("GET", "/frameworks/search"): "read",
    ("GET", "/endorsements"): "read",
    ("GET", "/badges"): "read",
    ("GET", "/badges/{badge_id}"): "read",
    ("GET", "/badges/{badge_id}/progress"): "read",
    ("POST", "/badges"): "badge:write",
    ("POST", "/badges/{badge_id}/versions"): "badge:write",
    ("GET", "/webhooks"): "webhook:write",
    ("POST", "/webhooks"): "webhook:write",
    ("GET", "/webhooks/{webhook_id}"): "webhook:write",
    ("DELETE", "/webhooks/{webhook_id}"): "webhook:write",
    ("POST", "/webhooks/{webhook_id}/secret"): "webhook:write",
    ("POST", "/webhooks/{webhook_id}/pause"): "webhook:write",
    ("POST", "/webhooks/{webhook_id}/resume"): "webhook:write",
    ("POST", "/webhooks/{webhook_id}/test"): "webhook:write",
    ("GET", "/webhooks/{webhook_id}/deliveries"): "webhook:write",
    ("POST", "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay"): "webhook:write",
    ("GET", "/people"): "read",
    ("GET", "/people/{person_id}"): "read",
    ("POST", "/people/bulk"): "person:write",
    ("PUT", "/external-ids/people/{external:path}"): "person:write",
    ("PUT", "/people/by-external-id/{external:path}"): "person:write",
    ("PUT", "/people/{person_id}/external-id"): "person:write",
    ("GET", "/participations/{participation_id}"): "read",
    ("POST", "/activities/bulk"): "activity:write",
    ("PUT", "/external-ids/activities/{external:path}"): "activity:write",
    ("PUT", "/activities/by-external-id/{external:path}"): "activity:write",
    ("PUT", "/activities/{activity_id}"): "activity:write",
    ("PUT", "/activities/{activity_id}/external-id"): "activity:write",
    ("PUT", "/awards/{award_id}/external-id"): "award:create",
    ("GET", "/activities"): "read",
    ("GET", "/activities/{activity_id}"): "read",
    ("POST", "/activities"): "activity:write",
    ("GET", "/activities/{activity_id}/participations"): "read",
    ("POST", "/activities/{activity_id}/participations"): "activity:write",
    ("GET", "/activities/{activity_id}/sessions"): "read",
    ("POST", "/activities/{activity_id}/sessions"): "activity:write",
    ("PUT", "/activities/{activity_id}/sessions/{session_id}"): "activity:write",
    ("PUT", "/activities/{activity_id}/participations/{participation_id}/presence"): "activity:write",
    ("POST", "/participations"): "activity:write",
    ("POST", "/xapi/statements"): "activity:write",
    ("POST", "/lrs/statements"): "activity:write",
    ("PUT", "/lrs/statements"): "activity:write",
    ("GET", "/calendars"): "activity:write",
    ("POST", "/calendars"): "activity:write",
    ("POST", "/calendars/import"): "activity:write",
    ("GET", "/calendars/{calendar_id}"): "activity:write",
    ("DELETE", "/calendars/{calendar_id}"): "activity:write",
    ("POST", "/calendars/{calendar_id}/read"): "activity:write",
    ("POST", "/calendars/{calendar_id}/pause"): "activity:write",
    ("POST", "/calendars/{calendar_id}/resume"): "activity:write",
    ("POST", "/awards"): "award:create",
    ("GET", "/awards"): "read",
    ("GET", "/awards/{award_id}"): "read",
    ("GET", "/awards/{award_id}/credential"): "read",
    ("POST", "/awards/{award_id}/suspension"): "award:revoke",
    ("DELETE", "/awards/{award_id}/suspension"): "award:create",
    ("GET", "/activities/{activity_id}/report"): "read",
    ("PUT", "/activities/{activity_id}/report"): "activity:write",
    ("GET", "/activities/{activity_id}/survey"): "read",
    ("PUT", "/activities/{activity_id}/survey"): "activity:write",
    ("GET", "/pathways/{pathway_id}/progress"): "pathway:read",
    ("POST", "/awards/{award_id}/revocation"): "award:revoke",
}
PREFIX = "/api/v1/campuses/{slug}"


@dataclass(frozen=True)
class Address:
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def scope(self) -> str:
        return POLICY[self.method, self.path.removeprefix(PREFIX)]

    def of(self, slug: str, ids: dict[str, uuid.UUID]) -> str:
        filled = {"slug": slug, **{name: str(value) for name, value in ids.items()}}
        return re.sub(r"{(\w+)(?::\w+)?}", lambda place: filled[place[1]], self.path)


def _addresses() -> list[Address]:
    found = []
    for route in iter_route_contexts(router.routes):
        if not (route.path or "").startswith("/api/v1/") or route.methods == {"OPTIONS"}:
            continue
        found += [Address(method, str(route.path)) for method in sorted(route.methods or ())]
    return [address for address in found if address.path not in OPEN_TO_ALL | OF_NO_CAMPUS]


ADDRESSES = _addresses()


@pytest.fixture(scope="module")
def ids(app: App) -> dict[str, uuid.UUID]:
    """One resource of each kind, all of campus itip."""
    with app.unit_of_work() as services:
        campus, by = app.campus, COMMAND
        framework = services.competencies.framework(campus, code="ref", name="Référentiel", by=by)
        competency_id = services.competencies.create(
            campus, framework, code="C-1", statement="Mesurer", levels=[], by=by
        ).id
        session = ActivitySession(activity_id=app.activity.id, held_on=app.activity.starts_on)
        services.activity_plans.plans.save(session)
        calendar = services.calendar_subscriptions.add(
            campus,
            source="Agenda",
            url="https://agenda.exemple.fr/a.ics",
            kind=ActivityKind.WORKSHOP,
            creates=False,
            by=by,
        )
    return {
        "calendar_id": calendar.id,
        "competency_id": competency_id,
        "session_id": session.id,
        "participation_id": uuid.uuid4(),
        "badge_id": app.presence.badge.id,
        "activity_id": app.activity.id,
        "award_id": closed_award(app),
        "pathway_id": uuid.uuid4(),
        "person_id": app.trainer.id,
        "external": uuid.uuid4(),
        "webhook_id": uuid.uuid4(),
        "delivery_id": uuid.uuid4(),
    }


def send(client: TestClient, address: Address, path: str):
    body = {"json": [] if path.endswith("/participations") else {}} if address.method != "GET" else {}
    return client.request(address.method, path, **body)


def test_every_address_of_the_api_has_its_policy():
    assert {(each.method, each.path.removeprefix(PREFIX)) for each in ADDRESSES} == set(POLICY)


@for_each("address", ADDRESSES, ids=str)
def test_without_a_token_every_endpoint_answers_401(app: App, world: TestClient, ids, address: Address):
    answer = send(world, address, address.of("itip", ids))
    assert answer.status_code == 401
    ways = 'Bearer, Basic realm="Sceau"' if re.search("/(xapi|lrs)/", address.path) else "Bearer"
    assert answer.headers["www-authenticate"] == ways
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.fixture(scope="module")
def wrong_program(app: App) -> dict[str, TestClient]:
    """For each scope, a program that has every scope but this one."""
    return {scope: program(app, *(other for other in EVERY_SCOPE if other != scope)) for scope in EVERY_SCOPE}


@for_each("address", ADDRESSES, ids=str)
def test_every_scope_but_the_right_one_is_refused(
    app: App, wrong_program: dict[str, TestClient], ids, address: Address
):
    answer = send(wrong_program[address.scope], address, address.of("itip", ids))
    assert answer.status_code == 403
    assert address.scope in answer.json()["detail"]


@pytest.fixture(scope="module")
def neighbour(app: App) -> TestClient:
    return program(app, campus=app.other_campus)


@for_each("address", ADDRESSES, ids=str)
def test_another_campus_is_not_found(app: App, neighbour: TestClient, ids, address: Address):
    there = send(neighbour, address, address.of("itip", ids))
    nowhere = send(neighbour, address, address.of("nulle-part", ids))
    assert there.status_code == nowhere.status_code == 404
    assert there.json() == nowhere.json()


@pytest.mark.parametrize("address", [each for each in ADDRESSES if "_id}" in each.path], ids=str)
def test_a_resource_of_another_campus_is_not_found(app: App, neighbour: TestClient, ids, address: Address):
    """A valid body, a valid token and the campus's own path, with an id of another campus (T01)."""
    bodies = {
        "/versions": {"kind": "participation", "name": "A", "description": "B", "criteria": "C" * 30},
        "/participations": [{"family_name": "Martin"}],
        "/presence": {"present": False},
        "/sessions": {"held_on": "2026-12-08"},
        "/sessions/{session_id}": {"held_on": "2026-12-08"},
        "/report": {},
        "/survey": {"open": True},
        "/activities/{activity_id}": {
            "kind": "workshop",
            "title": "Atelier",
            "starts_on": "2026-11-24",
            "ends_on": "2026-11-24",
        },
        "/external-id": {"external_id": "E-1"},
        **{f"/{each}": {} for each in ("secret", "pause", "resume", "test", "replay", "read")},
        "/revocation": {"reason": "Attribué par erreur."},
        "/suspension": {"reason": "Une fiche manque.", "until": "2026-12-20T23:00:00Z"},
    }
    body = next((body for end, body in bodies.items() if address.path.endswith(end)), None)
    sent = {"json": body} if address.method != "GET" else {}
    theirs = neighbour.request(address.method, address.of("agt", ids), **sent)
    invented = {name: uuid.uuid4() for name in ids}
    nobody_s = neighbour.request(address.method, address.of("agt", invented), **sent)
    assert theirs.status_code == nobody_s.status_code == 404
    assert theirs.json() == nobody_s.json()


@pytest.mark.parametrize("field", ["badge", "activity"])
def test_a_body_cannot_name_a_resource_of_another_campus(app: App, neighbour: TestClient, field: str):
    ours = {"badge": str(app.presence.badge.id), "activity": str(app.activity.id)}
    made = neighbour.post(
        "/api/v1/campuses/agt/badges",
        json={
            "slug": f"membre-{field}", "kind": "appartenance", "name": "Membre", "description": "Du campus.",
            "criteria": "Accueillie et inscrite par le campus.",
        },
    )  # fmt: skip
    assert made.status_code == 201, made.text
    body = {"badge": made.json()["id"], field: ours[field]}
    body["people"] = [{"family_name": "Martin", "address": "m@exemple.fr"}]  # type: ignore[assignment]
    assert neighbour.post("/api/v1/campuses/agt/awards", json=body).status_code == 404


# --- tokens


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer x", "Basic c2NlYXU6eA==", "bearer sceau_x", "sceau_x", "Bearer \u00e9"],
)
def test_an_invalid_token_is_refused(world: TestClient, header: str):
    answer = world.get("/api/v1/campuses/itip/badges", headers={"authorization": header.encode("latin-1")})
    assert answer.status_code == 401


def test_a_token_in_the_url_is_refused(app: App, world: TestClient):
    secret = token(app)
    for name in ("access_token", "token", "authorization"):
        assert world.get("/api/v1/campuses/itip/badges", params={name: secret}).status_code == 401


def test_an_expired_token_is_refused(app: App):
    client = program(app)
    assert client.get("/api/v1/campuses/itip/badges").status_code == 200
    before = app.clock.now
    app.clock.move(seconds=timedelta(days=30).total_seconds())
    try:
        assert client.get("/api/v1/campuses/itip/badges").status_code == 401
    finally:
        app.clock.now = before


def test_a_browser_session_is_not_accepted_as_a_token(app: App):
    """Otherwise a page of another site could use it."""
    client = app.client(app.trainer)
    assert client.get("/api/v1/campuses/itip/badges").status_code == 401


def test_a_refusal_never_repeats_the_token(app: App):
    client = anybody(app)
    secret = token(app, "read", campus=app.other_campus)
    client.headers["authorization"] = f"Bearer {secret}"
    for path in ("/api/v1/campuses/itip/badges", "/api/v1/campuses/agt/awards/x"):
        answer = client.get(path)
        assert secret not in answer.text + str(answer.headers)


def test_answers_with_personal_data_are_not_cached(program: TestClient):
    assert program.get("/api/v1/campuses/itip/awards").headers["cache-control"] == "no-store"


def test_no_route_is_resolved_again_for_each_application():
    """An included router is: that took seven eighths of the start of an application."""
    assert len([*iter_route_contexts(router.routes)]) == len(router.routes)
    assert all(hasattr(each, "path") for each in router.routes)
