"""« Retrouver tous mes badges »: a letter to one's address opens the badges of every campus, and nobody else's."""

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
from tests.support.house import COMMAND, House, listed, send

ZOE = "Zoé N’Diaye; zoe@exemple.fr"
_LINK = re.compile(r"http://localhost:8000(/connexion/\S+)")
FIND = "/mes-badges/retrouver"


def award_elsewhere(house: House, person: str = ZOE, title: str = "Dégustation"):
    """A badge of the other campus."""
    by = Actor(house.stranger.id)
    with house.unit_of_work() as services:
        wording = Wording(BadgeKind.PARTICIPATION, title, "Goûter.", "La personne a pris part à l’atelier.")
        badge = services.badges.create(house.other_campus, wording, slug="gout", by=COMMAND).badge
        activity = services.activities.create(
            Activity(kind=ActivityKind.WORKSHOP, title="Atelier du goût", starts_on=date(2026, 11, 24),
                     ends_on=date(2026, 11, 24), created_at=house.clock.now),
            [house.other_campus], by=by,
        )  # fmt: skip
        request = AwardRequest(badge.id, activity.id, lines=listed(person))
        return services.awards.award(house.other_campus, request, by=by)


def ask_for_letter(house: House, client: TestClient, address: str, *, seen_on: str = FIND, **sent: str):
    """The links of the letter that came, by the browser that asked for it."""
    before = len(house.letters.letters)
    answer = send(client, FIND, {"adresse": address, **sent}, seen_on=seen_on)
    assert answer.status_code == 200
    return [link for letter in house.letters.letters[before:] for link in _LINK.findall(letter.text)]


def enter(client: TestClient, link: str) -> str:
    answer = send(client, link)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_one_letter_shows_the_badges_of_every_campus_to_open_or_shut(house: House):
    here, there = house.award(ZOE), award_elsewhere(house)
    client = house.client()
    (link,) = ask_for_letter(house, client, "Zoe@Exemple.fr")
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
    assert house.client().get(f"/attributions/{there.lines[0].award_id}").status_code == 200
    assert client.get(page).status_code == 200


def test_two_badges_of_one_title_are_told_apart_by_activity_and_day(house: House):
    house.award(ZOE)
    award_elsewhere(house, title="Robotique pour tous")
    client = house.client()
    enter(client, ask_for_letter(house, client, "zoe@exemple.fr")[0])
    shelf = client.get("/mes-badges").text
    for activity in ("Atelier du goût", house.activity.title):
        assert f'<p class="differs">{activity}</p>' in shelf
        assert f", {activity}, 24" in shelf, "in the link's name too"


def test_own_page_shows_requests_and_what_waits_for_the_person(house: House):
    result = house.award(ZOE)
    with house.unit_of_work() as services:
        badge = services.badges.badges.get(house.role.badge.id)
        badge.accepts_requests = True
        record = services.awards.record(result.lines[0].award_id)
        asked = RequestOutcome(
            "Zoé", "N’Diaye", "zoe@exemple.fr", "J’ai tenu le stand toute la journée. " * 3
        )
        request = services.asking.ask(badge.id, asked, known=services.asking.known(record.person))
        token = services.asking.token_of(request)
    client = house.client()
    client.get(house.private_link(result))
    assert token not in client.get("/mes-badges").text, "a private link opens one badge, and no more"
    enter(client, ask_for_letter(house, client, "zoe@exemple.fr")[0])
    shelf = client.get("/mes-badges").text
    assert f"/demandes/{token}" in shelf
    assert "Le campus l’examine" in shelf
    assert "1 chose à faire" in shelf
    with house.unit_of_work() as services:
        services.reviewing.ask_more(house.campus, request.id, "Quel stand ?", by=Actor(house.admin.id))
    assert "attend une réponse" in client.get("/mes-badges").text


def test_a_second_message_within_a_minute_leaves(house: House):
    house.award(ZOE)
    client = house.client()
    assert len(ask_for_letter(house, client, "zoe@exemple.fr")) == 1
    house.clock.move(seconds=20)
    (link,) = ask_for_letter(house, client, "zoe@exemple.fr")
    assert enter(client, link) == "/mes-badges"


def test_the_badge_in_hand_makes_an_account_at_an_address_that_no_campus_knows(house: House):
    result = house.award("Zoé N’Diaye")
    client = house.client()
    client.get(house.private_link(result))
    award_id = str(result.lines[0].award_id)
    assert f"{FIND}?badge={award_id}" in client.get(f"/mes-badges/{award_id}").text
    (link,) = ask_for_letter(
        house, client, "zoe@maison.example", seen_on=f"{FIND}?badge={award_id}", badge=award_id
    )
    enter(client, link)
    assert "Retrouver tous mes badges" not in client.get(f"/mes-badges/{award_id}").text

    later = house.client()
    (again,) = ask_for_letter(house, later, "zoe@maison.example")
    enter(later, again)
    assert f"/mes-badges/{award_id}" in later.get("/mes-badges").text


def test_a_badge_that_this_browser_was_not_shown_names_nobody_s_address(house: House):
    award_id = str(house.award("Zoé N’Diaye").lines[0].award_id)
    assert ask_for_letter(house, house.client(), "zoe@maison.example", badge=award_id) == []


def test_once_an_address_is_proved_neither_a_list_nor_a_private_link_adds_another(house: House):
    """A trainer can write any address beside a name, and holds every private link of the activity."""
    result = house.award(ZOE)
    client = house.client()
    (link,) = ask_for_letter(house, client, "zoe@exemple.fr")
    enter(client, link)
    award_id = result.lines[0].award_id
    with house.unit_of_work() as services, pytest.raises(Conflict):
        services.delivery.write_again(
            house.campus, award_id, "mechant@ailleurs.example", by=Actor(house.trainer.id)
        )
    house.clock.move(minutes=2)
    thief = house.client()
    thief.get(house.private_link(result))
    for sent in ({}, {"badge": str(award_id)}):
        assert ask_for_letter(house, thief, "mechant@ailleurs.example", **sent) == []


def test_what_a_list_says_is_no_way_into_the_account_of_somebody_who_works_here(house: House):
    house.award("Inès D’Arcy")
    with house.unit_of_work() as services:
        person = services.people.people.get(house.stranger.id)
        services.people.people.add_address(person, "mechant@ailleurs.example")
    assert ask_for_letter(house, house.client(), "mechant@ailleurs.example") == []


def test_an_address_made_one_s_own_before_one_is_hired_is_no_way_into_the_campus(house: House):
    """The same record was listed with two addresses; whoever reads the second comes first."""
    result = house.award("DUPONT Jean; jean@exemple.fr")
    with house.unit_of_work() as services:
        services.delivery.write_again(
            house.campus, result.lines[0].award_id, "mechant@ailleurs.example", by=Actor(house.trainer.id)
        )
    thief = house.client()
    (link,) = ask_for_letter(house, thief, "mechant@ailleurs.example")
    enter(thief, link)
    with house.unit_of_work() as services:
        services.people.add_staff(
            house.campus, given_name="Jean", family_name="Dupont", address="jean@exemple.fr",
            role=Role.CAMPUS_ADMIN, by=COMMAND,
        )  # fmt: skip
    assert thief.get("/gestion/itip").status_code == 404


def test_a_family_s_address_opens_each_one_s_own_badges(house: House):
    result = house.award("Zoé Faure; famille@exemple.fr", "Léo Faure; famille@exemple.fr")
    client = house.client()
    links = ask_for_letter(house, client, "famille@exemple.fr")
    assert len(links) == 2
    assert "Zoé Faure" in house.letters.letters[-1].text
    enter(client, links[0])
    shelf = client.get("/mes-badges").text
    seen = [str(line.award_id) in shelf for line in result.lines]
    assert sorted(seen) == [False, True]


def test_nobody_known_gets_the_same_answer_and_no_letter(house: House):
    client = house.client()
    assert ask_for_letter(house, client, "inconnue@exemple.fr") == []
    known, unknown = (
        re.sub(r'value="[^"]*"', "", send(house.client(), FIND, {"adresse": address}).text)
        for address in ("le.goff@exemple.fr", "inconnue@exemple.fr")
    )
    assert known == unknown


def test_whoever_never_asks_keeps_their_private_link(house: House):
    result = house.award(ZOE)
    client = house.client()
    (link,) = ask_for_letter(house, client, "zoe@exemple.fr")
    enter(client, link)
    send(client, "/mes-badges/quitter", seen_on="/mes-badges")
    assert client.get(f"/mes-badges/{result.lines[0].award_id}").status_code == 401
    assert client.get(house.private_link(result)).status_code == 303
    assert client.get(f"/mes-badges/{result.lines[0].award_id}").status_code == 200


@pytest.mark.parametrize("path", ["/gestion", "/compte"])
def test_a_learner_who_is_signed_in_works_nowhere(house: House, path: str):
    house.award(ZOE)
    client = house.client()
    (link,) = ask_for_letter(house, client, "zoe@exemple.fr")
    enter(client, link)
    assert client.get(path).status_code == 200
    assert client.get("/gestion/itip").status_code == 404
