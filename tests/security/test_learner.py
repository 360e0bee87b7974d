"""What a learner's browser was shown stays theirs, also after they left a shared computer."""

from __future__ import annotations

import re

from tests.support.house import House, send

_TOKEN_FIELD = re.compile(r'name="jeton" value="([^"]+)"')


def receive(house: House, who: str = "MARTIN Chloé; chloe@exemple.fr"):
    result = house.award(who)
    client = house.client()
    page = client.get(house.private_link(result)).headers["location"]
    return client, page


def test_leaving_ends_the_sessions_and_not_only_the_cookie(house: House):
    client, page = receive(house)
    kept = client.cookies["badges"]
    assert send(client, "/mes-badges/quitter", seen_on="/mes-badges").status_code == 303

    thief = house.client()
    thief.cookies.set("badges", kept)
    assert thief.get(page).status_code == 401


def test_the_token_of_a_form_is_worth_nothing_in_another_learner_s_browser(house: House):
    """Anybody may have a page of ours with a token in it; only the learner's own opens the learner's badge."""
    client, page = receive(house)
    anybody_s = _TOKEN_FIELD.search(house.client().get("/verifier").text)
    assert anybody_s
    refused = client.post(f"{page}/visibilite", data={"jeton": anybody_s[1], "vue": "ouvert"})
    assert refused.status_code == 403
    assert send(client, f"{page}/visibilite", {"vue": "ouvert"}, seen_on=page).status_code == 303


def test_a_picture_nobody_was_given_yet_is_the_campus_s_own(house: House):
    """Its title may still change; whoever has the badge's address could read it before anybody else."""
    path = f"/badges/{house.presence.badge.id}/v1/image"
    assert house.client().get(f"{path}.svg").status_code == 404
    assert house.client(house.stranger).get(f"{path}.png").status_code == 404
    shown = house.client(house.trainer).get(f"{path}.svg")
    assert shown.status_code == 200
    assert shown.headers["cache-control"] == "no-store"

    house.award("MARTIN Chloé; chloe@exemple.fr")
    world = house.client().get(f"{path}.svg")
    assert world.status_code == 200
    assert "public" in world.headers["cache-control"]


def test_nobody_gives_a_badge_to_their_own_name(house: House):
    """By name alone a trainer would be somebody new each time; an address tells a namesake apart."""
    result = house.award("LE GOFF Anaïs", "Anais Le-Goff", "LE GOFF Anaïs; homonyme@exemple.fr")
    assert [line.outcome.value for line in result.lines] == ["oneself", "awarded", "repeated_line"]
