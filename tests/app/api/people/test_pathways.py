"""Pathways for programs: published ones for everybody, people's progress with its own scope."""

from __future__ import annotations

import uuid

from app.domain.campus.audit_log import Actor
from app.domain.frameworks.pathways import PathwayContent
from app.http.programs import cursor_of
from app.services.frameworks.pathways import StageDraft
from tests.app.api import clients
from tests.support.house import House


def test_pathways_are_public_and_progress_asks_for_its_scope(house: House):
    by, award_id = Actor(house.admin.id), house.award("VAUBAN Luce <luce@exemple.fr>").lines[0].award_id
    with house.unit_of_work() as services:
        content = PathwayContent("Robotique")
        path = services.pathways.create(house.campus, content, by=by)
        draft = StageDraft("Venir", badge_ids=(house.presence.badge.id,))
        services.pathways.save_stage(house.campus, path.id, "", draft, by=by)
        services.pathways.describe(
            house.campus, path.id, title="Robotique", summary="", badge_id=house.role.badge.id, by=by
        )
        number = path.id
    anybody = house.client()
    assert anybody.get("/api/v1/pathways").json()["items"] == [], "a draft is not public"
    assert anybody.get(f"/api/v1/pathways/{number}").status_code == 404
    with house.unit_of_work() as services:
        services.pathways.publish(house.campus, number, by=by)
        assert award_id is not None
        person = services.awards.get(house.campus, award_id).person
        services.pathway_followers.join(number, person, by=Actor(person.id))
    (shown,) = anybody.get("/api/v1/pathways").json()["items"]
    assert shown == anybody.get(f"/api/v1/pathways/{number}").json()
    assert (shown["version"], shown["stages"][0]["title"]) == (1, "Venir")
    assert str(person.id) not in anybody.get("/api/v1/pathways").text

    progress = f"/api/v1/campuses/itip/pathways/{number}/progress"
    assert clients.program(house, "read").get(progress).status_code == 403
    (one,) = clients.program(house, "pathway:read").get(progress).json()["items"]
    assert (one["person_id"], one["reached"], one["badge"]) == (str(person.id), 1, "waiting")
    after = clients.program(house, "pathway:read").get(
        progress, params={"after": cursor_of(house.clock(), uuid.UUID(one["enrolment"]))}
    )
    assert after.json() == {"items": [], "next": None}
    elsewhere = f"/api/v1/campuses/itip/pathways/{uuid.uuid4()}/progress"
    assert clients.program(house, "pathway:read").get(elsewhere).status_code == 404
