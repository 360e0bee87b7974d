"""A private link, which the campus has too, opens one badge of a person who has an account, and nothing else."""

from __future__ import annotations

import uuid
from datetime import date

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from app.domain.activities import Activity, ActivityKind
from app.domain.activities.check_in import Ticket, new_phone
from app.domain.campus.audit_log import Actor
from app.domain.learners.requests import BadgeRequest, RequestState
from sceau_credentials.values import parse_json_object
from tests.app.services.activities.test_rooms import sign
from tests.app.services.learners.test_requests import accepting
from tests.support.app import COMMAND, App, send

PRIVATE = "zoe.prive@exemple.fr"
LEARNER = "Zoé Martin; zoe.au.lycee@exemple.fr"


@pytest.fixture
def award_ids(app: App) -> list[uuid.UUID]:
    """Two badges of one learner; the link is to the first."""
    found = []
    for badge in (app.presence, app.role):
        award_id = app.award(LEARNER, badge=badge, evidence="A tenu le poste.").lines[0].award_id
        assert award_id is not None
        found.append(award_id)
        app.clock.move(minutes=1)
    return found


def open_account(app: App, award_id: uuid.UUID) -> None:
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        services.stores.people.add_address(person, PRIVATE)
        services.sign_in.own_addresses.verify(person, PRIVATE, at=app.clock())
        services.sign_in.own_addresses.make_main(person.id, PRIVATE)


@pytest.fixture
def lent(app: App, award_ids: list[uuid.UUID]) -> TestClient:
    """A browser with the link to the first badge, opened before the learner has an account."""
    with app.unit_of_work() as services:
        link = services.people.links_to_hand([award_ids[0]])[award_ids[0]]
    client = app.client()
    assert client.get(f"/recevoir/{link}").status_code == 303
    return client


def test_link_neither_shows_the_main_address_nor_asks_for_a_badge_in_the_holders_name(
    app: App, award_ids: list[uuid.UUID], lent: TestClient
) -> None:
    badge = accepting(app, app.role.badge.id)
    open_account(app, award_ids[0])
    page = lent.get(f"/badges/{badge}/demande")
    assert PRIVATE not in page.text
    assert "Zoé Martin" not in page.text
    form = {"prenom": "Zoé", "nom": "Martin", "adresse": PRIVATE, "recit": "J’ai animé deux ateliers, seule."}
    send(lent, f"/badges/{badge}/demande", form)
    with app.unit_of_work() as services:
        states = [each.state for each in services.stores.session.exec(select(BadgeRequest))]
    assert set(states) <= {RequestState.UNCONFIRMED}


def test_link_shows_no_other_campus_and_takes_back_no_presence_there(
    app: App, award_ids: list[uuid.UUID], lent: TestClient
) -> None:
    other, day = app.other_campus, date(2026, 11, 24)
    with app.unit_of_work() as services:
        activity = services.activities.create(
            Activity(kind=ActivityKind.WORKSHOP, title="Groupe de parole", starts_on=day, ends_on=day,
                     created_at=app.clock()), [other], by=COMMAND,
        )  # fmt: skip
        services.rooms.open(other, activity.id, capacity=None, by=Actor(app.stranger.id))
    phone = new_phone()
    with app.unit_of_work(reading=True) as services:
        door = services.rooms.access(services.rooms.page(other, activity.id).code, phone)
    sign(
        app,
        Ticket(door.room.id, phone, app.clock.now),
        "Zoé Martin",
        "zoe.au.lycee@exemple.fr",
        under_15=False,
    )
    mine = f"/mes-badges/{award_ids[0]}/mes-donnees"
    before = lent.get(mine)
    open_account(app, award_ids[0])
    for path in (mine, f"/mes-badges/{award_ids[0]}/effacement"):
        page = lent.get(path)
        assert (page.status_code, other.name in page.text) == (401, False)
    refused = send(
        lent, f"{mine}/emargement", {"campus": str(other.id)}, seen_on=f"/mes-badges/{award_ids[0]}"
    )
    assert (before.status_code, refused.status_code) == (200, 401)
    with app.unit_of_work(reading=True) as services:
        found = services.activities.page(other, activity.id)
        assert (len(found.participants), len(found.absent)) == (1, 0)


def test_log_by_a_link_has_only_the_lines_of_its_badge(
    app: App, award_ids: list[uuid.UUID], lent: TestClient
) -> None:
    journal = f"/mes-badges/{award_ids[0]}/journal"

    def lines() -> list[str]:
        document = parse_json_object(lent.get(f"{journal}/mon-journal.json").content)
        found = document["lines"]
        assert isinstance(found, list)
        return [str(each) for each in found]

    whole = lines()
    assert any(str(award_ids[1]) in each for each in whole)
    open_account(app, award_ids[0])
    left = lines()
    assert left
    assert len(left) < len(whole)
    assert any(str(award_ids[0]) in each for each in left)
    assert not any(str(award_ids[1]) in each for each in left)
    page = lent.get(journal)
    assert page.status_code == 200
    assert "Se connecter, pour voir tout le journal." in page.text
    assert "Ajouter une contribution" not in page.text
    assert "Qui a regardé ce qui est à moi" not in page.text
    assert lent.get(f"{journal}/mon-journal.pdf").status_code == 200
    assert lent.get(f"{journal}/contributions/nouvelle").status_code == 401
