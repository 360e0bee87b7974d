"""A learner's portfolio: edited by them only, showing only open badges, closed at once."""

from __future__ import annotations

import json
import re
import struct
from datetime import UTC, datetime, timedelta
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft7Validator
from pyld import jsonld
from pypdf import PdfReader

from app.domain.awards import Visibility
from app.domain.awards.open_badges import DisclosedContent
from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.domain.people import AgeGroup
from app.domain.people.consents import parent_token
from app.services.badges import Wording
from tests.support.app import BASE_URL, COMMAND, App, send
from tests.support.badges.endorsed import recommended_by_peer

ZOE, LEO = "Zoé N’Diaye; zoe@exemple.fr", "Léo Martin; leo@exemple.fr"
MINE = "/mes-badges/portfolio"


ELM, DC, SKOS = (
    "http://data.europa.eu/snb/model/elm/", "http://purl.org/dc/terms/", "http://www.w3.org/2004/02/skos/core#",
)  # fmt: skip
REQUIRED = {
    f"{ELM}Person": {f"{ELM}hasClaim"},
    f"{ELM}LearningAchievement": {f"{DC}title", f"{ELM}awardedBy"},
    f"{ELM}LearningAchievementSpecification": {f"{DC}title"},
    f"{ELM}LearningOutcome": {f"{DC}title"},
    f"{ELM}LearningAssessment": {f"{DC}title", f"{ELM}awardedBy", f"{ELM}grade"},
    f"{ELM}AwardingProcess": {f"{ELM}awardingBody"},
    f"{ELM}Organisation": {"http://www.w3.org/ns/regorg#legalName", f"{ELM}location"},
    f"{DC}Location": {f"{ELM}address"},
    f"{ELM}Address": {f"{ELM}countryCode"},
    f"{ELM}Note": {f"{ELM}noteLiteral"},
    f"{ELM}WebResource": {f"{ELM}contentUrl"},
    f"{SKOS}Concept": {f"{SKOS}prefLabel", f"{SKOS}inScheme"},
    f"{SKOS}ConceptScheme": set(),
}
"""Of the classes that we use, what the application profile of European Digital Credentials demands (1.1)."""
TEXTS = {
    f"{DC}title", f"{DC}description", "http://xmlns.com/foaf/0.1/fullName",
    "http://www.w3.org/ns/regorg#legalName", f"{SKOS}prefLabel", f"{ELM}noteLiteral",
}  # fmt: skip
"""Their values are texts in a language; dates, durations and addresses have their datatype."""
TYPED = {
    f"{ELM}awardingDate": "dateTime", f"{DC}issued": "dateTime", f"{ELM}volumeOfLearning": "duration",
    f"{ELM}contentUrl": "anyURI",
}  # fmt: skip


def checked_classes(europass: dict[str, Any]) -> set[str]:
    seen: set[str] = set()

    def check(node: Any) -> None:
        for each in node.get("@type", []):
            seen.add(each)
            assert REQUIRED[each] <= node.keys(), each
        for name, values in node.items():
            for value in values if isinstance(values, list) else ():
                if name in TEXTS:
                    assert value.keys() == {"@value", "@language"}, name
                elif name in TYPED:
                    assert value["@type"] == f"http://www.w3.org/2001/XMLSchema#{TYPED[name]}"
                elif isinstance(value, dict) and "@value" not in value:
                    check(value)

    [whole] = jsonld.expand(europass)
    check(whole)
    return seen


def set_visibility(app: App, award_id, wanted: Visibility) -> None:
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, wanted, by=Actor.command("tests"))


@pytest.fixture
def results(app: App):
    """Two badges of Zoé's: the first open, the second shut."""
    first, second = app.award(ZOE), app.award(ZOE, badge=app.role, evidence="A tenu le stand.")
    set_visibility(app, first.lines[0].award_id, Visibility.OPEN)
    return first, second


@pytest.fixture
def zoe(app: App, results) -> TestClient:
    client = app.client()
    for result in results:
        client.get(app.private_link(result))
    return client


@pytest.fixture
def portfolio(zoe: TestClient) -> str:
    """The path of Zoé's new portfolio."""
    return start(zoe)


def start(client: TestClient) -> str:
    person = re.search(r'name="personne" value="([^"]+)"', client.get(MINE).text)[1]
    answer = send(client, MINE, {"personne": person})
    return answer.headers["location"].partition("?")[0]


def public(portfolio: str) -> str:
    return portfolio.replace("/mes-badges", "")


def opened(client: TestClient, portfolio: str) -> str:
    send(client, f"{portfolio}/visibilite", {"vue": "ouvert"}, seen_on=portfolio)
    return public(portfolio)


def titles(page: str) -> list[str]:
    return [unescape(each) for each in re.findall(r"<h[34][^>]*(?:><a[^>]*>|lang=[^>]*>)([^<]+)</", page)]


def put_in(client: TestClient, portfolio: str, result) -> None:
    send(client, f"{portfolio}/badges", {"attribution": result.lines[0].award_id}, seen_on=portfolio)


def test_a_new_portfolio_is_closed_and_contains_the_open_badges(app: App, zoe: TestClient, portfolio: str):
    assert titles(zoe.get(portfolio).text) == ["Robotique pour tous"]
    stranger = app.client()
    answer = stranger.get(public(portfolio))
    assert answer.status_code == 403
    assert "Zoé" not in answer.text
    assert "Robotique" in zoe.get(f"{portfolio}/apercu").text


def test_a_person_has_one_portfolio_however_often_they_start_it(app: App, zoe: TestClient, portfolio: str):
    assert f'action="{portfolio}/visibilite"' in zoe.get(MINE).text
    with app.unit_of_work() as services:
        person = services.people.people.find_named_at("zoe@exemple.fr", "diaye n zoe")
        assert str(services.portfolios.start(person, []).id) == portfolio.rpartition("/")[2]


def test_other_people_cannot_edit_the_portfolio(app: App, zoe: TestClient, portfolio: str):
    leo = app.client()
    result = app.award(LEO)
    leo.get(app.private_link(result))
    for path in ("", "/apercu", "/code.svg"):
        assert leo.get(portfolio + path).status_code == 401
    answer = send(leo, f"{portfolio}/visibilite", {"vue": "ouvert"}, seen_on=MINE)
    assert answer.status_code == 401
    assert app.client().get(public(portfolio)).status_code == 403


def test_another_person_s_badge_cannot_be_added(app: App, zoe: TestClient, portfolio: str):
    of_leo = app.award(LEO)
    answer = send(zoe, f"{portfolio}/badges", {"attribution": of_leo.lines[0].award_id}, seen_on=portfolio)
    assert answer.status_code == 404
    assert titles(zoe.get(portfolio).text) == ["Robotique pour tous"]


def test_only_badges_that_are_open_themselves_are_shown(app: App, zoe: TestClient, portfolio, results):
    put_in(zoe, portfolio, results[1])
    page = opened(zoe, portfolio)
    stranger = app.client()
    assert "Acteur du dispositif" not in stranger.get(page).text
    set_visibility(app, results[1].lines[0].award_id, Visibility.OPEN)
    assert titles(stranger.get(page).text) == ["Robotique pour tous", "Acteur du dispositif Explor’#ICI"]
    set_visibility(app, results[0].lines[0].award_id, Visibility.CLOSED)
    for path in (page, f"{page}/integrer"):
        assert "Robotique" not in stranger.get(path).text


def test_closing_the_portfolio_closes_its_card_frame_and_oembed_at_once(
    app: App, zoe: TestClient, portfolio: str
):
    page, stranger = opened(zoe, portfolio), app.client()
    paths = (page, f"{page}/carte.png", f"{page}/integrer", f"/oembed?url={BASE_URL}{page}")
    for path in paths:
        assert stranger.get(path).status_code == 200, path
    send(zoe, f"{portfolio}/visibilite", {"vue": "ferme"}, seen_on=portfolio)
    for path in paths:
        answer = stranger.get(path)
        assert answer.status_code == 403, path
        assert "Robotique" not in answer.text


def test_each_badge_has_the_verdict_of_its_own_page(app: App, zoe: TestClient, portfolio, results):
    page, stranger = opened(zoe, portfolio), app.client()
    assert "Authentique, en cours de validité" in stranger.get(page).text
    with app.unit_of_work() as services:
        services.awards.revoke(
            app.campus, results[0].lines[0].award_id, "Erreur de séance.", by=Actor(app.admin.id)
        )
    result = stranger.get(page).text
    assert "Retiré par le campus" in result
    assert "Authentique, en cours de validité" not in result
    assert "Erreur de séance" not in result


def test_badges_go_up_and_down_by_buttons(app: App, zoe: TestClient, portfolio: str, results):
    put_in(zoe, portfolio, results[1])
    shown = zoe.get(portfolio).text
    first, second = re.findall(r'<li class="item card" id="b-([^"]+)"', shown)
    assert f'name="descendre" value="{second}"' in shown
    send(zoe, f"{portfolio}/badges", {"badge": first, "descendre": second}, seen_on=portfolio)
    assert titles(zoe.get(portfolio).text)[0].startswith("Acteur")
    send(zoe, f"{portfolio}/badges", {"badge": first, "monter": second}, seen_on=portfolio)
    assert titles(zoe.get(portfolio).text)[0].startswith("Robotique")
    send(zoe, f"{portfolio}/badges", {"badge": first, "retirer": "oui"}, seen_on=portfolio)
    assert len(titles(zoe.get(portfolio).text)) == 1


def test_groups_of_one_s_own_have_titles_an_order_and_badges(app: App, zoe: TestClient, portfolio):
    for title in ("Bénévolat", "Atelier"):
        send(zoe, f"{portfolio}/groupes", {"titre": title}, seen_on=portfolio)
    shown = zoe.get(portfolio).text
    (piece,) = re.findall(r'<li class="item card" id="b-([^"]+)"', shown)
    volunteering, workshop = re.findall(r'<h3 id="g-([^"]+)"', shown)
    send(zoe, f"{portfolio}/badges", {"badge": piece, "groupe": workshop}, seen_on=portfolio)
    send(zoe, f"{portfolio}/groupes", {"groupe": workshop, "monter": volunteering}, seen_on=portfolio)
    shown = zoe.get(portfolio).text
    assert shown.index("<bdi>Atelier</bdi>") < shown.index("<bdi>Bénévolat</bdi>")
    page = app.client().get(opened(zoe, portfolio)).text
    assert "<bdi>Atelier</bdi>" in page
    assert "Bénévolat" not in page
    send(zoe, f"{portfolio}/groupes", {"groupe": workshop, "retirer": "oui"}, seen_on=portfolio)
    assert titles(zoe.get(portfolio).text) == ["Robotique pour tous"]


def show_all(app: App) -> None:
    """Every holder shows all of every line that their badges rest on."""
    with app.unit_of_work() as services:
        for record in services.awards.list_in(app.campus):
            row = services.evidence.find(record.award.id)
            wanted = dict.fromkeys(row.entries if row else (), DisclosedContent.ALL)
            services.log_disputes.show(app.campus, record.award.id, wanted, by=COMMAND)


def test_badges_group_themselves_by_project(app: App, zoe: TestClient, portfolio: str):
    send(zoe, portfolio, {"nom": "full", "classement": "project", "phrase": "Je cherche un stage."})
    assert "<bdi>Atelier robotique</bdi>" not in app.client().get(opened(zoe, portfolio)).text
    show_all(app)
    page = app.client().get(opened(zoe, portfolio)).text
    assert "<bdi>Atelier robotique</bdi>" in page
    assert "Je cherche un stage." in page
    assert "Les badges de Zoé N’Diaye" in unescape(page)


@pytest.mark.parametrize(
    ("naming", "said"), [("short", "Les badges de Zoé N."), ("none", "Un portfolio de badges")]
)
def test_the_name_is_shown_as_its_holder_chooses(app: App, zoe, portfolio, naming: str, said: str):
    send(zoe, portfolio, {"nom": naming})
    page = unescape(app.client().get(opened(zoe, portfolio)).text)
    assert said in page
    assert "Diaye" not in page


def test_competencies_show_level_and_badges_and_count_hours_once(app: App):
    with app.unit_of_work() as services:
        framework = services.competencies.framework(app.campus, code="r", name="Référentiel VRAI", by=COMMAND)
        measuring = services.competencies.create(
            app.campus, framework, code="M", statement="Mesurer", levels=["Initié", "Autonome"], by=COMMAND
        )
        badges = [
            services.badges.create(
                app.campus,
                Wording(BadgeKind.COMPETENCY, name, "Mesurer.", "A mesuré trois pièces, jugé par la formatrice.",
                        competencies=((measuring.id, level),)),
                by=COMMAND,
            )
            for name, level in (("Mesure 1", 1), ("Mesure 2", 2))
        ]  # fmt: skip
    results = [app.award(f"{ZOE}", badge=badge, evidence="A mesuré.") for badge in badges]
    client = app.client()
    for result in results:
        set_visibility(app, result.lines[0].award_id, Visibility.OPEN)
        client.get(app.private_link(result))
    portfolio = start(client)
    page = app.client().get(opened(client, portfolio)).text
    row = re.search(r"<tr role=\"row\"><th[^>]*scope=\"row\">Mesurer.+?</tr>", page, re.S)[0]
    assert "Autonome (2 sur 2)" in row
    assert row.count("/attributions/") == 2
    assert re.search(r'data-l="Heures"[^>]*>3<', row)
    [skill] = client.get(f"{portfolio}/fichiers/cv.json").json()["skills"]
    assert (skill["name"], skill["level"], "Référentiel VRAI" in skill["keywords"]) == (
        "Mesurer",
        "Autonome",
        True,
    )
    whole = client.get(f"{portfolio}/fichiers/europass.json").json()
    assert f"{ELM}LearningAssessment" in checked_classes(whole)
    europass = whole["credentialSubject"]["hasClaim"]
    outcomes = [each["specifiedBy"]["learningOutcome"][0]["relatedSkill"] for each in europass]
    assert {each["notation"] for each in outcomes} == {"M"}
    grades = {each["provenBy"][0]["grade"]["noteLiteral"]["fr"][0] for each in europass}
    assert grades == {"Initié (1/2)", "Autonome (2/2)"}


def test_search_engines_are_excluded_until_the_holder_admits_them(app: App, zoe: TestClient, portfolio: str):
    page, stranger = opened(zoe, portfolio), app.client()
    assert "noindex" in stranger.get(page).headers["x-robots-tag"]
    assert "noindex" in stranger.get(page).text
    send(zoe, portfolio, {"recherche": "oui"})
    answer = stranger.get(page)
    assert "x-robots-tag" not in answer.headers
    assert "noindex" not in answer.text


def test_the_card_contains_no_name_and_the_frame_no_form(app: App, zoe: TestClient, portfolio: str):
    page, stranger = opened(zoe, portfolio), app.client()
    card, frame = stranger.get(f"{page}/carte.png"), stranger.get(f"{page}/integrer")
    assert struct.unpack(">II", card.content[16:24]) == (1200, 630)
    assert "frame-ancestors *" in frame.headers["content-security-policy"]
    assert "<form" not in frame.text
    result = stranger.get(f"/oembed?url={BASE_URL}{page}").json()
    assert "Zoé" not in result["title"]
    assert f'src="{BASE_URL}{page}/integrer"' in result["html"]


def test_the_code_leads_to_the_page(zoe: TestClient, portfolio: str):
    for form, kind in (("svg", "image/svg+xml"), ("png", "image/png")):
        assert zoe.get(f"{portfolio}/code.{form}").headers["content-type"] == kind


def test_a_sentence_too_long_comes_back_as_it_was_typed(zoe: TestClient, portfolio: str):
    answer = send(zoe, portfolio, {"phrase": "é" * 301})
    assert answer.status_code == 422
    assert "é" * 301 in answer.text


def test_child_under_15_writes_neither_name_nor_class_in_a_portfolio(
    app: App, zoe: TestClient, portfolio: str, results
) -> None:
    with app.unit_of_work() as services:
        record = services.awards.record(results[0].lines[0].award_id)
        services.guardians.set_age_group(app.campus, record.person.id, AgeGroup.UNDER_15, by=COMMAND)
    for line, status in (("Zoé, future soudeuse", 422), ("En classe de 4e", 422), ("Future soudeuse", 303)):
        assert send(zoe, portfolio, {"phrase": line}).status_code == status
        assert send(zoe, f"{portfolio}/groupes", {"titre": line}, seen_on=portfolio).status_code == status


def test_name_written_before_a_child_is_noted_opens_no_portfolio(
    app: App, zoe: TestClient, portfolio: str, results
) -> None:
    send(zoe, portfolio, {"phrase": "Zoé, future soudeuse"})
    answer = send(zoe, f"{portfolio}/liens", {"jusque": "2026-12-24"}, seen_on=portfolio)
    link = link_in(zoe.get(answer.headers["location"]).text)
    award_id = results[0].lines[0].award_id
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        services.guardians.set_age_group(app.campus, record.person.id, AgeGroup.UNDER_15, by=COMMAND)
        agreement = services.guardians.ask(record, "parent@exemple.fr", by=COMMAND)
        services.guardians.answer(parent_token(services.guardians.secret, agreement.id), agreed=True)
    assert app.client().get(opened(zoe, portfolio)).status_code == 403
    assert app.client().get(link).status_code == 403
    send(zoe, portfolio, {"phrase": "Future soudeuse"})
    assert app.client().get(link).status_code == 200
    assert app.client().get(opened(zoe, portfolio)).status_code == 200


def test_exported_files_contain_what_the_page_shows_and_no_more(app: App, zoe, portfolio, results):
    put_in(zoe, portfolio, results[1])
    resume = zoe.get(f"{portfolio}/fichiers/cv.json").json()
    assert [each["name"] for each in resume["certificates"]] == ["Robotique pour tous"]
    assert resume["certificates"][0]["url"].startswith(f"{BASE_URL}/attributions/")
    assert resume["basics"]["name"] == "Zoé N."
    europass = zoe.get(f"{portfolio}/fichiers/europass.json").json()
    (claim,) = europass["credentialSubject"]["hasClaim"]
    assert claim["specifiedBy"]["volumeOfLearning"] == "PT3H"
    assert {f"{ELM}Organisation", f"{ELM}WebResource"} <= checked_classes(europass)
    assert "Personne ne les a scellées" in europass["note"]
    pdf = zoe.get(f"{portfolio}/fichiers/portfolio.pdf")
    assert pdf.content.startswith(b"%PDF-")
    pages = PdfReader(BytesIO(pdf.content)).pages
    words = " ".join(" ".join(page.extract_text() for page in pages).split())
    assert "uthentique" not in words, "paper is not verified"
    assert "À vérifier" in words
    assert "localhost:8000/v/" in words
    assert app.client().get(f"{portfolio}/fichiers/cv.json").status_code == 401


def test_resume_matches_the_published_schema(app: App, zoe: TestClient, portfolio: str, results):
    schema = Path(__file__).parents[3] / "interop" / "node_modules" / "@jsonresume" / "schema" / "schema.json"
    if not schema.exists():
        pytest.skip("the schema of JSON Resume is not installed: npm ci --prefix tests/interop")
    put_in(zoe, portfolio, results[1])
    send(zoe, portfolio, {"phrase": "Câblage et « soudure »"})
    resume = zoe.get(f"{portfolio}/fichiers/cv.json").json()
    assert {"basics", "certificates", "skills"} <= resume.keys()
    published = json.loads(schema.read_text())
    validator = Draft7Validator(published, format_checker=Draft7Validator.FORMAT_CHECKER)
    assert [each.message for each in validator.iter_errors(resume)] == []
    known = published["properties"]
    for section in ("certificates", "skills"):
        for each in resume[section]:
            assert each.keys() <= known[section]["items"]["properties"].keys(), "no member that others ignore"


def test_the_pdf_has_the_lines_of_peers_that_the_learner_shows(app: App, zoe: TestClient, portfolio, results):
    with app.unit_of_work() as services:
        record = services.awards.record(results[0].lines[0].award_id)
        services.awards.set_visibility(record.award.id, Visibility.OPEN, by=Actor(record.person.id))
        recommendation = recommended_by_peer(services, services.awards.record(record.award.id))

    def printed() -> str:
        pages = PdfReader(BytesIO(zoe.get(f"{portfolio}/fichiers/portfolio.pdf").content)).pages
        return " ".join(" ".join(page.extract_text() for page in pages).split())

    words = printed()
    for each in (
        "Elle a monté le bras du robot.",
        "Karim, même équipe",
        "identité non vérifiée",
        "Robotique pour tous",
    ):
        assert each in words
    assert "karim@exemple.fr" not in words
    with app.unit_of_work() as services:
        services.peer_recommendations.hide(
            services.awards.record(record.award.id), recommendation, by=Actor(record.person.id)
        )
    assert "bras du robot" not in printed()


def test_a_withdrawn_badge_is_no_longer_a_certificate(app: App, zoe: TestClient, portfolio, results):
    with app.unit_of_work() as services:
        services.awards.revoke(
            app.campus, results[0].lines[0].award_id, "Erreur de séance.", by=Actor(app.admin.id)
        )
    assert zoe.get(f"{portfolio}/fichiers/cv.json").json()["certificates"] == []


def link_in(page: str) -> str:
    found = re.search(r'value="http://localhost:8000(/portfolio/[^"]+/pour/[^"]+)"', page)
    assert found is not None
    return found[1]


def test_a_link_for_one_employer_opens_a_closed_portfolio_until_its_last_day(
    app: App, zoe: TestClient, portfolio: str
):
    answer = send(zoe, f"{portfolio}/liens", {"jusque": "2026-12-24"}, seen_on=portfolio)
    link, employer = link_in(zoe.get(answer.headers["location"]).text), app.client()
    assert employer.get(public(portfolio)).status_code == 403
    shown = employer.get(link)
    assert shown.status_code == 200
    assert "Robotique pour tous" in shown.text
    assert "noindex" in shown.headers["x-robots-tag"]
    assert employer.get(link.replace("2026-12-24", "2027-12-24")).status_code == 403, "the day is signed"
    app.clock.move(hours=24 * 31)
    ended = employer.get(link)
    assert ended.status_code == 403
    assert ">Ce lien a pris fin</h1>" in ended.text
    assert "Demandez-en un autre à la personne qui vous l’a donné" in ended.text


def test_closing_the_portfolio_warns_about_open_links_for_employers(
    app: App, zoe: TestClient, portfolio: str
):
    answer = send(zoe, f"{portfolio}/liens", {"jusque": "2026-12-24"}, seen_on=portfolio)
    link = link_in(zoe.get(answer.headers["location"]).text)
    for wanted in ("ouvert", "ferme"):
        answer = send(zoe, f"{portfolio}/visibilite", {"vue": wanted}, seen_on=portfolio)
    shown = unescape(zoe.get(answer.headers["location"]).text)
    assert "Si vous avez donné un lien à un employeur, il ouvre encore ce portfolio" in shown
    assert app.client().get(link).status_code == 200


@pytest.mark.parametrize(
    ("zone", "begins"), [("Europe/Paris", -1), ("America/Guadeloupe", 4), ("Pacific/Noumea", -11)]
)
def test_the_last_day_of_a_link_is_in_the_time_zone_of_the_campus(
    app: App, zoe: TestClient, portfolio: str, zone: str, begins: int
):
    """In Guadeloupe a link used to end at seven in the evening of its last day, in winter."""
    with app.unit_of_work() as services:
        services.campuses.get("itip").time_zone = zone
    midnight = datetime(2026, 11, 25, tzinfo=UTC) + timedelta(hours=begins)
    app.clock.now = midnight
    refused = send(zoe, f"{portfolio}/liens", {"jusque": "2026-11-24"}, seen_on=portfolio)
    assert refused.status_code == 422
    answer = send(zoe, f"{portfolio}/liens", {"jusque": "2026-11-25"}, seen_on=portfolio)
    link, employer = link_in(zoe.get(answer.headers["location"]).text), app.client()
    found = []
    for seconds in (-1, 0):
        app.clock.now = midnight + timedelta(days=1, seconds=seconds)
        found.append(employer.get(link).status_code)
    assert found == [200, 403]


@pytest.mark.parametrize("is_open", [False, True])
def test_link_that_has_ended_does_not_tell_whether_the_portfolio_is_closed(
    app: App, zoe: TestClient, portfolio: str, is_open: bool
):
    answer = send(zoe, f"{portfolio}/liens", {"jusque": "2026-12-24"}, seen_on=portfolio)
    link = link_in(zoe.get(answer.headers["location"]).text)
    if is_open:
        send(zoe, f"{portfolio}/visibilite", {"vue": "ouvert"}, seen_on=portfolio)
    app.clock.move(hours=24 * 31)
    for each in (link, link.replace("2026-12-24", "2027-12-24")):
        page = app.client().get(each).text
        assert "Zoé" not in page
        assert "le garde pour elle" not in page
        assert "fermé" not in page


def test_links_for_employers_end_together(app: App, zoe: TestClient, portfolio: str):
    answer = send(zoe, f"{portfolio}/liens", {"jusque": "2026-12-24"}, seen_on=portfolio)
    link = link_in(zoe.get(answer.headers["location"]).text)
    send(zoe, f"{portfolio}/liens", {"arreter": "oui"}, seen_on=portfolio)
    assert app.client().get(link).status_code == 403


@pytest.mark.parametrize("day", ["", "hier", "2026-11-01", "2028-01-01"])
def test_link_for_an_employer_needs_a_day_within_a_year(zoe: TestClient, portfolio: str, day: str):
    answer = send(zoe, f"{portfolio}/liens", {"jusque": day}, seen_on=portfolio)
    assert answer.status_code == 422
    assert "dans un an" in answer.text


@pytest.mark.parametrize(
    ("layout", "mark"), [("bands", 'class="work'), ("gallery", "gallery-l"), ("list", "folio")]
)
def test_page_has_three_layouts(app: App, zoe: TestClient, portfolio: str, layout: str, mark: str):
    page = opened(zoe, portfolio)
    send(zoe, portfolio, {"mise-en-page": layout, "nom": "short", "classement": "none"}, seen_on=portfolio)
    shown = app.client().get(page).text
    assert mark in shown
    assert "Authentique, en cours de validité" in shown
    assert f"{page}/code.svg" in shown


def test_paper_has_a_cover_with_pictures_and_gives_no_verdict(zoe: TestClient, portfolio: str):
    pages = PdfReader(BytesIO(zoe.get(f"{portfolio}/fichiers/portfolio.pdf").content)).pages
    assert len(pages) >= 2
    assert "Authentique" not in "".join(page.extract_text() for page in pages)


@pytest.mark.parametrize(
    ("given", "family", "kept"),
    [
        ("Anne-Gaëlle", "Le Bœuf-Rakotomalala", "d’Anne-Gaëlle Le Bœuf-Rakotomalala"),
        ("Đặng Thị", "Hương", "Đặng Thị Hương"),
        ("Marie-Ange Jeanne Ève", "de La Tour-Fondue du Puy", "Marie-Ange Jeanne Ève de La Tour-Fondue du Puy"),
        ("Maximilienne " * 4, "Rakotomalala-" * 4 + "Le Bœuf", "Le Bœuf"),
    ],
)  # fmt: skip
def test_cover_on_paper_breaks_no_name_that_fits_a_line(
    app: App, zoe: TestClient, portfolio: str, given: str, family: str, kept: str
):
    with app.unit_of_work() as services:
        person = services.people.people.find_named_at("zoe@exemple.fr", "diaye n zoe")
        person.given_name, person.family_name = given.strip(), family
    send(zoe, portfolio, {"mise-en-page": "bands", "nom": "full", "classement": "none"}, seen_on=portfolio)
    pages = PdfReader(BytesIO(zoe.get(f"{portfolio}/fichiers/portfolio.pdf").content)).pages
    lines = [" ".join(line.split()) for line in pages[0].extract_text().splitlines()]
    assert any(kept in line for line in lines), lines[:4]


def test_a_new_portfolio_shows_no_name_if_the_holder_removed_it_from_every_badge(
    app: App, zoe: TestClient, results
):
    for result in results:
        mine = f"/mes-badges/{result.lines[0].award_id}"
        send(zoe, f"{mine}/nom-du-badge", {"vue": "sans"}, seen_on=mine)
    portfolio = start(zoe)
    shown = zoe.get(portfolio).text
    assert re.search(r'value="none" selected', shown), "her choice is carried over"
    assert "Personne d’autre que vous, sauf par un lien" in unescape(shown).replace("'", "’")
    assert "Zoé" not in zoe.get(f"{portfolio}/apercu").text
