"""Search and directory on their pages: no name in any URL, nothing of another campus, tables without formulas."""

from __future__ import annotations

import re

from fastapi.testclient import TestClient

from app.domain.campus.audit_log import Actor
from app.domain.publishing import short_code
from tests.support.app import App, send

HERE = "/gestion/itip"


def found_by(client: TestClient, words: str) -> tuple[str, str]:
    """The URL of the results and the page itself."""
    answer = send(client, f"{HERE}/recherche", {"mots": words})
    assert answer.status_code == 303
    address = answer.headers["location"]
    return address, client.get(address).text


def test_a_name_is_found_and_is_in_no_url(app: App):
    app.award("LE BŒUF Anne-Gaëlle;anne@exemple.fr")
    client = app.client(app.trainer)
    address, page = found_by(client, "gaelle boeuf")
    assert "gaelle" not in address.lower()
    assert "boeuf" not in address.lower()
    assert "Anne-Gaëlle Le Bœuf" in page
    assert "Atelier robotique" not in page
    (person,) = set(re.findall(rf'href="({HERE}/repertoire/[0-9a-f-]+)"', page))
    shown = client.get(person).text
    assert "Robotique pour tous" in shown
    assert "Atelier robotique" in shown


def test_a_shared_url_of_results_shows_nothing_to_another_person(app: App):
    app.award("LE BŒUF Anne-Gaëlle;anne@exemple.fr")
    address, _ = found_by(app.client(app.trainer), "boeuf")
    page = app.client(app.admin).get(address).text
    assert "Bœuf" not in page
    assert "Que cherchez-vous" in page


def test_more_than_a_few_results_have_pages_of_their_own(app: App):
    app.award(*(f"MARTIN Prénom{number:02};p{number}@exemple.fr" for number in range(33)))
    client = app.client(app.trainer)
    address, page = found_by(client, "martin")
    more = re.search(r'href="(\?q=[^"]+dans=personnes)"', page)
    assert more
    first = client.get(address.partition("?")[0] + more[1].replace("&amp;", "&")).text
    following = re.search(r'href="(\?q=[^"]+apres=[^"]+)" rel="next"', first)
    assert following
    second = client.get(address.partition("?")[0] + following[1].replace("&amp;", "&")).text
    seen = [set(re.findall(r"Prénom\d\d", text)) for text in (first, second)]
    assert [len(each) for each in seen] == [30, 3]
    assert not seen[0] & seen[1]


def test_no_result_suggests_what_can_be_searched(app: App):
    _, page = found_by(app.client(app.trainer), "xyzzy")
    assert "Rien ne correspond" in page
    assert "autofocus" not in page


def test_the_directory_goes_by_pages_and_by_order(app: App):
    app.award(*(f"MARTIN Prénom{number:02};p{number}@exemple.fr" for number in range(52)))
    client = app.client(app.trainer)
    first = client.get(f"{HERE}/repertoire").text
    following = re.search(r'href="(\?apres=[^"]+)"', first)
    assert following
    second = client.get(f"{HERE}/repertoire" + following[1].replace("&amp;", "&")).text
    assert "Prénom00" in first
    assert "Prénom51" in second
    assert "Prénom51" not in first
    assert client.get(f"{HERE}/repertoire?tri=-arrivee").status_code == 200
    for query in ("tri=autre", "badge=x", "activite=x", "recupere=x", "periode=x", "colonne=x", "x=y"):
        assert client.get(f"{HERE}/repertoire?{query}").status_code == 422, query


def test_people_are_filtered_by_badge_activity_and_what_they_have_to_claim(app: App):
    app.award("MARTIN Zoé;zoe@exemple.fr")
    claimed = app.award("ÉCRIN Ola", badge=app.role, evidence="A aidé.").lines[0].award_id
    app.record("AZUR Bob")
    with app.unit_of_work() as services:
        assert claimed is not None
        services.delivery.claim(claimed, by=Actor(app.trainer.id))
    client = app.client(app.trainer)

    def found(query: str) -> list[str]:
        return re.findall(r"<b>([^<]+)</b></a></th>", client.get(f"{HERE}/repertoire?{query}").text)

    assert found("") == ["Bob Azur", "Ola Écrin", "Zoé Martin"]
    assert found("tri=-nom&recupere=oui") == ["Ola Écrin", "Bob Azur"]
    assert found("recupere=non") == ["Zoé Martin"]
    assert found(f"badge={app.role.badge.id}") == ["Ola Écrin"]
    assert found(f"activite={app.activity.id}&periode=semaine") == ["Bob Azur", "Ola Écrin", "Zoé Martin"]
    assert found("periode=annee-passee") == []


def test_tables_of_people_are_for_those_who_export_and_hold_no_formula(app: App):
    app.award("=MARTIN Zoé;zoe@exemple.fr")
    assert app.client(app.trainer).get(f"{HERE}/repertoire/repertoire.csv").status_code == 403
    admin = app.client(app.admin)
    people = admin.get(f"{HERE}/repertoire/repertoire.csv").content.decode("utf-8-sig")
    assert "'=M" in people
    assert "zoe@exemple.fr" in people
    awards = admin.get(f"{HERE}/attributions/attributions.csv").content.decode("utf-8-sig")
    assert "Robotique pour tous" in awards
    assert awards.startswith("Nom;Prénom;")


def test_the_register_sorts_and_pages(app: App):
    app.award(*(f"MARTIN Prénom{number:02};p{number}@exemple.fr" for number in range(52)))
    client = app.client(app.trainer)
    for order in ("-date", "date", "personne", "-personne", "badge", "-badge"):
        first = client.get(f"{HERE}/attributions?tri={order}").text
        following = re.search(r'href="(\?[^"]*apres=[^"]+)"', first)
        assert following, order
        second = client.get(f"{HERE}/attributions" + following[1].replace("&amp;", "&")).text
        seen = [set(re.findall(r"Prénom\d\d", text)) for text in (first, second)]
        assert [len(each) for each in seen] == [50, 2], order


def test_an_award_is_found_by_its_short_code_with_or_without_hyphens(app: App):
    award_id = app.award("LE BŒUF Anne-Gaëlle;anne@exemple.fr").lines[0].award_id
    assert award_id is not None
    code = short_code(award_id)
    for typed in (code, code.replace("-", ""), code.replace("-", " ").lower()):
        _, page = found_by(app.client(app.trainer), typed)
        assert f"{HERE}/attributions/{award_id}" in page
