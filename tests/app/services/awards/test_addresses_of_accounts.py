"""An address that a person added to their account receives messages, and no campus can read it."""

from __future__ import annotations

import re
import uuid

import pytest

from app.db.engine import session
from app.domain.accounts.sessions import Scope
from app.domain.campus.audit_log import Actor
from app.services.awards.awards import AwardRequest
from tests.app.api.clients import program
from tests.support.app import App
from tests.support.databases.engines import as_owner

pytestmark = pytest.mark.both_engines

LISTED, PRIVATE = "zoe@exemple.fr", "zoe.prive@perso.example"


@pytest.fixture
def zoe(app: App) -> uuid.UUID:
    """A participant with an account; the campus never entered its main address."""
    given = app.award(f"MARTIN Zoé; {LISTED}")
    with app.unit_of_work() as services:
        person, own = services.awards.record(given.lines[0].award_id).person, services.own_addresses.own
        own.verify(person, LISTED, at=app.clock())
        services.people.people.add_address(person, PRIVATE)
        own.verify(person, PRIVATE, at=app.clock())
        own.make_main(person.id, PRIVATE)
        return person.id


def request(app: App, **who: object) -> AwardRequest:
    return AwardRequest(app.role.badge.id, app.activity.id, evidence="A tenu le stand.", tells=True, **who)  # type: ignore[arg-type]


@pytest.mark.parametrize("chosen", ["everybody", "participations"])
def test_the_campus_reads_its_own_address_while_the_message_goes_to_the_main_one(
    app: App, zoe: uuid.UUID, chosen: str
):
    with app.unit_of_work() as services:
        (there,) = services.stores.activities.participants(app.activity.id)
    who = {"everybody": True} if chosen == "everybody" else {"participation_ids": (there[0].id,)}
    asked, by = request(app, **who), Actor(app.trainer.id)
    with app.unit_of_work() as services:
        assert [one.line.address for one in services.awards.preview(app.campus, asked, by=by).lines] == [
            LISTED
        ]
        batch = services.awards.give(app.campus, asked, by=by)
    with app.unit_of_work(reading=True) as services:
        result = services.award_batches.result(app.campus, batch.id)
        assert [line.address for line in result.lines] == [LISTED]
        letters = services.stores.letters.of_awards([result.lines[0].award_id])
        assert [letter.address for letter in letters] == [PRIVATE]
        (delivery,) = services.delivery.of([services.awards.record(result.lines[0].award_id)])
        assert (delivery.address, delivery.is_hidden) == (LISTED, True)


def test_campus_pages_do_not_show_an_account_address(app: App, zoe: uuid.UUID):
    with app.unit_of_work() as services:
        services.awards.give(app.campus, request(app, everybody=True), by=Actor(app.trainer.id))
    admin, activity = app.client(app.admin), f"/gestion/itip/activites/{app.activity.id}"
    waiting, read = [activity, f"/gestion/itip/repertoire/{zoe}", "/gestion/itip/attributions"], set[str]()
    while waiting and len(read) < 60:
        path = waiting.pop(0)
        if path in read:
            continue
        read.add(path)
        shown = admin.get(path).text
        assert PRIVATE not in shown, path
        links = re.findall(r'href="(/gestion/itip/(?:attributions|resultats|activites)/[^"#?]+)"', shown)
        waiting += links
    assert any(path.endswith("/remise") for path in read)
    assert any(path.endswith("/liens.csv") for path in read)


def test_a_program_without_the_scope_for_addresses_gets_none_of_people_whom_it_chose(
    app: App, zoe: uuid.UUID
):
    for scopes, expected in (
        ([Scope.AWARD_CREATE], ""),
        ([Scope.AWARD_CREATE, Scope.PERSON_READ], LISTED),
    ):
        body = {
            "badge": str(app.role.badge.id),
            "activity": str(app.activity.id),
            "everybody": True,
            "evidence": "A tenu le stand.",
        }
        sent = program(app, *(each.value for each in scopes)).post(
            "/api/v1/campuses/itip/awards?dry_run=true", json=body
        )
        assert sent.status_code in (200, 201), sent.text
        assert [line["address"] for line in sent.json()["lines"]] == [expected]


def test_list_with_that_name_or_address_asks_without_showing_the_address(app: App, zoe: uuid.UUID):
    lines = [("Zoé", "Martin", "autre@exemple.fr"), ("Léo", "Dupont", PRIVATE), ("Zoé", "Martin", PRIVATE)]
    with app.unit_of_work(reading=True) as services:
        namesakes = services.namesakes
        asked = namesakes.known_beside(app.campus, None, lines, at_address=True)
    assert {at: [(one.person.id, one.address) for one in found] for at, found in asked.items()} == {
        0: [(zoe, LISTED)]
    }


def test_stored_lines_contain_no_address_that_a_person_removed(app: App, zoe: uuid.UUID):
    with app.unit_of_work() as services:
        batch = services.awards.give(app.campus, request(app, everybody=True), by=Actor(app.trainer.id))
        row = services.stores.batches.lines_of(batch.id)[0]
        row.address = PRIVATE  # as versions before 0.9 wrote it
        services.stores.people.session.add(row)

    def written() -> str:
        with app.unit_of_work(reading=True) as services:
            return services.stores.batches.lines_of(batch.id)[0].address

    def run_again() -> None:
        app.process.engine.dispose()
        url = as_owner(app.process.settings.database_url)
        session.downgrade(url, "0139")
        session.upgrade(url)

    def write(address: str) -> None:
        with app.unit_of_work() as services:
            row = services.stores.batches.lines_of(batch.id)[0]
            row.address = address

    run_again()
    assert written() == ""
    write(LISTED)
    run_again()
    assert written() == LISTED
    write(PRIVATE)
    with app.unit_of_work() as services:
        services.own_addresses.own.remove(zoe, PRIVATE)
    assert written() == ""
    write(LISTED)
    with app.unit_of_work() as services:
        services.own_addresses.own.remove(zoe, LISTED)
    assert written() == LISTED  # the list of the activity has it
