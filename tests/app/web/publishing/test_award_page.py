"""The page of one award: an answer when open, silence when shut, and nothing hostile alive on it."""

from __future__ import annotations

import re
import uuid
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient

from app.domain.activities import Activity, ActivityKind
from app.domain.awards import Visibility
from app.domain.awards.open_badges import DisclosedContent
from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.services.awards.awards import AwardRequest
from app.services.badges import Wording
from tests.support.house import COMMAND, NOON, House, listed

FORMS = ["", ".json", ".jwt", ".png", ".svg"]
ACCEPTED = ["application/vc", "application/vc+jwt", "image/png", "image/svg+xml", "application/json"]


def award(
    house: House, *, is_open: bool = True, person: str = "Zoé N’Diaye; zoe@exemple.fr", **more
) -> uuid.UUID:
    award_id = house.award(person, **more).lines[0].award_id
    assert award_id is not None
    if is_open:
        show(house, award_id, Visibility.OPEN)
    return award_id


def show(house: House, award_id: uuid.UUID, visibility: Visibility) -> None:
    with house.unit_of_work() as services:
        services.awards.set_visibility(award_id, visibility, by=COMMAND)


def show_all(house: House, award_id: uuid.UUID) -> None:
    """As its holder chooses « Tout » for every line that the badge rests on."""
    with house.unit_of_work() as services:
        row = services.evidence.find(award_id)
        assert row is not None
        services.log_disputes.show(
            house.campus, award_id, dict.fromkeys(row.entries, DisclosedContent.ALL), by=COMMAND
        )


@pytest.fixture
def employer(house: House) -> TestClient:
    return house.client()


def test_the_verdict_is_the_first_heading_and_the_six_facts_follow(house: House, employer: TestClient):
    page = employer.get(f"/attributions/{award(house)}").text
    assert re.search(r"<h1[^>]*>Authentique, en cours de validité</h1>", page)
    labels = ["Qui", "A fait quoi", "Jugé comment", "Par qui", "Quand", "Encore valable"]
    assert re.findall(r"<dt>([^<]+)</dt>", page)[:6] == labels
    assert "Vérifié à l’instant, le 24" in page
    assert (
        page.index("Sur quoi il repose") < page.index("Ce que cela ne prouve pas") < page.index("Vérifié : ")
    )


def test_badge_signed_again_is_valid_since_its_award(house: House, employer: TestClient):
    award_id = award(house)
    house.clock.move(days=5)
    with house.unit_of_work() as services:
        person = services.awards.record(award_id).person
        services.names.correct_in_campus(house.campus, person.id, "Zoë", "N’Diaye", by=Actor(house.admin.id))
    page = re.sub(r"\s+", " ", employer.get(f"/attributions/{award_id}").text)
    assert "Il est valable depuis le 24\xa0novembre 2026" in page.replace("24 nov", "24\xa0nov")
    assert "depuis le 29" not in page.replace("\xa0", " ")
    assert "Le campus l’a signé de nouveau le 29 novembre 2026" in page.replace("\xa0", " ")
    assert "Attribution inscrite le" not in page
    assert "Badge signé de nouveau, inscrit le 29" in page.replace("\xa0", " ")


def test_the_page_is_told_in_the_reader_s_language(house: House, employer: TestClient):
    page = employer.get(f"/attributions/{award(house)}", headers={"accept-language": "en"}).text
    assert "Genuine and still valid" in page
    for french in ("Vérifi", "Conforme", "Ce que", "Qui"):
        assert french not in re.sub(
            r'lang="fr"[^>]*>[^<]*|(?s:<footer.*)|hreflang[^<]*|(?s:<script type="application/ld.*?</script>)|name="texte" value="[^"]*"',
            "",
            page,
        )


@pytest.mark.parametrize("form", FORMS)
def test_closing_shuts_every_form_at_once(house: House, employer: TestClient, form: str):
    award_id = award(house)
    assert employer.get(f"/attributions/{award_id}{form}").status_code == 200
    show(house, award_id, Visibility.CLOSED)
    answer = employer.get(f"/attributions/{award_id}{form}")
    assert answer.status_code == 403
    assert b"Zo\xc3\xa9" not in answer.content
    assert "Robotique" not in answer.text


@pytest.mark.parametrize("accept", ACCEPTED)
def test_closing_shuts_what_programs_ask_for_too(house: House, employer: TestClient, accept: str):
    award_id = award(house, is_open=False)
    assert employer.get(f"/attributions/{award_id}", headers={"accept": accept}).status_code == 403


def test_a_closed_page_is_the_same_whoever_gave_the_badge(house: House, employer: TestClient):
    pages = [
        employer.get(f"/attributions/{award(house, is_open=False, person=person)}").text
        for person in ("Zoé N’Diaye; zoe@exemple.fr", "Léo Martin; leo@exemple.fr")
    ]
    with_addresses_out = [re.sub(r"[0-9a-f-]{36}|value=\"[^\"]+\"", "", page) for page in pages]
    assert with_addresses_out[0] == with_addresses_out[1]
    assert "Page fermée par son titulaire" in pages[0]
    assert "Vérifier un fichier" in pages[0]
    assert "ITIP" not in pages[0]
    assert "og:" not in pages[0]


def test_an_award_that_never_was_is_not_there(employer: TestClient):
    assert employer.get(f"/attributions/{uuid.uuid4()}").status_code == 404


def test_a_withdrawn_badge_says_when_and_keeps_the_reason_for_its_holder(house: House, employer: TestClient):
    award_id = award(house)
    with house.unit_of_work() as services:
        services.awards.revoke(house.campus, award_id, "Erreur de séance.", by=Actor(house.admin.id))
    page = employer.get(f"/attributions/{award_id}").text
    assert "Retiré par le campus le 24" in page
    assert "Non, retiré le 24" in page
    assert "Erreur de séance" not in page


def test_an_expired_badge_is_genuine_and_over(house: House, employer: TestClient):
    wording = Wording(
        BadgeKind.PARTICIPATION, "Visite", "Une visite.", "La personne a visité le lieu.", validity_days=30
    )
    with house.unit_of_work() as services:
        badge = services.badges.create(house.campus, wording, slug="visite", by=COMMAND)
    award_id = award(house, badge=badge)
    house.clock.move(days=31)
    page = employer.get(f"/attributions/{award_id}").text
    assert "Authentique, mais expiré" in page
    assert 'data-stamp="Expiré"' in page


def test_an_older_wording_says_that_the_definition_has_changed(house: House, employer: TestClient):
    award_id = award(house)
    assert "La définition du badge a changé" not in employer.get(f"/attributions/{award_id}").text
    wording = Wording(
        BadgeKind.PARTICIPATION,
        "Robotique pour tous",
        "Mieux dit.",
        "La personne a pris part, une demi-journée.",
    )
    with house.unit_of_work() as services:
        badge = services.badges.revise(house.campus, house.presence.badge.id, wording, by=COMMAND)
    award(house, badge=badge, person="Léo Martin; leo@exemple.fr")
    page = employer.get(f"/attributions/{award_id}").text
    assert "La définition du badge a changé depuis" in page
    assert f'href="/badges/{badge.badge.id}/v2"' in page


def test_search_engines_caches_and_previews_get_no_more_than_they_may(house: House, employer: TestClient):
    answer = employer.get(f"/attributions/{award(house)}")
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert answer.headers["cache-control"] == "no-store"
    assert '<meta name="robots" content="noindex, nofollow">' in answer.text
    previews = re.findall(r'<meta (?:property="og|name="twitter)[^>]+>', answer.text)
    assert len(previews) >= 6
    assert not any("Zoé" in each for each in previews), "a preview outlives the closing of a page"


def attributes_in(page: str) -> set[str]:
    """The name of every attribute that a browser would see."""
    names: set[str] = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda _tag, attributes: names.update(name for name, _ in attributes)  # type: ignore[method-assign]
    parser.feed(page)
    return names


HOSTILE = "<script>alert(1)</script> [clic](javascript:alert(2)) <img src=x onerror=alert(3)>"
QUOTED = '"\' autofocus onfocus=alert(4) x="'


def test_hostile_words_of_a_campus_are_shown_and_do_nothing(house: House, employer: TestClient):
    wording = Wording(BadgeKind.ENGAGEMENT, f"Nom {QUOTED}", HOSTILE, f"Critères. {HOSTILE}")
    with house.unit_of_work() as services:
        badge = services.badges.create(house.campus, wording, slug="hostile", by=COMMAND)
        activity = services.activities.create(
            Activity(
                kind=ActivityKind.EVENT,
                title=f"Séance {QUOTED}",
                starts_on=NOON.date(),
                ends_on=NOON.date(),
                place="<b>ici</b>",
            ),
            [house.campus],
            by=COMMAND,
        )
    request = AwardRequest(
        badge.badge.id,
        activity.id,
        lines=listed(
            "'\"><svg/onload=alert(4)> N’Diaye; markup@exemple.fr",
            "Zoé'\" onload=alert(5) x=' N’Diaye; zoe@exemple.fr",
        ),
        evidence=HOSTILE,
    )
    with house.unit_of_work() as services:
        markup, line = services.awards.award(house.campus, request, by=Actor(house.trainer.id)).lines
        assert (markup.award_id, "balise" in markup.reason) == (None, True), "markup is refused in a name"
        award_id = line.award_id
        assert award_id is not None
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
    assert "alert(3)" not in employer.get(f"/attributions/{award_id}.json").text.partition('"evidence"')[2]
    show_all(house, award_id)
    assert "alert(3)" in employer.get(f"/attributions/{award_id}.json").text.partition('"evidence"')[2]
    page = employer.get(f"/attributions/{award_id}").text
    assert "alert(5)" in page, "the holder's name, as text"
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert not {name for name in attributes_in(page) if name.startswith("on")}
    assert 'href="javascript:' not in page
    assert "<b>ici</b>" not in page


def test_the_holder_is_led_back_to_their_own_page(house: House):
    result = house.award("Zoé N’Diaye; zoe@exemple.fr")
    learner = house.client()
    learner.get(house.private_link(result))
    page = learner.get(f"/attributions/{result.lines[0].award_id}").text
    assert f'href="/mes-badges/{result.lines[0].award_id}"' in page
