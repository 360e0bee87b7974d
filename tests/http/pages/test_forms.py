"""Only our own pages can make a person do something (T29)."""

from __future__ import annotations

import base64
import re

import pytest

from app.http.pages.forms import FIELD, BodySizeLimit
from tests.http.pages.small_site import SESSION_COOKIE, reader_of, small_site

HERE = "http://testserver"
PLAIN_FORM = {"origin": HERE, "content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def reader():
    return reader_of(small_site(), cookies={SESSION_COOKIE: "session-of-zoe"})


def token_on(reader) -> str:
    html = reader.get("/dire", params={"mot": "bonjour"}).text
    found = re.search(rf'<input type="hidden" name="{FIELD}" value="([^"]+)">', html)
    assert found is not None
    return found[1]


def withdraw(reader, token, **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return reader.post("/retirer", data={FIELD: token, "motif": " erreur "}, headers=names)


def test_our_own_form_is_heard(reader):
    answer = withdraw(reader, token_on(reader), origin=HERE, sec_fetch_site="same-origin")
    assert (answer.status_code, answer.json()) == (200, {"motif": "erreur"})


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://testserver.evil.example"},
        {"origin": "http://testserver:81"},
        {"origin": HERE, "sec_fetch_site": "cross-site"},
        {"origin": HERE, "sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site"},
    ],
)
def test_another_site_is_refused_even_with_a_good_token(reader, headers):
    answer = withdraw(reader, token_on(reader), **headers)
    assert answer.status_code == 403
    assert "Rien n’a été changé" in answer.text


def test_a_private_page_that_hides_its_address_can_still_send_its_form(reader):
    assert withdraw(reader, token_on(reader), origin="null").status_code == 200
    assert withdraw(reader, token_on(reader), origin="null", sec_fetch_site="same-origin").status_code == 200


def test_a_hidden_address_without_a_session_is_refused():
    stranger = reader_of(small_site())
    assert withdraw(stranger, token_on(stranger), origin="null").status_code == 403


@pytest.mark.parametrize("token", ["", "x", "é", "A" * 88, base64.urlsafe_b64encode(bytes(64)).decode()])
def test_a_made_up_token_is_refused(reader, token):
    assert withdraw(reader, token, origin=HERE).status_code == 403


def test_a_form_without_a_token_or_with_a_file_for_a_token_is_refused(reader):
    assert reader.post("/retirer", data={"motif": "x"}, headers={"origin": HERE}).status_code == 403
    sent = reader.post("/retirer", files={FIELD: ("jeton.txt", b"x")}, headers={"origin": HERE})
    assert sent.status_code == 403


def test_the_token_of_one_session_is_worth_nothing_in_another(reader):
    token = token_on(reader)
    other = reader_of(small_site(), cookies={SESSION_COOKIE: "session-of-max"})
    assert withdraw(other, token, origin=HERE).status_code == 403


def test_the_token_is_never_written_twice_the_same_way(reader):
    one, other = token_on(reader), token_on(reader)
    assert one != other
    assert withdraw(reader, one, origin=HERE).status_code == 200
    assert withdraw(reader, other, origin=HERE).status_code == 200


def test_a_request_that_announces_too_much_is_cut_off(reader):
    answer = reader.post("/retirer", content=b"x" * 1_100_000, headers=PLAIN_FORM)
    assert answer.status_code == 413
    assert "C’est trop lourd" in answer.text


def test_a_request_that_hides_its_length_is_cut_off_too(reader):
    def endless():
        for _ in range(2000):
            yield b"x" * 1000

    assert reader.post("/retirer", content=endless(), headers=PLAIN_FORM).status_code == 413


def test_a_length_that_is_no_number_is_refused(reader):
    headers = {**PLAIN_FORM, "content-length": "beaucoup"}
    assert reader.post("/retirer", content=b"x", headers=headers).status_code == 413


def test_a_star_in_a_path_gives_more_room_to_what_lies_there_and_nowhere_else():
    limit = BodySizeLimit(small_site(), usual=10, by_path={"/gestion": 100, "/gestion/*/pieces": 1000})  # type: ignore[arg-type]
    paths = (
        "/gestion/itip/activites/1/pieces",
        "/gestion/itip/activites/1",
        "/gestionnaire",
        "/pieces",
        "/autre",
    )
    assert [limit._most(path) for path in paths] == [1000, 100, 100, 10, 10]
