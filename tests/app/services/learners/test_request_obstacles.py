"""What keeps a badge from being given is told to whoever looks at the request, before anybody decides."""

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
from tests.support.house import COMMAND, House


def test_the_first_of_two_reviewers_is_told_what_the_second_would_meet(house: House):
    competency = a_competency(house)
    with house.unit_of_work() as services:
        page = services.badges.page(house.campus, competency)
        said = wording_of(page.version, [link for link, _, _ in page.competencies])
        services.badges.revise(house.campus, competency, replace(said, required_hours=3), by=COMMAND)
    house.record("Zoé Martin;zoe@exemple.fr")
    token, nora, paul = asked(house, competency), reviewer(house, "Nora"), reviewer(house, "Paul")

    def obstacle():
        with house.unit_of_work(reading=True) as services:
            return services.reviewing.look(
                house.campus, request_of(house, token).request.id, by=nora
            ).obstacle

    found = obstacle()
    assert found is not None
    assert found.outcome is LineOutcome.TOO_FEW_HOURS
    with pytest.raises(Conflict, match="heures"):
        agree(house, token, nora)
    assert request_of(house, token).request.state is RequestState.WAITING
    with house.unit_of_work() as services:
        (part, _) = services.asking.mine(token).participations[0]
        services.asking.complete(token, entries=[str(part.id)])
    assert obstacle() is None
    assert not agree(house, token, nora)
    assert agree(house, token, paul)


def test_a_badge_archived_since_it_was_asked_for_is_still_looked_at_and_refused(house: House):
    badge = accepting(house, house.role.badge.id)
    token, by = asked(house, badge), reviewer(house, "Nora")
    with house.unit_of_work() as services:
        services.badges.archive(house.campus, badge, by=COMMAND)
    request_id = request_of(house, token).request.id
    with house.unit_of_work(reading=True) as services:
        assert services.reviewing.look(house.campus, request_id, by=by).obstacle is not None
    with house.unit_of_work() as services:
        services.reviewing.refuse(house.campus, request_id, "Ce badge n’est plus donné.", by=by)
