"""Reviewers of a request read what prevents the award before they decide."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.awards import LineOutcome
from app.domain.learners.requests import RequestState
from app.errors import Conflict
from app.services.badges import wording_of
from tests.app.services.learners.test_requests import (
    a_competency,
    accepting,
    agree,
    asked,
    request_of,
    reviewer,
)
from tests.support.app import COMMAND, App


def test_first_of_two_reviewers_reads_the_obstacle_of_the_second(app: App):
    competency = a_competency(app)
    with app.unit_of_work() as services:
        page = services.badges.page(app.campus, competency)
        said = wording_of(page.version, [link for link, _, _ in page.competencies])
        services.badges.revise(app.campus, competency, replace(said, required_hours=3), by=COMMAND)
    app.record("Zoé Martin;zoe@exemple.fr")
    token, nora, paul = asked(app, competency), reviewer(app, "Nora"), reviewer(app, "Paul")

    def obstacle():
        with app.unit_of_work(reading=True) as services:
            return services.reviewing.look(app.campus, request_of(app, token).request.id, by=nora).obstacle

    found = obstacle()
    assert found is not None
    assert found.outcome is LineOutcome.TOO_FEW_HOURS
    with pytest.raises(Conflict, match="Durée notée"):
        agree(app, token, nora)
    assert request_of(app, token).request.state is RequestState.WAITING
    with app.unit_of_work() as services:
        (part, _) = services.asking.mine(token).participations[0]
        services.asking.complete(token, entries=[str(part.id)])
    assert obstacle() is None
    assert not agree(app, token, nora)
    assert agree(app, token, paul)


def test_request_for_a_badge_archived_since_can_be_read_and_refused(app: App):
    badge = accepting(app, app.role.badge.id)
    token, by = asked(app, badge), reviewer(app, "Nora")
    with app.unit_of_work() as services:
        services.badges.archive(app.campus, badge, by=COMMAND)
    request_id = request_of(app, token).request.id
    with app.unit_of_work(reading=True) as services:
        assert services.reviewing.look(app.campus, request_id, by=by).obstacle is not None
    with app.unit_of_work() as services:
        services.reviewing.refuse(app.campus, request_id, "Ce badge n’est plus donné.", by=by)
