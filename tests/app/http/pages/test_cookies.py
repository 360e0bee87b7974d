"""The page on personal data names every cookie that this service sets, and no other."""

from __future__ import annotations

import ast
import re
from http.cookies import SimpleCookie
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.requests import Request
from starlette.responses import Response

from app.http.request_scope import close_session_in, cookie_name, delete_cookie, set_cookie
from app.language.build import APP_FOLDER
from app.settings import Settings
from tests.support.app import App, send

_NAMED = re.compile(r"\(<code>([^<]+)</code>\)")


def named(app: App, language: str = "fr") -> list[str]:
    page = app.client().get("/donnees-personnelles", headers={"accept-language": language})
    return _NAMED.findall(page.text)


def calls(*names: str) -> list[tuple[Path, ast.Call]]:
    return [
        (path, node)
        for path in APP_FOLDER.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in names
    ]


def test_the_page_names_as_many_cookies_as_the_code_sets():
    # Some cookies are set by two calls, some calls set one of two cookies.
    set_at = [f"{path.name}:{node.lineno}" for path, node in calls("set_cookie")]
    assert len(set_at) == 14, set_at


def test_every_cookie_is_set_and_deleted_as_strictly_as_its_name_requires():
    """`__Host-` cookies are of every path, and browsers neither set nor delete them without `Secure`."""
    for path, node in calls("set_cookie", "delete_cookie"):
        where = f"{path.name}:{node.lineno}"
        if isinstance(node.func, ast.Attribute):
            assert path.name == "request_scope.py", where
        elif any(each.arg == "path" for each in node.keywords) and path.name != "request_scope.py":
            assert isinstance(node.args[2], ast.Name), where  # a constant, without `__Host-`


@pytest.mark.parametrize("base_url", ["https://badges.exemple.fr", "http://localhost:8000"])
def test_cookies_follow_the_configured_address(base_url: str, tmp_path: Path):
    https = base_url.startswith("https")
    process = SimpleNamespace(settings=SimpleNamespace(is_https=https))
    for change, values in ((set_cookie, ("value", 60)), (delete_cookie, ())):
        answer = Response()
        change(answer, process, cookie_name(process, "sid"), *values)  # type: ignore[operator]
        [made] = SimpleCookie(answer.headers["set-cookie"]).values()
        assert made.key == ("__Host-sid" if https else "sid")
        assert (made["secure"], made["httponly"], made["samesite"]) == (https or "", True, "lax")
        assert (made["path"], made["domain"]) == ("/", "")
        assert (made["max-age"] == "0") == (change is delete_cookie)


def on_https(settings: Settings) -> Settings:
    return settings.model_copy(update={"base_url": "https://badges.exemple.fr"})


def test_language_is_secure_behind_a_proxy_that_is_not_trusted(app: App, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(app.process, "settings", on_https(app.process.settings))
    answer = app.client().get("http://badges.exemple.fr/langue/en")
    assert "Secure" in answer.headers["set-cookie"]


def test_leaving_deletes_the_cookie_of_the_session_over_https(app: App, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(app.process, "settings", on_https(app.process.settings))
    answer = Response()
    close_session_in(answer, Request({"type": "http", "app": app.client().app, "headers": []}))
    [made] = SimpleCookie(answer.headers["set-cookie"]).values()
    assert (made.key, made["secure"], made["max-age"]) == ("__Host-sid", True, "0")


def test_each_cookie_has_its_line_in_both_languages(app: App):
    result = named(app)
    assert (len(result), len(set(result))) == (11, 11)
    assert named(app, "en") == result


def test_an_ordinary_visit_sets_only_cookies_that_are_named(app: App):
    client = app.client()
    client.get("/connexion", params={"suite": "/gestion/itip"})
    visited = {cookie.name for cookie in client.cookies.jar}
    send(client, app.sign_in_path(app.trainer))
    client.get("/langue/en")
    client.get("/gestion/itip")
    page = client.get("/gestion/itip/activites/nouvelle")
    app.clock.move(hours=13)
    token = re.search(r'name="jeton" value="([^"]+)"', page.text)
    assert token
    client.post("/gestion/itip/activites/nouvelle", data={"jeton": token[1], "titre": "Atelier du soir"})
    client.get(app.private_link(app.award("Petit, Zoé ; zoe@exemple.fr")))
    visited |= {cookie.name for cookie in client.cookies.jar}
    assert visited <= set(named(app))
    assert len(visited) >= 6, visited
