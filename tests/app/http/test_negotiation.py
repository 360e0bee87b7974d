"""Content negotiation between page and document at one URL."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, compile_path

from app.http.negotiation import RoutesBySegment, etag_of, has_already, preferred, wants_page
from tests.support.app import App

OFFERED = ("application/vc", "application/json", "text/plain", "image/png")
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "application/vc"),
        ("*/*", "application/vc"),
        ("application/json", "application/json"),
        ("application/json, application/vc", "application/vc"),
        ("application/json, text/html, */*", "application/json"),
        ("application/json;q=0.9, application/vc;q=0.8", "application/json"),
        ("application/*;q=0.5, application/vc;q=0.1, */*;q=0.2", "application/json"),
        ("text/*", "text/plain"),
        ("image/*;q=0.1, text/*;q=0.05", "image/png"),
        ("*/*, application/vc;q=0", "application/json"),
        ("text/html", None),
        ("*/*;q=0", None),
        ("application/json;q=oui", None),
    ],
)
def test_the_preferred_form_is_chosen_and_the_first_offered_breaks_a_tie(accept: str, chosen: str | None):
    assert preferred(accept, OFFERED) == chosen


@pytest.mark.parametrize("accept", [FIREFOX, CHROME, "text/html", "TEXT/HTML", "text/html, */*;q=0.1"])
def test_a_browser_gets_the_page(accept: str):
    assert wants_page(accept)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "application/json",
        "application/vc, text/html;q=0.5",
        "image/png",
        "text/html;q=0, */*",
        "text/*",
        "application/xhtml+xml",
    ],
)
def test_clients_that_do_not_prefer_html_get_the_document(accept: str):
    assert not wants_page(accept)


def test_the_same_bytes_under_another_type_have_another_validator():
    tags = {etag_of("d", kind) for kind in ("application/json", "application/vc", "application/vc+ld+json")}
    assert len(tags) == 3


@pytest.mark.parametrize("header", ['"a/json"', 'W/"a/json"', '"b", "a/json"', "*", ' "a/json" '])
def test_a_current_copy_is_recognised_in_any_spelling_of_its_validator(header: str):
    assert has_already(header, etag_of("a", "application/json; charset=utf-8"))


@pytest.mark.parametrize("header", ["", '"a"', "a/json", '"a/json', '"aa/json"', '"A/JSON"', ","])
def test_another_copy_is_not_recognised(header: str):
    assert not has_already(header, etag_of("a", "application/json"))


def test_routes_skipped_for_a_path_do_not_match_it_and_the_others_stay_in_order(app: App):
    application = app.client().app
    routes: Sequence[BaseRoute] = application.routes  # type: ignore[attr-defined]
    narrow = RoutesBySegment(application.router)  # type: ignore[attr-defined]
    paths = {id(route): {each.path for each in iter_route_contexts([route])} for route in routes}
    patterns = {each: [compile_path(path)[0] for path in found] for each, found in paths.items()}
    number, most = "0f0e0d0c-0b0a-4908-8706-050403020100", 0
    for path in set().union(*paths.values()):
        path = re.sub(r"{\w+(:\w+)?}", lambda found: number if found[1] == ":uuid" else "abc", path)
        for asked in (path, f"{path}/", f"{path}\n", f"/x{path}", path.replace("abc", "activites"), path[1:]):
            kept = dict.fromkeys(map(id, narrow._routes_for(asked).routes))
            most = max(most, len(kept))
            assert [*kept] == [each for each in patterns if each in kept]
            left_out = (pattern for each in patterns if each not in kept for pattern in patterns[each])
            assert not any(pattern.match(asked) for pattern in left_out)
    assert most < len(routes) / 3
