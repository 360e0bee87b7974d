"""A trainer awards only the badges opened to them: now, later, and whatever the page showed."""

from __future__ import annotations

import uuid

import pytest

from app.domain.awards import LineOutcome
from app.domain.badges import NotOpened
from app.domain.campus.audit_log import Actor
from app.domain.people import Role
from app.errors import InvalidInput, NotFound
from app.services.awards.awards import AwardRequest
from tests.support.house import COMMAND, House, listed, send


def reserve(house: House, *people: uuid.UUID) -> None:
    """The badge of presence for these people only."""
    with house.unit_of_work() as services:
        services.openings.set_for_badge(
            house.campus, house.presence.badge.id, everybody=False, people=people, by=Actor(house.admin.id)
        )


def colleague(house: House, *roles: Role) -> uuid.UUID:
    with house.unit_of_work() as services:
        for role in roles or (Role.TRAINER,):
            person = services.people.add_staff(
                house.campus, given_name="Yann", family_name="Kerbrat", address="kerbrat@exemple.fr",
                role=role, by=COMMAND,
            )  # fmt: skip
    return person.id


def give(house: House, by: uuid.UUID, name: str = "Zoé Martin;zoe@exemple.fr") -> list[LineOutcome]:
    request = AwardRequest(house.presence.badge.id, house.activity.id, lines=listed(name), tells=False)
    with house.unit_of_work() as services:
        return [line.outcome for line in services.awards.award(house.campus, request, by=Actor(by)).lines]


def awardable(house: House, person_id: uuid.UUID, *roles: Role) -> set[str]:
    with house.unit_of_work(reading=True) as services:
        return {
            version.name for _, version in services.openings.awardable(house.campus, person_id, roles)
        }  # fmt: skip


def test_a_badge_is_for_every_trainer_until_it_is_reserved(house: House):
    yann = colleague(house)
    assert give(house, yann) == [LineOutcome.AWARDED]
    reserve(house, house.trainer.id)
    with pytest.raises(NotOpened, match="ne vous est pas ouvert"):
        give(house, yann, "Paul Petit;paul@exemple.fr")
    assert give(house, house.trainer.id, "Paul Petit;paul@exemple.fr") == [LineOutcome.AWARDED]
    assert "Robotique pour tous" not in awardable(house, yann, Role.TRAINER)
    assert "Robotique pour tous" in awardable(house, house.trainer.id, Role.TRAINER)


def test_an_administrator_awards_every_badge_of_the_campus(house: House):
    reserve(house, house.trainer.id)
    assert give(house, house.admin.id) == [LineOutcome.AWARDED]
    assert give(house, colleague(house, Role.TRAINER, Role.CAMPUS_ADMIN), "P Petit;p@exemple.fr") == [
        LineOutcome.AWARDED
    ]


def test_what_was_promised_is_not_given_once_the_badge_is_shut(house: House):
    yann = colleague(house)
    request = AwardRequest(
        house.presence.badge.id, house.activity.id, lines=listed("Zoé Martin;zoe@exemple.fr")
    )
    later = house.clock.now.replace(hour=20)
    with house.unit_of_work() as services:
        batch = services.awards.give(house.campus, request, by=Actor(yann), not_before=later)
    reserve(house, house.trainer.id)
    house.clock.now = later
    with house.unit_of_work() as services:
        services.bulk_awards.process_chunk(batch.id)
        [line] = services.awards.batch(house.campus, batch.id).lines
    assert line.outcome is LineOutcome.NOT_ALLOWED
    assert "n’est plus ouvert" in line.reason


def test_opening_by_badge_and_by_trainer_are_the_same_opening_and_each_is_in_the_history(house: House):
    yann, badge = colleague(house), house.presence.badge
    reserve(house, house.trainer.id, yann)
    with house.unit_of_work() as services:
        services.openings.set_for_trainer(house.campus, yann, [], by=Actor(house.admin.id))
        found = services.openings.of_badge(house.campus, badge.id)
        assert {person.id: opened for person, opened in found.trainers} == {
            house.trainer.id: True,
            yann: False,
        }
        services.openings.set_for_trainer(house.campus, yann, [badge.id], by=Actor(house.admin.id))
        services.openings.set_for_badge(house.campus, badge.id, everybody=True, by=Actor(house.admin.id))
        result = [
            (entry.action, entry.facts.get("person"))
            for entry, _ in services.badges.history.list_of("badge", badge.id)
            if entry.action.startswith(("open_to", "shut_to"))
        ]
    assert result[0] == ("open_to_some", None)
    assert set(result[1:3]) == {("open_to", str(house.trainer.id)), ("open_to", str(yann))}
    assert result[3:] == [("shut_to", str(yann)), ("open_to", str(yann)), ("open_to_all", None)]
    assert give(house, yann) == [LineOutcome.AWARDED]


def test_a_badge_is_not_reserved_to_nobody_nor_opened_elsewhere(house: House):
    with pytest.raises(InvalidInput):
        reserve(house)
    with pytest.raises(InvalidInput):
        reserve(house, house.stranger.id)
    with house.unit_of_work() as services:
        for action in (
            lambda: services.openings.set_for_badge(house.other_campus, house.presence.badge.id, everybody=True, by=COMMAND),
            lambda: services.openings.set_for_trainer(house.campus, house.stranger.id, [], by=COMMAND),
            lambda: services.openings.set_for_trainer(house.campus, house.admin.id, [], by=COMMAND),
        ):  # fmt: skip
            with pytest.raises(NotFound):
                action()


def test_a_badge_that_is_not_opened_is_neither_offered_nor_given_on_the_page(house: House):
    yann = colleague(house)
    reserve(house, house.trainer.id)
    with house.unit_of_work(reading=True) as services:
        person = services.people.people.get(yann)
    client = house.client(person)
    address = f"/gestion/itip/activites/{house.activity.id}/attribuer"
    assert "Robotique pour tous" not in client.get(address).text
    result = send(
        client,
        address,
        {"badge": str(house.presence.badge.id), "qui": "liste", "liste": "Zoé Martin; zoe@exemple.fr"},
    )
    assert (result.status_code, "ne vous est pas ouvert" in result.text) == (403, True)
    assert "zoe@exemple.fr" in result.text


def test_the_pages_open_and_shut_a_badge(house: House):
    admin, badge = house.client(house.admin), house.presence.badge
    page = f"/gestion/itip/badges/{badge.id}/formateurs"
    nobody = send(admin, page, {"pour": "certains"})
    assert (nobody.status_code, "au moins une personne" in nobody.text) == (422, True)
    assert send(admin, page, {"pour": "certains", "personne": str(house.trainer.id)}).status_code == 303
    member = f"/gestion/itip/equipe/{house.trainer.id}"
    assert f'value="{badge.id}" checked' in admin.get(member).text
    assert send(admin, f"{member}/badges", {}, seen_on=member).status_code == 303
    assert f'value="{badge.id}" checked' not in admin.get(member).text
    assert "Réservé à certains formateurs" in admin.get(f"/gestion/itip/badges/{badge.id}").text
