"""URLs with a character that a message added: a full stop, a bracket, a slash."""

from __future__ import annotations

import pytest

from tests.support.app import App

BROWSER = {"accept": "text/html"}


@pytest.mark.parametrize("behind", ["/", ".", ")", ").", ",", "»", "//", "%22"])
@pytest.mark.parametrize(
    "path", ["/verifier", "/badges", "/attributions/5f0e8a0e-1111-4222-8333-123456789abc"]
)
def test_a_page_is_found_under_its_url_with_an_added_character(app: App, path: str, behind: str):
    answer = app.client().get(f"{path}{behind}", headers=BROWSER, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, path)


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/",
        "/%2Fevil.example/",
        "/\\evil.example/",
        "/rien/",
        "/gestion/itip/rien)",
        "/verifier/rien/",
    ],
)
def test_no_other_url_is_redirected(app: App, path: str):
    answer = app.client().get(f"http://localhost:8000{path}", headers=BROWSER, follow_redirects=False)
    assert "location" not in answer.headers
    assert answer.status_code == 404


def test_a_slash_after_a_name_is_removed(app: App):
    answer = app.client().get("/campus/itip/?a=b%20c&d=e", headers=BROWSER, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/campus/itip?a=b%20c&d=e")


def test_a_secret_with_an_added_character_is_invalid(app: App):
    assert app.client().get("/rappels/none.", headers=BROWSER, follow_redirects=False).status_code == 404


def test_a_form_is_accepted_only_at_its_exact_url(app: App):
    assert app.client().post("/verifier/", headers=BROWSER, follow_redirects=False).status_code in (
        403,
        404,
        405,
    )


def test_programs_get_404_for_such_a_url(app: App):
    assert app.client().get("/verifier/", headers={"accept": "application/json"}).status_code == 404
