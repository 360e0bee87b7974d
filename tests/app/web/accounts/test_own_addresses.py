"""« Mes adresses »: several of one's own, each proved by its letter; leaving school loses no badge."""

from __future__ import annotations

import hashlib
import re

import pytest
from fastapi.testclient import TestClient

from app.domain.campus.audit_log import Actor
from app.errors import Conflict
from tests.app.web.accounts.test_learner_account import ZOE, ask_for_letter, award_elsewhere, enter
from tests.support.house import House, send

ADDRESSES = "/compte/adresses"
HOME = "zoe@maison.example"
_LINK = re.compile(r"http://localhost:8000(/compte/adresses/confirmer/\S+)")
_CODE = re.compile(r"\b[A-Z2-7]{4}-[A-Z2-7]{4}\b")


@pytest.fixture
def result(house: House):
    return house.award(ZOE)


@pytest.fixture
def zoe(house: House, result) -> TestClient:
    """Signed in with the address of her school."""
    client = house.client()
    (link,) = ask_for_letter(house, client, "zoe@exemple.fr")
    enter(client, link)
    house.letters.letters.clear()
    return client


def leave(house: House) -> None:
    """Every promised letter leaves."""
    post = house.process.post
    for envelope in post.due():
        post.send(envelope)


def add(house: House, client: TestClient, address: str = HOME) -> tuple[str, str]:
    """The link and the code of the letter that came."""
    answer = send(client, ADDRESSES, {"adresse": address})
    assert answer.headers["location"].endswith("fait=lettre"), answer.text
    leave(house)
    letter = next(
        each for each in reversed(house.letters.letters) if each.to == address and _LINK.search(each.text)
    )
    return _LINK.findall(letter.text)[0], _CODE.findall(letter.text)[0]


def test_a_second_address_opens_the_badges_and_the_first_may_go(house: House, zoe: TestClient, result):
    link, _ = add(house, zoe)
    assert send(zoe, link).headers["location"].startswith(ADDRESSES)
    leave(house)
    assert [letter.to for letter in house.letters.letters][-1] == "zoe@exemple.fr", "the old one is told"
    assert send(zoe, f"{ADDRESSES}/principale", {"adresse": HOME}, seen_on=ADDRESSES).status_code == 303
    assert (
        send(zoe, f"{ADDRESSES}/retirer", {"adresse": "zoe@exemple.fr"}, seen_on=ADDRESSES).status_code == 303
    )
    leave(house)
    assert "zoe@exemple.fr" in [letter.to for letter in house.letters.letters[2:]]

    house.clock.move(minutes=5)
    later = house.client()
    (way_in,) = ask_for_letter(house, later, HOME)
    enter(later, way_in)
    assert str(result.lines[0].award_id) in later.get("/mes-badges").text
    assert ask_for_letter(house, house.client(), "zoe@exemple.fr") == []


def test_the_last_proved_address_stays(house: House, zoe: TestClient):
    answer = send(zoe, f"{ADDRESSES}/retirer", {"adresse": "zoe@exemple.fr"}, seen_on=ADDRESSES)
    assert answer.status_code == 409
    assert "votre seule adresse confirmée" in answer.text


def test_a_letter_read_elsewhere_confirms_nothing_there_and_its_code_does_here(house: House, zoe: TestClient):
    """Else somebody would add a stranger's address and wait for the stranger to follow the link."""
    link, code = add(house, zoe)
    elsewhere = house.client()
    page = elsewhere.get(link).text
    assert "pas celui où vous avez demandé" in page
    assert HOME not in page
    assert send(elsewhere, link, seen_on="/verifier").status_code == 401
    (action,) = re.findall(r'action="(/compte/adresses/[0-9a-f-]+/code)"', zoe.get(ADDRESSES).text)
    wrong = send(zoe, action, {"code": "AAAA-AAAA"}, seen_on=ADDRESSES)
    assert wrong.status_code == 422
    assert send(zoe, action, {"code": code.lower().replace("-", " ")}, seen_on=ADDRESSES).status_code == 303
    assert HOME in zoe.get("/compte").text


def test_another_s_session_confirms_nothing(house: House, zoe: TestClient):
    link, _ = add(house, zoe)
    trainer = house.client(house.trainer)
    assert send(trainer, link, seen_on="/compte").status_code == 401
    assert zoe.get(link).status_code == 200, "the letter is still good where it was asked for"


def test_a_letter_is_good_for_a_day_and_once(house: House, zoe: TestClient):
    link, _ = add(house, zoe)
    assert send(zoe, link).status_code == 303
    assert send(zoe, link, seen_on=ADDRESSES).status_code == 404
    link, _ = add(house, zoe, "zoe@travail.example")
    house.clock.move(hours=25)
    assert house.client().get(link).status_code == 404


@pytest.mark.parametrize("typed", ["", "zoe", "zoe@@exemple.fr", "zoe@exemple"])
def test_what_is_no_address_comes_back_with_what_was_typed(house: House, zoe: TestClient, typed: str):
    answer = send(zoe, ADDRESSES, {"adresse": typed})
    assert answer.status_code == 422
    assert house.letters.letters == []


def test_the_badges_at_a_new_address_come_with_it(house: House, zoe: TestClient, result):
    """The same name at an address that is proved to be one's own is oneself, whichever campus wrote it down."""
    there = award_elsewhere(house, f"Zoé N’Diaye; {HOME}")
    link, _ = add(house, zoe)
    send(zoe, link)
    shelf = zoe.get("/mes-badges").text
    for given in (result, there):
        assert str(given.lines[0].award_id) in shelf
    assert house.client().get(house.private_link(there)).status_code == 303


def test_another_name_at_that_address_is_offered_and_not_taken(house: House, zoe: TestClient):
    there = award_elsewhere(house, f"Zoé Martin; {HOME}")
    link, _ = add(house, zoe)
    assert send(zoe, link).headers["location"] == "/compte/reunir?fait=confirmee"
    award_id = str(there.lines[0].award_id)
    assert award_id not in zoe.get("/mes-badges").text
    page = zoe.get("/compte/reunir").text
    assert "Zoé Martin" in page
    (action,) = re.findall(r'action="(/compte/reunir/[0-9a-f-]+)"', page)
    before = bytes_of(house, there)
    assert send(zoe, action, seen_on="/compte/reunir").headers["location"].endswith("fait=reunis")
    assert award_id in zoe.get("/mes-badges").text
    assert bytes_of(house, there) == before

    (undo,) = re.findall(r'action="(/compte/reunir/[0-9a-f-]+/defaire)"', zoe.get("/compte/reunir").text)
    assert send(zoe, undo, seen_on="/compte/reunir").status_code == 303
    with house.unit_of_work(reading=True) as services:
        assert services.awards.record(there.lines[0].award_id).person.name == "Zoé Martin"


def test_who_has_an_account_elsewhere_is_not_taken_by_sharing_an_address(house: House, zoe: TestClient):
    """Léo proved an address of his own: a trainer puts no other beside it."""
    leo = house.award("Léo N’Diaye; leo@exemple.fr")
    client = house.client()
    (way_in,) = ask_for_letter(house, client, "leo@exemple.fr")
    enter(client, way_in)
    with house.unit_of_work() as services, pytest.raises(Conflict, match="a un compte"):
        services.delivery.write_again(
            house.campus, leo.lines[0].award_id, "zoe@exemple.fr", by=Actor(house.trainer.id)
        )
    assert "Léo" not in zoe.get("/compte/reunir").text


def test_a_namesake_with_an_account_at_that_address_is_offered(house: House, zoe: TestClient):
    there = award_elsewhere(house, f"Zoé N’Diaye; {HOME}")
    other = house.client()
    (way_in,) = ask_for_letter(house, other, HOME)
    enter(other, way_in)
    link, _ = add(house, zoe)
    assert send(zoe, link).headers["location"] == "/compte/reunir?fait=confirmee"
    (action,) = re.findall(r'action="(/compte/reunir/[0-9a-f-]+)"', zoe.get("/compte/reunir").text)
    assert send(zoe, action, seen_on="/compte/reunir").status_code == 303
    assert str(there.lines[0].award_id) in zoe.get("/mes-badges").text
    assert HOME in zoe.get("/compte").text


def bytes_of(house: House, result) -> bytes:
    with house.unit_of_work(reading=True) as services:
        return services.awards.awards.document_of(result.lines[0].award_id).embedded


def test_the_hash_of_an_address_stands_in_the_older_rendition_only_while_its_holder_asks(
    house: House, zoe: TestClient, result
):
    award_id = result.lines[0].award_id
    page, older = f"/mes-badges/{award_id}", f"/ob2/attributions/{award_id}"
    send(zoe, f"{page}/visibilite", {"vue": "ouvert"}, seen_on=page)
    for address, kind in (("zoe@exemple.fr", "email"), ("", "url")):
        assert send(zoe, f"{page}/adresse", {"adresse": address}, seen_on=page).status_code == 303
        said = house.client().get(older, headers={"accept": "*/*"}).json()["recipient"]
        assert said["type"] == kind
        if address:
            digest = hashlib.sha256(f"{address}{said['salt']}".encode()).hexdigest()
            assert said["identity"] == f"sha256${digest}"
        assert b"zoe@exemple.fr" not in bytes_of(house, result)
    other = send(zoe, f"{page}/adresse", {"adresse": "autre@exemple.fr"}, seen_on=page)
    assert other.status_code == 404
    holder = house.client()
    holder.get(house.private_link(result))
    assert "zoe@exemple.fr" not in holder.get(page).text, "a private link shows nobody's address"
    assert send(holder, f"{page}/adresse", {"adresse": "zoe@exemple.fr"}, seen_on=page).status_code == 404
