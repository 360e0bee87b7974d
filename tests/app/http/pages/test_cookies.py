"""The page on personal data names every cookie that this service sets, and no other."""

from __future__ import annotations

import ast
import re

from app.language.build import APP_FOLDER
from tests.support.app import App, send

_NAMED = re.compile(r"\(<code>([^<]+)</code>\)")


def named(app: App, language: str = "fr") -> list[str]:
    page = app.client().get("/donnees-personnelles", headers={"accept-language": language})
    return _NAMED.findall(page.text)


def test_as_many_are_named_as_the_code_sets():
    set_at = [
        f"{path.name}:{node.lineno}"
        for path in APP_FOLDER.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "set_cookie"
    ]
    # The two cookies of a phone that signs are set in one place.
    assert len(set_at) == 10, set_at


def test_each_has_its_line_in_both_languages(app: App):
    result = named(app)
    assert (len(result), len(set(result))) == (11, 11)
    assert named(app, "en") == result


def test_a_day_s_visit_sets_none_that_is_not_named(app: App):
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
