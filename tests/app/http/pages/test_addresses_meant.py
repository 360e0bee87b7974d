"""Addresses with what a message puts behind them: a full stop, a bracket, a slash."""

from __future__ import annotations

import pytest

from tests.support.app import App

BROWSER = {"accept": "text/html"}


@pytest.mark.parametrize("behind", ["/", ".", ")", ").", ",", "»", "//", "%22"])
@pytest.mark.parametrize(
    "path", ["/verifier", "/badges", "/attributions/5f0e8a0e-1111-4222-8333-123456789abc"]
)
def test_page_is_found_under_its_address_and_some_signs(app: App, path: str, behind: str):
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
def test_no_other_address_leads_anywhere(app: App, path: str):
    answer = app.client().get(f"http://localhost:8000{path}", headers=BROWSER, follow_redirects=False)
    assert "location" not in answer.headers
    assert answer.status_code == 404


def test_slash_behind_a_name_is_left_out(app: App):
    answer = app.client().get("/campus/itip/?a=b%20c&d=e", headers=BROWSER, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/campus/itip?a=b%20c&d=e")


def test_secret_with_a_sign_more_is_no_secret(app: App):
    assert app.client().get("/rappels/none.", headers=BROWSER, follow_redirects=False).status_code == 404


def test_form_is_sent_to_its_own_address_alone(app: App):
    assert app.client().post("/verifier/", headers=BROWSER, follow_redirects=False).status_code in (
        403,
        404,
        405,
    )


def test_programs_are_told_that_nothing_is_there(app: App):
    assert app.client().get("/verifier/", headers={"accept": "application/json"}).status_code == 404
