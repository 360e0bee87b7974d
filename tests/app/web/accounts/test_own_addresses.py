"""« Mes adresses »: a person proves several addresses by letter; leaving school loses no badge."""

from __future__ import annotations

import hashlib
import re

import pytest
from fastapi.testclient import TestClient

from app.domain.campus.audit_log import Actor
from app.errors import Conflict
from tests.app.web.accounts.test_learner_account import ZOE, ask_for_letter, award_elsewhere, enter
from tests.support.app import App, send

ADDRESSES = "/compte/adresses"
HOME = "zoe@maison.example"
_LINK = re.compile(r"http://localhost:8000(/compte/adresses/confirmer/\S+)")
_CODE = re.compile(r"\b[A-Z2-7]{4}-[A-Z2-7]{4}\b")


@pytest.fixture
def result(app: App):
    return app.award(ZOE)


@pytest.fixture
def zoe(app: App, result) -> TestClient:
    """Signed in with the address of her school."""
    client = app.client()
    (link,) = ask_for_letter(app, client, "zoe@exemple.fr")
    enter(client, link)
    app.letters.letters.clear()
    return client


def leave(app: App) -> None:
    """Sends every letter that is due."""
    post = app.process.post
    for envelope in post.due():
        post.send(envelope)


def add(app: App, client: TestClient, address: str = HOME) -> tuple[str, str]:
    """The link and the code of the letter that came."""
    answer = send(client, ADDRESSES, {"adresse": address})
    assert answer.headers["location"].endswith("fait=lettre"), answer.text
    leave(app)
    letter = next(
        each for each in reversed(app.letters.letters) if each.to == address and _LINK.search(each.text)
    )
    return _LINK.findall(letter.text)[0], _CODE.findall(letter.text)[0]


def test_a_second_address_opens_the_badges_and_the_first_may_go(app: App, zoe: TestClient, result):
    asked = send(zoe, ADDRESSES, {"adresse": "zoe@gmial.com"})
    assert (asked.status_code, "zoe@gmail.com" in asked.text) == (422, True)
    link, _ = add(app, zoe)
    assert send(zoe, link).headers["location"].startswith(ADDRESSES)
    leave(app)
    assert [letter.to for letter in app.letters.letters][-1] == "zoe@exemple.fr", (
        "the old address is notified"
    )
    assert send(zoe, f"{ADDRESSES}/principale", {"adresse": HOME}, seen_on=ADDRESSES).status_code == 303
    assert (
        send(zoe, f"{ADDRESSES}/retirer", {"adresse": "zoe@exemple.fr"}, seen_on=ADDRESSES).status_code == 303
    )
    leave(app)
    assert "zoe@exemple.fr" in [letter.to for letter in app.letters.letters[2:]]

    app.clock.move(minutes=5)
    later = app.client()
    (way_in,) = ask_for_letter(app, later, HOME)
    enter(later, way_in)
    assert str(result.lines[0].award_id) in later.get("/mes-badges").text
    assert ask_for_letter(app, app.client(), "zoe@exemple.fr") == []


def test_the_last_proved_address_stays(app: App, zoe: TestClient):
    answer = send(zoe, f"{ADDRESSES}/retirer", {"adresse": "zoe@exemple.fr"}, seen_on=ADDRESSES)
    assert answer.status_code == 409
    assert "votre seule adresse confirmée" in answer.text


def test_a_letter_read_elsewhere_confirms_nothing_there_and_its_code_does_here(app: App, zoe: TestClient):
    """Otherwise one could add a stranger's address and wait for the stranger to follow the link."""
    link, code = add(app, zoe)
    elsewhere = app.client()
    page = elsewhere.get(link).text
    assert "pas celui où vous avez demandé" in page
    assert HOME not in page
    assert send(elsewhere, link, seen_on="/verifier").status_code == 401
    (action,) = re.findall(r'action="(/compte/adresses/[0-9a-f-]+/code)"', zoe.get(ADDRESSES).text)
    wrong = send(zoe, action, {"code": "AAAA-AAAA"}, seen_on=ADDRESSES)
    assert wrong.status_code == 422
    assert send(zoe, action, {"code": code.lower().replace("-", " ")}, seen_on=ADDRESSES).status_code == 303
    assert HOME in zoe.get("/compte").text


def test_the_session_of_another_person_confirms_nothing(app: App, zoe: TestClient):
    link, _ = add(app, zoe)
    trainer = app.client(app.trainer)
    assert send(trainer, link, seen_on="/compte").status_code == 401
    assert zoe.get(link).status_code == 200, "the letter is still good where it was asked for"


def test_a_letter_is_good_for_a_day_and_once(app: App, zoe: TestClient):
    link, _ = add(app, zoe)
    assert send(zoe, link).status_code == 303
    assert send(zoe, link, seen_on=ADDRESSES).status_code == 404
    link, _ = add(app, zoe, "zoe@travail.example")
    app.clock.move(hours=25)
    assert app.client().get(link).status_code == 404


@pytest.mark.parametrize("typed", ["", "zoe", "zoe@@exemple.fr", "zoe@exemple"])
def test_what_is_no_address_comes_back_with_what_was_typed(app: App, zoe: TestClient, typed: str):
    answer = send(zoe, ADDRESSES, {"adresse": typed})
    assert answer.status_code == 422
    assert app.letters.letters == []


def test_the_badges_at_a_new_address_come_with_it(app: App, zoe: TestClient, result):
    """The same name at an address that this person proved is the same person, whichever campus recorded it."""
    there = award_elsewhere(app, f"Zoé N’Diaye; {HOME}")
    link, _ = add(app, zoe)
    send(zoe, link)
    shelf = zoe.get("/mes-badges").text
    for given in (result, there):
        assert str(given.lines[0].award_id) in shelf
    assert app.client().get(app.private_link(there)).status_code == 303


def test_another_name_at_that_address_is_offered_and_not_taken(app: App, zoe: TestClient):
    there = award_elsewhere(app, f"Zoé Martin; {HOME}")
    link, _ = add(app, zoe)
    assert send(zoe, link).headers["location"] == "/compte/reunir?fait=confirmee"
    award_id = str(there.lines[0].award_id)
    assert award_id not in zoe.get("/mes-badges").text
    page = zoe.get("/compte/reunir").text
    assert "Zoé Martin" in page
    (action,) = re.findall(r'action="(/compte/reunir/[0-9a-f-]+)"', page)
    before = bytes_of(app, there)
    assert send(zoe, action, seen_on="/compte/reunir").headers["location"].endswith("fait=reunis")
    assert award_id in zoe.get("/mes-badges").text
    assert bytes_of(app, there) == before

    (undo,) = re.findall(r'action="(/compte/reunir/[0-9a-f-]+/defaire)"', zoe.get("/compte/reunir").text)
    assert send(zoe, undo, seen_on="/compte/reunir").status_code == 303
    with app.unit_of_work(reading=True) as services:
        assert services.awards.record(there.lines[0].award_id).person.name == "Zoé Martin"


def test_who_has_an_account_elsewhere_is_not_taken_by_sharing_an_address(app: App, zoe: TestClient):
    """Léo proved an address of his own: a trainer cannot add another one."""
    leo = app.award("Léo N’Diaye; leo@exemple.fr")
    client = app.client()
    (way_in,) = ask_for_letter(app, client, "leo@exemple.fr")
    enter(client, way_in)
    with app.unit_of_work() as services, pytest.raises(Conflict, match="a un compte"):
        services.delivery.write_again(
            app.campus, leo.lines[0].award_id, "zoe@exemple.fr", by=Actor(app.trainer.id)
        )
    assert "Léo" not in zoe.get("/compte/reunir").text


def test_a_namesake_with_an_account_at_that_address_is_offered(app: App, zoe: TestClient):
    there = award_elsewhere(app, f"Zoé N’Diaye; {HOME}")
    other = app.client()
    (way_in,) = ask_for_letter(app, other, HOME)
    enter(other, way_in)
    link, _ = add(app, zoe)
    assert send(zoe, link).headers["location"] == "/compte/reunir?fait=confirmee"
    (action,) = re.findall(r'action="(/compte/reunir/[0-9a-f-]+)"', zoe.get("/compte/reunir").text)
    assert send(zoe, action, seen_on="/compte/reunir").status_code == 303
    assert str(there.lines[0].award_id) in zoe.get("/mes-badges").text
    assert HOME in zoe.get("/compte").text


def bytes_of(app: App, result) -> bytes:
    with app.unit_of_work(reading=True) as services:
        return services.awards.awards.document_of(result.lines[0].award_id).embedded


def test_the_hash_of_an_address_stands_in_the_older_rendition_only_while_its_holder_asks(
    app: App, zoe: TestClient, result
):
    award_id = result.lines[0].award_id
    page, older = f"/mes-badges/{award_id}", f"/ob2/attributions/{award_id}"
    send(zoe, f"{page}/visibilite", {"vue": "ouvert"}, seen_on=page)
    for address, kind in (("zoe@exemple.fr", "email"), ("", "url")):
        assert send(zoe, f"{page}/adresse", {"adresse": address}, seen_on=page).status_code == 303
        said = app.client().get(older, headers={"accept": "*/*"}).json()["recipient"]
        assert said["type"] == kind
        if address:
            digest = hashlib.sha256(f"{address}{said['salt']}".encode()).hexdigest()
            assert said["identity"] == f"sha256${digest}"
        assert b"zoe@exemple.fr" not in bytes_of(app, result)
    other = send(zoe, f"{page}/adresse", {"adresse": "autre@exemple.fr"}, seen_on=page)
    assert other.status_code == 404
    holder = app.client()
    holder.get(app.private_link(result))
    assert "zoe@exemple.fr" not in holder.get(page).text, "a private link shows no address"
    assert send(holder, f"{page}/adresse", {"adresse": "zoe@exemple.fr"}, seen_on=page).status_code == 404
