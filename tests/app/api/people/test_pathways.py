"""Pathways for programs: published ones without a token, people's progress with its own scope."""

from __future__ import annotations

import uuid

from app.domain.campus.audit_log import Actor
from app.domain.frameworks.pathways import PathwayContent
from app.http.programs import cursor_of
from app.services.frameworks.pathways import StageDraft
from tests.app.api import clients
from tests.support.app import App


def test_pathways_are_public_and_progress_asks_for_its_scope(app: App):
    by, award_id = Actor(app.admin.id), app.award("VAUBAN Luce <luce@exemple.fr>").lines[0].award_id
    with app.unit_of_work() as services:
        content = PathwayContent("Robotique")
        path = services.pathways.create(app.campus, content, by=by)
        draft = StageDraft("Venir", badge_ids=(app.presence.badge.id,))
        services.pathways.save_stage(app.campus, path.id, "", draft, by=by)
        services.pathways.describe(
            app.campus, path.id, title="Robotique", summary="", badge_id=app.role.badge.id, by=by
        )
        number = path.id
    anybody = app.client()
    assert anybody.get("/api/v1/pathways").json()["items"] == [], "a draft is not public"
    assert anybody.get(f"/api/v1/pathways/{number}").status_code == 404
    with app.unit_of_work() as services:
        services.pathways.publish(app.campus, number, by=by)
        assert award_id is not None
        person = services.awards.get(app.campus, award_id).person
        services.pathway_followers.join(number, person, by=Actor(person.id))
    (shown,) = anybody.get("/api/v1/pathways").json()["items"]
    assert shown == anybody.get(f"/api/v1/pathways/{number}").json()
    assert (shown["version"], shown["stages"][0]["title"]) == (1, "Venir")
    assert str(person.id) not in anybody.get("/api/v1/pathways").text

    progress = f"/api/v1/campuses/itip/pathways/{number}/progress"
    assert clients.program(app, "read").get(progress).status_code == 403
    (one,) = clients.program(app, "pathway:read").get(progress).json()["items"]
    assert (one["person_id"], one["reached"], one["badge"]) == (str(person.id), 1, "waiting")
    after = clients.program(app, "pathway:read").get(
        progress, params={"after": cursor_of(progress, app.clock(), uuid.UUID(one["enrolment"]))}
    )
    assert after.json() == {"items": [], "next": None}
    elsewhere = f"/api/v1/campuses/itip/pathways/{uuid.uuid4()}/progress"
    assert clients.program(app, "pathway:read").get(elsewhere).status_code == 404
