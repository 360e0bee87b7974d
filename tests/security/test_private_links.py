"""Private links are shown to awarding staff only for people without an account or a role."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import pytest

from app.domain.people import Person
from app.domain.people import Role as StaffRole
from app.errors import Conflict
from app.services.accounts.sessions import Browser
from tests.app.api.clients import program
from tests.app.web.accounts.test_own_addresses import leave
from tests.support.app import COMMAND, App, build_app, send
from tests.support.databases.engines import temporary_walled

NEWCOMER = {"given_name": "Zoé", "family_name": "N’Diaye", "address": "zoe@exemple.fr"}


def listed_as(app: App, person: Person) -> dict[str, str]:
    with app.unit_of_work(reading=True) as services:
        address = services.people.people.addresses_of([person.id])[person.id]
    return {"given_name": person.given_name, "family_name": person.family_name, "address": address}


def given(app: App, *people: dict[str, str], key: str = "one"):
    body = {"badge": str(app.presence.badge.id), "activity": str(app.activity.id), "people": [*people]}
    answer = program(app, "award:create").post(
        "/api/v1/campuses/itip/awards", json=body, headers={"idempotency-key": key}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def ways(answer) -> list[tuple[str, bool]]:
    return [(line["delivery"], bool(line["private_link"])) for line in answer["lines"]]


def make_account(app: App, award_id: str, address: str) -> None:
    with app.unit_of_work() as services:
        person = services.awards.record(uuid.UUID(award_id)).person
        secret = services.sign_in.make_link(person.id, by=COMMAND, address=address)
    with app.unit_of_work() as services:
        services.sign_in.by_link(secret, Browser())


def test_the_api_returns_private_links_only_of_people_without_account_or_role(app: App):
    stranger = listed_as(app, app.stranger)
    assert ways(given(app, NEWCOMER, stranger)) == [("private_link", True), ("account", False)]


def test_a_repeated_request_returns_no_link_after_an_account_was_created(app: App):
    first = given(app, NEWCOMER)
    assert ways(first) == [("private_link", True)]
    make_account(app, first["lines"][0]["award"], NEWCOMER["address"])
    assert ways(given(app, NEWCOMER)) == [("account", False)]


@pytest.mark.postgres
def test_a_role_at_another_campus_counts_behind_row_level_security(
    migrated_postgres: str, postgres_server: str, tmp_path: Path
):
    with temporary_walled(postgres_server, migrated_postgres) as url:
        app = build_app(url, tmp_path)
        first = given(app, NEWCOMER)
        with app.unit_of_work() as services:
            person = services.awards.record(uuid.UUID(first["lines"][0]["award"])).person
            services.team.memberships.give(app.other_campus, person, StaffRole.TRAINER, by=COMMAND)
        assert ways(given(app, NEWCOMER)) == [("account", False)]
        app.close()


def test_staff_pages_show_no_private_link_of_an_account(app: App):
    stranger = listed_as(app, app.stranger)
    result = app.award(
        f"{stranger['family_name']} {stranger['given_name']}; {stranger['address']}", "N’Diaye Zoé"
    )
    theirs, new = (line.award_id for line in result.lines)
    trainer, batch = app.client(app.trainer), f"/gestion/itip/resultats/{result.batch.id}"
    for page in (batch, f"{batch}/liens.csv"):
        shown = trainer.get(page) if "csv" not in page else app.client(app.admin).get(page)
        assert f"/recevoir/{new}" in shown.text, page
        assert f"/recevoir/{theirs}" not in shown.text, page
        assert "Dans son compte" in shown.text, page
    for award_id, is_shown in ((theirs, False), (new, True)):
        for page in (
            f"/gestion/itip/attributions/{award_id}",
            f"/gestion/itip/attributions/{award_id}/remise",
        ):
            assert (f"/recevoir/{award_id}" in trainer.get(page).text) is is_shown, page
        delivery = f"/gestion/itip/attributions/{award_id}/remise"
        code = send(trainer, f"/gestion/itip/attributions/{award_id}/code", seen_on=delivery)
        assert ('class="code' in code.text or "recuperer" in code.text) is is_shown
        slip = send(trainer, f"/gestion/itip/attributions/{award_id}/bulletin", seen_on=delivery)
        assert slip.status_code == (200 if is_shown else 409)


def test_private_links_of_an_account_are_sent_only_to_its_own_address(app: App):
    stranger = listed_as(app, app.stranger)
    result = app.award(f"{stranger['family_name']} {stranger['given_name']}; {stranger['address']}")
    award_id = result.lines[0].award_id
    with app.unit_of_work() as services:
        services.delivery.write_again(app.campus, award_id, stranger["address"], by=COMMAND)
    leave(app)
    letter = next(each for each in reversed(app.letters.letters) if each.to == stranger["address"])
    assert f"/recevoir/{award_id}" in letter.text
    with app.unit_of_work() as services, pytest.raises(Conflict, match="a un compte"):
        services.delivery.write_again(app.campus, award_id, "formateur@exemple.fr", by=COMMAND)
    leave(app)
    assert all(each.to != "formateur@exemple.fr" for each in app.letters.letters)


def test_a_private_link_cannot_change_settings_of_the_account(app: App):
    result = app.award("N’Diaye Zoé; zoe@exemple.fr")
    client = app.client()
    mine = client.get(app.private_link(result)).headers["location"]
    assert send(client, f"{mine}/nom", {"nom": "oui"}, seen_on=mine).status_code == 303
    make_account(app, str(result.lines[0].award_id), "zoe@exemple.fr")
    assert send(client, f"{mine}/nom", {"nom": ""}, seen_on=mine).status_code == 401
    with app.unit_of_work(reading=True) as services:
        assert services.awards.record(result.lines[0].award_id).person.allows_name
    assert send(client, f"{mine}/visibilite", {"vue": "ouvert"}, seen_on=mine).status_code == 303


# --- private pages after sign-out

_TOKEN_FIELD = re.compile(r'name="jeton" value="([^"]+)"')


def receive(app: App, who: str = "MARTIN Chloé; chloe@exemple.fr"):
    result = app.award(who)
    client = app.client()
    page = client.get(app.private_link(result)).headers["location"]
    return client, page


def test_signing_out_ends_the_session_on_the_server(app: App):
    client, page = receive(app)
    kept = client.cookies["badges"]
    assert send(client, "/mes-badges/quitter", seen_on="/mes-badges").status_code == 303

    thief = app.client()
    thief.cookies.set("badges", kept)
    assert thief.get(page).status_code == 401


def test_a_form_token_is_refused_in_another_browser(app: App):
    """A form token from another browser is refused: tokens are bound to the browser."""
    client, page = receive(app)
    anybody_s = _TOKEN_FIELD.search(app.client().get("/verifier").text)
    assert anybody_s
    refused = client.post(f"{page}/visibilite", data={"jeton": anybody_s[1], "vue": "ouvert"})
    assert refused.status_code == 403
    assert send(client, f"{page}/visibilite", {"vue": "ouvert"}, seen_on=page).status_code == 303


def test_a_badge_picture_is_private_until_the_first_award(app: App):
    """Its title may still change; it must not be public before the first award."""
    path = f"/badges/{app.presence.badge.id}/v1/image"
    assert app.client().get(f"{path}.svg").status_code == 404
    assert app.client(app.stranger).get(f"{path}.png").status_code == 404
    shown = app.client(app.trainer).get(f"{path}.svg")
    assert shown.status_code == 200
    assert shown.headers["cache-control"] == "no-store"

    app.award("MARTIN Chloé; chloe@exemple.fr")
    world = app.client().get(f"{path}.svg")
    assert world.status_code == 200
    assert "public" in world.headers["cache-control"]


def test_a_trainer_cannot_award_a_badge_to_themselves(app: App):
    """A line without an address creates a new person, so the name is compared; an address disambiguates a namesake."""
    result = app.award("LE GOFF Anaïs", "Anais Le-Goff", "LE GOFF Anaïs; homonyme@exemple.fr")
    assert [line.outcome.value for line in result.lines] == ["oneself", "awarded", "repeated_line"]
