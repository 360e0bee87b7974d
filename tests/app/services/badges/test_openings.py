"""A trainer awards only badges opened to them, at once or planned, whatever the page showed."""

from __future__ import annotations

import uuid

import pytest

from app.domain.awards import LineOutcome
from app.domain.badges import NotOpened
from app.domain.campus.audit_log import Actor
from app.domain.people import Role
from app.errors import InvalidInput, NotFound
from app.services.awards.awards import AwardRequest
from tests.support.app import COMMAND, App, listed, send


def reserve(app: App, *people: uuid.UUID) -> None:
    """Reserve the badge of presence for these people."""
    with app.unit_of_work() as services:
        services.openings.set_for_badge(
            app.campus, app.presence.badge.id, everybody=False, people=people, by=Actor(app.admin.id)
        )


def colleague(app: App, *roles: Role) -> uuid.UUID:
    with app.unit_of_work() as services:
        for role in roles or (Role.TRAINER,):
            person = services.people.add_staff(
                app.campus, given_name="Yann", family_name="Kerbrat", address="kerbrat@exemple.fr",
                role=role, by=COMMAND,
            )  # fmt: skip
    return person.id


def give(app: App, by: uuid.UUID, name: str = "Zoé Martin;zoe@exemple.fr") -> list[LineOutcome]:
    request = AwardRequest(app.presence.badge.id, app.activity.id, lines=listed(name), tells=False)
    with app.unit_of_work() as services:
        return [line.outcome for line in services.awards.award(app.campus, request, by=Actor(by)).lines]


def awardable(app: App, person_id: uuid.UUID, *roles: Role) -> set[str]:
    with app.unit_of_work(reading=True) as services:
        return {
            version.name for _, version in services.openings.awardable(app.campus, person_id, roles)
        }  # fmt: skip


def test_a_badge_is_for_every_trainer_until_it_is_reserved(app: App):
    yann = colleague(app)
    assert give(app, yann) == [LineOutcome.AWARDED]
    reserve(app, app.trainer.id)
    with pytest.raises(NotOpened, match="ne vous est pas ouvert"):
        give(app, yann, "Paul Petit;paul@exemple.fr")
    assert give(app, app.trainer.id, "Paul Petit;paul@exemple.fr") == [LineOutcome.AWARDED]
    assert "Robotique pour tous" not in awardable(app, yann, Role.TRAINER)
    assert "Robotique pour tous" in awardable(app, app.trainer.id, Role.TRAINER)


def test_an_administrator_awards_every_badge_of_the_campus(app: App):
    reserve(app, app.trainer.id)
    assert give(app, app.admin.id) == [LineOutcome.AWARDED]
    assert give(app, colleague(app, Role.TRAINER, Role.CAMPUS_ADMIN), "P Petit;p@exemple.fr") == [
        LineOutcome.AWARDED
    ]


def test_planned_award_is_refused_after_the_badge_was_reserved_for_others(app: App):
    yann = colleague(app)
    request = AwardRequest(app.presence.badge.id, app.activity.id, lines=listed("Zoé Martin;zoe@exemple.fr"))
    later = app.clock.now.replace(hour=20)
    with app.unit_of_work() as services:
        batch = services.awards.give(app.campus, request, by=Actor(yann), not_before=later)
    reserve(app, app.trainer.id)
    app.clock.now = later
    with app.unit_of_work() as services:
        services.bulk_awards.process_chunk(batch.id)
        [line] = services.award_batches.result(app.campus, batch.id).lines
    assert line.outcome is LineOutcome.NOT_ALLOWED
    assert "n’est plus ouvert" in line.reason


def test_opening_by_badge_and_by_trainer_are_the_same_opening_and_each_is_in_the_history(app: App):
    yann, badge = colleague(app), app.presence.badge
    reserve(app, app.trainer.id, yann)
    with app.unit_of_work() as services:
        services.openings.set_for_trainer(app.campus, yann, [], by=Actor(app.admin.id))
        found = services.openings.of_badge(app.campus, badge.id)
        assert {person.id: opened for person, opened in found.trainers} == {
            app.trainer.id: True,
            yann: False,
        }
        services.openings.set_for_trainer(app.campus, yann, [badge.id], by=Actor(app.admin.id))
        services.openings.set_for_badge(app.campus, badge.id, everybody=True, by=Actor(app.admin.id))
        result = [
            (entry.action, entry.facts.get("person"))
            for entry, _ in services.badges.history.list_of("badge", badge.id)
            if entry.action.startswith(("open_to", "shut_to"))
        ]
    assert result[0] == ("open_to_some", None)
    assert set(result[1:3]) == {("open_to", str(app.trainer.id)), ("open_to", str(yann))}
    assert result[3:] == [("shut_to", str(yann)), ("open_to", str(yann)), ("open_to_all", None)]
    assert give(app, yann) == [LineOutcome.AWARDED]


def test_badge_cannot_be_reserved_for_no_one_or_for_people_of_another_campus(app: App):
    with pytest.raises(InvalidInput):
        reserve(app)
    with pytest.raises(InvalidInput):
        reserve(app, app.stranger.id)
    with app.unit_of_work() as services:
        for action in (
            lambda: services.openings.set_for_badge(app.other_campus, app.presence.badge.id, everybody=True, by=COMMAND),
            lambda: services.openings.set_for_trainer(app.campus, app.stranger.id, [], by=COMMAND),
            lambda: services.openings.set_for_trainer(app.campus, app.admin.id, [], by=COMMAND),
        ):  # fmt: skip
            with pytest.raises(NotFound):
                action()


def test_a_badge_that_is_not_opened_is_neither_offered_nor_given_on_the_page(app: App):
    yann = colleague(app)
    reserve(app, app.trainer.id)
    with app.unit_of_work(reading=True) as services:
        person = services.people.people.get(yann)
    client = app.client(person)
    address = f"/gestion/itip/activites/{app.activity.id}/attribuer"
    assert "Robotique pour tous" not in client.get(address).text
    result = send(
        client,
        address,
        {"badge": str(app.presence.badge.id), "qui": "liste", "liste": "Zoé Martin; zoe@exemple.fr"},
    )
    assert (result.status_code, "ne vous est pas ouvert" in result.text) == (403, True)
    assert "zoe@exemple.fr" in result.text


def test_pages_open_and_reserve_a_badge(app: App):
    admin, badge = app.client(app.admin), app.presence.badge
    page = f"/gestion/itip/badges/{badge.id}/formateurs"
    nobody = send(admin, page, {"pour": "certains"})
    assert (nobody.status_code, "au moins une personne" in nobody.text) == (422, True)
    assert send(admin, page, {"pour": "certains", "personne": str(app.trainer.id)}).status_code == 303
    member = f"/gestion/itip/equipe/{app.trainer.id}"
    assert f'value="{badge.id}" checked' in admin.get(member).text
    assert send(admin, f"{member}/badges", {}, seen_on=member).status_code == 303
    assert f'value="{badge.id}" checked' not in admin.get(member).text
    assert "Réservé à certains formateurs" in admin.get(f"/gestion/itip/badges/{badge.id}").text
