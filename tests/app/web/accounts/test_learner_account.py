"""« Retrouver tous mes badges »: a letter opens the reader's own badges at every campus, and no other badges."""

from __future__ import annotations

import re
from datetime import date

import pytest
from fastapi.testclient import TestClient

from app.domain.activities import Activity, ActivityKind
from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.domain.people import Role
from app.errors import Conflict
from app.services.awards.awards import AwardRequest
from app.services.badges import Wording
from app.services.learners.requests import RequestOutcome
from tests.support.app import COMMAND, App, listed, send

ZOE = "Zoé N’Diaye; zoe@exemple.fr"
_LINK = re.compile(r"http://localhost:8000(/connexion/\S+)")
FIND = "/mes-badges/retrouver"


def award_elsewhere(app: App, person: str = ZOE, title: str = "Dégustation"):
    """A badge of the other campus."""
    by = Actor(app.stranger.id)
    with app.unit_of_work() as services:
        wording = Wording(BadgeKind.PARTICIPATION, title, "Goûter.", "La personne a pris part à l’atelier.")
        badge = services.badges.create(app.other_campus, wording, slug="gout", by=COMMAND).badge
        activity = services.activities.create(
            Activity(kind=ActivityKind.WORKSHOP, title="Atelier du goût", starts_on=date(2026, 11, 24),
                     ends_on=date(2026, 11, 24), created_at=app.clock.now),
            [app.other_campus], by=by,
        )  # fmt: skip
        request = AwardRequest(badge.id, activity.id, lines=listed(person))
        return services.awards.award(app.other_campus, request, by=by)


def ask_for_letter(app: App, client: TestClient, address: str, *, seen_on: str = FIND, **sent: str):
    """The links of the letter that came, by the browser that asked for it."""
    before = len(app.letters.letters)
    answer = send(client, FIND, {"adresse": address, **sent}, seen_on=seen_on)
    assert answer.status_code == 200
    return [link for letter in app.letters.letters[before:] for link in _LINK.findall(letter.text)]


def enter(client: TestClient, link: str) -> str:
    answer = send(client, link)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_one_letter_shows_the_badges_of_every_campus_to_open_or_shut(app: App):
    here, there = app.award(ZOE), award_elsewhere(app)
    client = app.client()
    (link,) = ask_for_letter(app, client, "Zoe@Exemple.fr")
    assert "Ouvrir tous mes badges" in client.get(link).text
    assert enter(client, link) == "/mes-badges"
    shelf = client.get("/mes-badges").text
    for result in (here, there):
        assert f"/mes-badges/{result.lines[0].award_id}" in shelf
    assert "2 choses à faire" in shelf, "both badges have just arrived"
    assert "Atelier du goût" not in shelf, "no activity is named until its holder shows it"
    page = f"/mes-badges/{there.lines[0].award_id}"
    sent = send(client, f"{page}/visibilite", {"vue": "ouvert", "retour": "etagere"}, seen_on="/mes-badges")
    assert sent.headers["location"].startswith("/mes-badges?fait=ouvert")
    assert app.client().get(f"/attributions/{there.lines[0].award_id}").status_code == 200
    assert client.get(page).status_code == 200


def test_my_account_links_to_my_data_or_to_the_campus_that_has_them(app: App):
    result = app.award(ZOE)
    client = app.client()
    enter(client, ask_for_letter(app, client, "zoe@exemple.fr")[0])
    link = f"/mes-badges/{result.lines[0].award_id}/mes-donnees"
    assert f'href="{link}"' in client.get("/compte").text
    assert client.get(link).status_code == 200
    without_badge = app.client(app.trainer).get("/compte").text
    assert "écrivez au campus" in without_badge
    assert "/mes-donnees" not in without_badge


def test_two_badges_of_one_title_are_distinguished_by_activity_and_day(app: App):
    app.award(ZOE)
    award_elsewhere(app, title="Robotique pour tous")
    client = app.client()
    enter(client, ask_for_letter(app, client, "zoe@exemple.fr")[0])
    shelf = client.get("/mes-badges").text
    for activity in ("Atelier du goût", app.activity.title):
        assert f'<p class="differs">{activity}</p>' in shelf
        assert f", {activity}, 24" in shelf, "in the link's name too"


def test_own_page_shows_requests_and_what_waits_for_the_person(app: App):
    result = app.award(ZOE)
    with app.unit_of_work() as services:
        badge = services.badges.badges.get(app.role.badge.id)
        badge.accepts_requests = True
        record = services.awards.record(result.lines[0].award_id)
        asked = RequestOutcome(
            "Zoé", "N’Diaye", "zoe@exemple.fr", "J’ai tenu le stand toute la journée. " * 3
        )
        request = services.asking.ask(badge.id, asked, known=services.asking.known(record.person))
        token = services.asking.token_of(request)
    client = app.client()
    client.get(app.private_link(result))
    assert token not in client.get("/mes-badges").text, "a private link opens one badge, and no more"
    enter(client, ask_for_letter(app, client, "zoe@exemple.fr")[0])
    shelf = client.get("/mes-badges").text
    assert f"/demandes/{token}" in shelf
    assert "Le campus l’examine" in shelf
    assert "1 chose à faire" in shelf
    with app.unit_of_work() as services:
        services.reviewing.ask_more(app.campus, request.id, "Quel stand ?", by=Actor(app.admin.id))
    assert "attend une réponse" in client.get("/mes-badges").text


def test_a_second_message_within_a_minute_leaves(app: App):
    app.award(ZOE)
    client = app.client()
    assert len(ask_for_letter(app, client, "zoe@exemple.fr")) == 1
    app.clock.move(seconds=20)
    (link,) = ask_for_letter(app, client, "zoe@exemple.fr")
    assert enter(client, link) == "/mes-badges"


def test_the_badge_in_hand_makes_an_account_at_an_address_that_no_campus_knows(app: App):
    result = app.award("Zoé N’Diaye")
    client = app.client()
    client.get(app.private_link(result))
    award_id = str(result.lines[0].award_id)
    assert f"{FIND}?badge={award_id}" in client.get(f"/mes-badges/{award_id}").text
    (link,) = ask_for_letter(
        app, client, "zoe@maison.example", seen_on=f"{FIND}?badge={award_id}", badge=award_id
    )
    enter(client, link)
    assert "Retrouver tous mes badges" not in client.get(f"/mes-badges/{award_id}").text

    later = app.client()
    (again,) = ask_for_letter(app, later, "zoe@maison.example")
    enter(later, again)
    assert f"/mes-badges/{award_id}" in later.get("/mes-badges").text


def test_a_badge_not_shown_in_this_browser_reveals_no_address(app: App):
    award_id = str(app.award("Zoé N’Diaye").lines[0].award_id)
    assert ask_for_letter(app, app.client(), "zoe@maison.example", badge=award_id) == []


def test_once_an_address_is_proved_neither_a_list_nor_a_private_link_adds_another(app: App):
    """A trainer can write any address beside a name, and holds every private link of the activity."""
    result = app.award(ZOE)
    client = app.client()
    (link,) = ask_for_letter(app, client, "zoe@exemple.fr")
    enter(client, link)
    award_id = result.lines[0].award_id
    with app.unit_of_work() as services, pytest.raises(Conflict):
        services.delivery.write_again(
            app.campus, award_id, "mechant@ailleurs.example", by=Actor(app.trainer.id)
        )
    app.clock.move(minutes=2)
    thief = app.client()
    thief.get(app.private_link(result))
    for sent in ({}, {"badge": str(award_id)}):
        assert ask_for_letter(app, thief, "mechant@ailleurs.example", **sent) == []


def test_an_address_from_a_list_does_not_open_the_account_of_a_staff_member(app: App):
    app.award("Inès D’Arcy")
    with app.unit_of_work() as services:
        person = services.people.people.get(app.stranger.id)
        services.people.people.add_address(person, "mechant@ailleurs.example")
    assert ask_for_letter(app, app.client(), "mechant@ailleurs.example") == []


def test_an_address_proved_before_one_is_hired_does_not_open_the_campus(app: App):
    """The same record was listed with two addresses; the owner of the second address signs in first."""
    result = app.award("DUPONT Jean; jean@exemple.fr")
    with app.unit_of_work() as services:
        services.delivery.write_again(
            app.campus, result.lines[0].award_id, "mechant@ailleurs.example", by=Actor(app.trainer.id)
        )
    thief = app.client()
    (link,) = ask_for_letter(app, thief, "mechant@ailleurs.example")
    enter(thief, link)
    with app.unit_of_work() as services:
        services.people.add_staff(
            app.campus, given_name="Jean", family_name="Dupont", address="jean@exemple.fr",
            role=Role.CAMPUS_ADMIN, by=COMMAND,
        )  # fmt: skip
    assert thief.get("/gestion/itip").status_code == 404


def test_a_family_s_address_opens_each_one_s_own_badges(app: App):
    result = app.award("Zoé Faure; famille@exemple.fr", "Léo Faure; famille@exemple.fr")
    client = app.client()
    links = ask_for_letter(app, client, "famille@exemple.fr")
    assert len(links) == 2
    assert "Zoé Faure" in app.letters.letters[-1].text
    enter(client, links[0])
    shelf = client.get("/mes-badges").text
    seen = [str(line.award_id) in shelf for line in result.lines]
    assert sorted(seen) == [False, True]


def test_an_unknown_address_gets_the_same_answer_and_no_letter(app: App):
    client = app.client()
    assert ask_for_letter(app, client, "inconnue@exemple.fr") == []
    known, unknown = (
        re.sub(r'value="[^"]*"', "", send(app.client(), FIND, {"adresse": address}).text)
        for address in ("le.goff@exemple.fr", "inconnue@exemple.fr")
    )
    assert known == unknown


def test_a_private_link_keeps_working_for_a_person_without_an_account(app: App):
    result = app.award(ZOE)
    client = app.client()
    (link,) = ask_for_letter(app, client, "zoe@exemple.fr")
    enter(client, link)
    send(client, "/mes-badges/quitter", seen_on="/mes-badges")
    assert client.get(f"/mes-badges/{result.lines[0].award_id}").status_code == 401
    assert client.get(app.private_link(result)).status_code == 303
    assert client.get(f"/mes-badges/{result.lines[0].award_id}").status_code == 200


@pytest.mark.parametrize("path", ["/gestion", "/compte"])
def test_a_learner_who_is_signed_in_works_nowhere(app: App, path: str):
    app.award(ZOE)
    client = app.client()
    (link,) = ask_for_letter(app, client, "zoe@exemple.fr")
    enter(client, link)
    assert client.get(path).status_code == 200
    assert client.get("/gestion/itip").status_code == 404
