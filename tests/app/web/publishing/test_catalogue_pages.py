"""Pages of the public catalogue: lists with facets, a competency, an announced activity, feed and sitemap parts."""

from __future__ import annotations

import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from fastapi.testclient import TestClient

from app.db.publishing.catalogue import CatalogueStore
from app.domain.activities import Activity, ActivityKind, Plan
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, Network
from app.domain.publishing.catalogue import EntryKind
from app.services.badges import Wording
from app.web.publishing import info
from tests.support.app import BASE_URL, COMMAND, App, send
from tests.support.content.networks import label, named
from tests.support.content.skills import levelled


@pytest.fixture
def visitor(app: App) -> TestClient:
    app.award("Zoé N’Diaye; zoe@exemple.fr")
    app.award("Zoé N’Diaye; zoe@exemple.fr", badge=app.role, evidence="Elle a animé l’atelier.")
    refresh(app)
    return app.client()


def refresh(app: App) -> None:
    with app.unit_of_work() as services:
        for campus_id in services.catalogue.due():
            services.catalogue.refresh(campus_id)


def planned(app: App) -> Activity:
    with app.unit_of_work() as services:
        row = Activity(
            kind=ActivityKind.WORKSHOP,
            title="Soudure ouverte à tous",
            starts_on=date(2026, 12, 3),
            ends_on=date(2026, 12, 3),
            created_at=app.clock(),
        )
        plan = Plan(badges=[app.presence.badge.id])
        return services.activity_plans.create(app.campus, row, plan, by=Actor(app.trainer.id))


def cards(page: str) -> list[str]:
    return re.findall(r'class="all" href="[^"]*"[^>]*>([^<]*)<', page)


def test_competency_narrows_the_list_and_is_named(app: App, visitor: TestClient):
    given = levelled(app)
    app.award("Zoé N’Diaye; zoe@exemple.fr", badge=given.badge, evidence="Deux mesures justes.")
    refresh(app)
    page = visitor.get(f"/badges?competence={str(given.competency.id).upper()}").text
    assert cards(page) == [given.badge.version.name]
    chip = re.search(r'(?s)<a class="chip" href="/badges"><span>(.*?)<', page)
    assert chip
    assert chip[1].strip() == given.competency.statement


def test_list_of_badges_links_each_public_page(app: App, visitor: TestClient):
    page = visitor.get("/badges").text
    assert f'href="/badges/{app.presence.badge.id}"' in page
    assert "2 badges" in page
    assert "Zoé" not in page


def test_facet_narrows_and_its_chip_takes_it_away(visitor: TestClient):
    page = visitor.get("/badges?type=participation&campus=itip").text
    assert cards(page) == ["Robotique pour tous"]
    assert 'href="/badges?campus=itip"' in page


@pytest.mark.parametrize(
    "asked",
    [
        "type=x",
        "campus=nulle-part",
        "niveau=abc",
        "niveau=99999999999",
        "public=x",
        "page=0",
        "page=-1",
        "page=99999",
        "tri=x",
        "lieu=%00",
        "competence=x",
        "competence=00000000-0000-4000-8000-000000000000",
    ],
)
def test_unknown_filters_are_no_error(visitor: TestClient, asked: str):
    assert visitor.get(f"/badges?{asked}").status_code == 200


def test_unknown_filters_are_ignored(visitor: TestClient):
    assert "<script>" not in visitor.get("/badges", params={"q": "<script>alert(1)</script>"}).text


def test_the_page_of_a_badge_shows_holders_and_next_activity(app: App, visitor: TestClient):
    activity = planned(app)
    page = visitor.get(f"/badges/{app.presence.badge.id}").text
    assert "moins de 5 personnes" in page
    assert "Soudure" not in page
    announce(app, activity)
    refresh(app)
    assert f'href="/activites/{activity.id}"' in visitor.get(f"/badges/{app.presence.badge.id}").text


def announce(app: App, activity: Activity, **fields: str) -> int:
    path = f"/gestion/itip/activites/{activity.id}/annonce"
    return send(app.client(app.trainer), path, {"annoncer": "oui", **fields}).status_code


def test_activity_has_a_page_only_while_announced(app: App, visitor: TestClient):
    activity = planned(app)
    address = f"/activites/{activity.id}"
    assert visitor.get(address).status_code == 404
    assert announce(app, activity, inscription="https://exemple.fr/inscription") == 303
    assert 'href="https://exemple.fr/inscription"' in visitor.get(address).text
    assert announce(app, activity, annoncer="non") == 303
    assert visitor.get(address).status_code == 404


def test_calendar_of_a_campus_is_linked_and_answers_304_to_a_current_copy(app: App, visitor: TestClient):
    announce(app, planned(app))
    refresh(app)
    assert 'href="/campus/itip/agenda.ics"' in visitor.get("/campus/itip").text
    feed = visitor.get("/campus/itip/agenda.ics")
    assert feed.headers["content-type"].startswith("text/calendar")
    assert "SUMMARY;LANGUAGE=fr:Soudure ouverte à tous" in feed.text
    again = visitor.get("/campus/itip/agenda.ics", headers={"If-None-Match": feed.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert visitor.get("/campus/inconnu/agenda.ics").status_code == 404


def test_feed_of_a_campus_without_changes_is_an_empty_calendar(
    app: App, visitor: TestClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(CatalogueStore, "last_changes", lambda *_: [])
    assert visitor.get("/campus/itip/agenda.ics").status_code == 200


def test_calendar_of_a_campus_answers_304_to_a_client_that_knows_dates_alone(app: App, visitor: TestClient):
    activity, feed = planned(app), "/campus/itip/agenda.ics"
    announce(app, activity)
    assert "last-modified" not in visitor.get(feed).headers, "it may change again within this second"
    app.clock.now += timedelta(minutes=1)
    first = visitor.get(feed)
    dated = {"If-Modified-Since": first.headers["last-modified"]}
    assert (visitor.get(feed, headers=dated).status_code, visitor.get(feed).status_code) == (304, 200)
    assert visitor.get(feed, headers=dated | {"If-None-Match": '"another"'}).status_code == 200
    assert visitor.get(feed, headers={"If-Modified-Since": "yesterday"}).status_code == 200
    announce(app, activity, annoncer="non")
    app.clock.now += timedelta(minutes=1)
    changed = visitor.get(feed, headers=dated)
    assert (changed.status_code, "Soudure" in changed.text) == (200, False)
    dated = {"If-Modified-Since": changed.headers["last-modified"]}
    app.clock.now += timedelta(days=1)
    assert visitor.get(feed, headers=dated).status_code == 200, "what is over leaves it at midnight"


def test_an_invalid_enrolment_address_is_refused_and_shown_again(app: App):
    activity = planned(app)
    path = f"/gestion/itip/activites/{activity.id}/annonce"
    answer = send(app.client(app.trainer), path, {"inscription": "javascript:alert(1)"})
    assert answer.status_code == 422
    assert 'value="javascript:alert(1)"' in answer.text
    assert "https://" in answer.text


def test_stranger_announces_no_activity_of_another_campus(app: App):
    activity = planned(app)
    assert app.client(app.stranger).get(f"/gestion/itip/activites/{activity.id}/annonce").status_code == 404


def test_feed_names_what_is_new(app: App, visitor: TestClient):
    announce(app, planned(app))
    refresh(app)
    feed = visitor.get("/nouveautes.atom")
    assert feed.headers["content-type"].startswith("application/atom+xml")
    assert "Soudure ouverte à tous" in feed.text
    assert f"{BASE_URL}/badges/{app.presence.badge.id}" in feed.text


@pytest.mark.parametrize("sign", ["\x0b", "\x1b", "\x85", "\u202e", "\u200b", "\ufffe", "\U0001fffe"])
def test_no_invisible_character_of_one_campus_spoils_the_lists_of_all(
    app: App, visitor: TestClient, sign: str
):
    trainer, path = app.client(app.trainer), "/gestion/itip/activites/nouvelle"
    typed = {"titre": f"Sou{sign}dure", "description": f"Ap{sign}porter ses gants.", "lieu": f"Salle{sign} 3"}
    created = send(trainer, path, {**typed, "genre": "workshop", "debut": "2026-12-03"})
    activity = created.headers["location"].partition("?")[0]
    assert send(trainer, f"{activity}/annonce", {"annoncer": "oui"}).status_code == 303
    with app.unit_of_work() as services:
        campus = services.campuses.get(app.campus.slug)
        campus.name = f"Cam{sign}pus"
        services.campuses.campuses.add(campus)
    refresh(app)
    feed = visitor.get("/nouveautes.atom")
    assert ElementTree.fromstring(feed.content).tag.endswith("feed")
    for each in (visitor.get("/activites").text, visitor.get("/campus/itip/agenda.ics").text):
        assert "Sou" in each
        assert f"ou{sign}d" not in each
        assert f"p{sign}p" not in each
        assert f"e{sign} 3" not in each


def test_sitemap_becomes_an_index_of_parts(app: App, visitor: TestClient, monkeypatch: pytest.MonkeyPatch):
    assert "<urlset" in visitor.get("/sitemap.xml").text
    monkeypatch.setattr(info, "_MOST", 2)
    index = visitor.get("/sitemap.xml").text
    parts = re.findall(rf"<loc>{BASE_URL}(/sitemap/[^<]*)</loc>", index)
    assert parts
    found = [url for part in parts for url in re.findall("<loc>([^<]*)</loc>", visitor.get(part).text)]
    assert f"{BASE_URL}/badges/{app.presence.badge.id}" in found
    assert len(found) == len(set(found))


def test_sitemap_names_pages_of_networks_and_of_what_a_campus_attests_that_all_answer(
    app: App, visitor: TestClient
):
    with app.unit_of_work() as services:
        services.campuses.create_network(
            Network(slug="pole", name="Pôle bas carbone"), [app.campus], by=COMMAND
        )
    found = re.findall(rf"<loc>{BASE_URL}([^<]*)</loc>", visitor.get("/sitemap.xml").text)
    assert {"/reseau/pole", "/campus/itip/atteste", "/classements", "/donnees-personnelles"} <= set(found)
    assert len(found) == len(set(found))
    assert [each for each in found if visitor.get(each).status_code != 200] == []


@pytest.mark.parametrize("path", ["/favicon.ico", "/apple-touch-icon.png"])
def test_icons_are_served_where_programs_request_them(visitor: TestClient, path: str):
    answer = visitor.get(path)
    assert answer.status_code == 302
    assert visitor.get(answer.headers["location"]).status_code == 200


def test_networks_and_labels_are_searched_and_show_their_language_and_state(app: App, visitor: TestClient):
    with app.unit_of_work() as services:
        pole = services.campuses.create_network(
            Network(slug="pole", name="Pôle bas carbone", description="Rénover."), [app.campus], by=COMMAND
        )
        services.register.write(pole, named(app.campus), by=COMMAND)
        label(services, pole, app.campus, date(2020, 1, 1), date(2021, 1, 1))
    refresh(app)
    page = visitor.get("/reseaux?q=carbonne", headers={"accept-language": "en"}).text
    assert '<a class="all" href="/reseau/pole" lang="fr">Pôle bas carbone</a>' in page
    assert '<span lang="fr">Rénover.</span>' in page
    assert "1 network" in page
    page = visitor.get("/labels?q=excelence", headers={"accept-language": "en"}).text
    assert cards(page) == ["“Campus d’excellence” label"] or len(cards(page)) == 1
    assert f'<span lang="fr">{app.campus.name}</span>' in page
    assert "Ended" in page
    assert '<h3><a class="all" href="/labels/' in page, "a label's name is ours, and translated"
    page = visitor.get("/reseaux", headers={"accept-language": "en"}).text
    assert '<a href="/reseau/pole" lang="fr">Pôle bas carbone</a>' in page
    assert f'lang="fr">{app.campus.name}</a>' in page
    assert 'role="search"' in page
    page = visitor.get("/badges?q=carbone").text
    assert '<a href="/reseaux?q=carbone">Réseaux</a> (1)' in page
    page = visitor.get("/reseaux").text
    assert '<a href="/reseau/pole">Pôle bas carbone</a>' in page


def test_facet_values_written_by_a_campus_have_their_language(app: App, visitor: TestClient):
    given = levelled(app)
    app.award("Zoé N’Diaye; zoe@exemple.fr", badge=given.badge, evidence="Deux mesures justes.")
    refresh(app)
    path = f"/badges?competence={given.competency.id}"
    marked = f'<span lang="fr">{given.competency.statement}</span>'
    page = visitor.get(path, headers={"accept-language": "en"}).text
    assert page.count(marked) >= 2, "the chip and the choice"
    assert marked not in visitor.get(path).text
    assert '<span lang="fr">Participation' not in page, "a kind is ours"


@pytest.mark.parametrize("path", ["/reseaux", "/labels", "/campus"])
def test_lists_without_networks_and_labels_answer(visitor: TestClient, path: str):
    assert visitor.get(path).status_code == 200


def test_the_page_of_a_campus_has_no_empty_card(app: App) -> None:
    with app.unit_of_work() as services:
        bare = Campus(slug="neuf", did="did:web:exemple.fr:campus:neuf", short_name="NEUF", name="Énergies")
        services.campuses.create(bare, by=COMMAND)
    visitor = app.client()
    assert 'id="qui"' in visitor.get("/campus/itip").text
    assert 'id="qui"' not in visitor.get("/campus/neuf").text


def test_the_first_page_shows_badges_by_turns_and_leads_to_all_of_them(app: App, visitor: TestClient) -> None:
    page = visitor.get("/").text
    with app.unit_of_work(reading=True) as services:
        shown = services.catalogue.by_turns(2)
        count = services.catalogue.count(EntryKind.BADGE)
    assert len({each.badge_kind for each in shown}) == 2
    for each in shown:
        assert f'href="{each.path}"' in page
        assert f'src="{each.path}/v{each.version}/image.svg"' in page
    assert f"Tous les badges ({count})" in page


@pytest.mark.parametrize("count", [4, 5])
def test_no_public_page_counts_fewer_than_five_holders(app: App, count: int) -> None:
    """As in reports that leave the campus: so few people could be recognised."""
    app.award(*(f"Nom{letter} Prénom{letter};{letter}@exemple.fr" for letter in "abcde"[:count]))
    refresh(app)
    for path in (f"/badges/{app.presence.badge.id}", "/campus/itip", "/badges", "/classements"):
        page = app.client().get(path).text.replace("\xa0", " ")
        assert (f"{count} personnes" in page) is (count == 5), path
        assert ("oins de 5 personnes" in page) is (count == 4), path


def test_the_page_of_a_campus_counts_what_it_shows_and_how_many_hold_each_badge(
    app: App, visitor: TestClient
) -> None:
    page = visitor.get("/campus/itip").text
    with app.unit_of_work(reading=True) as services:
        found = services.campuses.page("itip")
        held = [each for each in services.catalogue.entries_of(found.campus).values() if each.holders]
    assert f"<dt>Badges</dt><dd>{len(found.badges)}</dd>" in page
    for each in held:
        assert f'<a class="all" href="{each.path}"' in page
        assert each.holders < 5
        assert "Moins de 5 personnes l’ont reçu" in page
    assert held


def test_a_badge_stays_public_while_its_new_version_has_no_holder(app: App, visitor: TestClient) -> None:
    """Rewriting a badge used to remove it from the page of its campus, and its picture from pathways and requests."""
    badge, first = app.presence.badge, app.presence.version
    newer = Wording(first.kind, "Un autre nom", first.description, first.criteria)
    with app.unit_of_work() as services:
        services.badges.rewrite(
            app.campus, badge.id, newer, repeat=badge.repeat, accepts_requests=True, by=COMMAND
        )
    with app.unit_of_work() as services:
        services.badges.open(app.campus, badge.id, by=COMMAND)
    refresh(app)
    picture = f"/badges/{badge.id}/v1/image.svg"
    assert visitor.get(picture).status_code == 200
    for path in ("/campus/itip", "/badges", f"/badges/{badge.id}", f"/badges/{badge.id}/demande"):
        page = visitor.get(path, headers={"accept": "text/html"}).text
        assert picture in page, path
        assert f"/badges/{badge.id}/v2/image.svg" not in page, path
    for path in ("/campus/itip", "/badges", f"/badges/{badge.id}"):
        assert "Un autre nom" not in visitor.get(path, headers={"accept": "text/html"}).text, path
