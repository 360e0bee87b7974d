"""A static edition of a campus contains only content that is open now, on both databases."""

from __future__ import annotations

import uuid

from app.domain.awards import Visibility
from tests.support.app import COMMAND, App
from tests.support.badges.endorsed import endorsed


def opened(app: App) -> uuid.UUID:
    found = app.award("Martin Zoé;zoe@exemple.fr").lines[0].award_id
    assert found
    show(app, found, Visibility.OPEN)
    return found


def show(app: App, award_id: uuid.UUID, visibility: Visibility) -> None:
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, visibility, by=COMMAND)


def test_endorsements_are_exported_once_each_while_their_subject_is_open(app: App) -> None:
    award_id = opened(app)
    with app.unit_of_work() as services:
        about_award = endorsed(services, app.campus, award=services.awards.record(award_id)).id
        about_badge = endorsed(services, app.campus, app.presence.badge.id).id
    with app.unit_of_work(reading=True) as services:
        read = [each.id for each in services.endorsements.readable_in(app.campus)]
    assert sorted(read) == sorted([about_award, about_badge])
    show(app, award_id, Visibility.CLOSED)
    with app.unit_of_work(reading=True) as services:
        assert [each.id for each in services.endorsements.readable_in(app.campus)] == [about_badge]


def test_portfolio_is_exported_while_it_and_one_of_its_badges_are_open(app: App) -> None:
    award_id = opened(app)
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        services.portfolios.start(person, [award_id])

    def kept() -> list[uuid.UUID]:
        with app.unit_of_work(reading=True) as services:
            return [each.portfolio.person_id for each in services.portfolios.open_in(app.campus)]

    assert kept() == [], "it is shut until its keeper opens it"
    with app.unit_of_work() as services:
        portfolio = services.portfolios.find_of(person)
        assert portfolio
        services.portfolios.set_open(portfolio, True)
    assert kept() == [person.id]
    show(app, award_id, Visibility.CLOSED)
    assert kept() == []
