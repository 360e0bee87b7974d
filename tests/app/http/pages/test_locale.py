"""The language of a page."""

from __future__ import annotations

import pytest

from app.http.pages.render import COOKIE, language_of
from tests.app.http.pages.small_site import reader_of, small_site


@pytest.mark.parametrize(
    ("cookie", "accept_language", "spoken"),
    [
        (None, "", "fr"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "fr-CA, en;q=0.8", "fr"),
        (None, "de, en;q=0.5, fr;q=0.4", "en"),
        (None, "de;q=1.0, fr;q=0.1, en;q=0.2", "en"),
        (None, "en;q=0, de", "fr"),
        (None, "zz", "fr"),
        ("fr", "en", "fr"),
        ("en", "fr", "en"),
        ("klingon", "en", "en"),
        ("../../etc", "", "fr"),
        (None, ";;;q=,,en;q=x" + "," * 10_000, "fr"),
    ],
)
def test_the_reader_s_choice_takes_precedence_then_the_browser_s_then_ours(cookie, accept_language, spoken):
    assert language_of(cookie, accept_language, "fr") == spoken


def test_the_operator_may_set_another_default_language():
    assert language_of(None, "de", "en") == "en"


@pytest.fixture
def reader():
    return reader_of(small_site())


def test_a_page_states_its_language_and_what_it_depends_on(reader):
    french, english = reader.get("/"), reader.get("/", headers={"accept-language": "en"})
    assert '<html lang="fr">' in french.text
    assert '<html lang="en">' in english.text
    assert "What you know how to do" in english.text
    assert english.headers["content-language"] == "en"
    assert {"Accept-Language", "Cookie"} <= {name.strip() for name in english.headers["vary"].split(",")}


def test_the_chosen_language_is_remembered_and_the_switch_leads_back(reader):
    switched = reader.get("/langue/en", params={"suite": "/dire?mot=bonjour"}, follow_redirects=False)
    assert (switched.status_code, switched.headers["location"]) == (303, "/dire?mot=bonjour")
    assert reader.cookies[COOKIE] == "en"
    assert '<html lang="en">' in reader.get("/aide").text


def test_every_page_links_to_itself_in_the_other_language(reader):
    html = reader.get("/dire?mot=%C3%A9t%C3%A9").text
    assert 'href="/langue/en?suite=%2Fdire%3Fmot%3D%25C3%25A9t%25C3%25A9"' in html
    assert 'lang="en" hreflang="en"' in html


def test_an_unsupported_language_is_not_found(reader):
    assert reader.get("/langue/tlh").status_code == 404


TRAPS = [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https://evil.example/aide",
    "javascript:alert(1)",
    "%2f%2fevil.example",
    "/aide\r\nSet-Cookie: a=b",
    "/aide\x00",
    "/\tevil.example",
    "///evil.example",
    "aide",
    "",
    "/une-page-qui-n-existe-pas",
    "http://[::1",
    "/" * 3000,
]


@pytest.mark.parametrize("trap", TRAPS)
def test_the_switch_never_redirects_to_another_site(reader, trap):
    answer = reader.get("/langue/en", params={"suite": trap}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_the_other_language_does_not_repeat_a_confirmation(reader):
    assert 'href="/langue/en?suite=%2Fdire%3Fmot%3Doui"' in reader.get("/dire?fait=note&mot=oui").text
